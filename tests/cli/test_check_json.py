"""`import --check --json`: exactly these keys and types, for a file of each format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_files import JOURNAL, MANAGER, OWN, REPORT, SQL, STATEMENT

KEYS = [
    "file", "format", "encoding", "account", "currency", "closed_trades", "lots", "commission",
    "swap", "closed_pl_printed", "closed_pl_summed", "balance_rows", "cancelled",
    "compaction_rows", "refused", "error",
]  # fmt: skip
# content, then the values after `file`: worked out by hand from cli_files.py.
FILES: dict[str, tuple[str, list[Any]]] = {
    "statement.htm": (STATEMENT, [
        "mt4_statement", "utf-8", 1001, "USD", 2, "0.35", "-0.70", "-0.25", "989.00", "989.00",
        1, 1, 0, [], None]),
    "manager.csv": (MANAGER, [
        "mt4_manager", "utf-8", 1001, "USD", 2, "0.30", "-1.40", "-0.60", None, "18.00",
        1, 0, 0, [4], None]),
    "deals.sql": (SQL, [
        "mt5_sql", "utf-8", 5001, None, 1, "0.10", "-0.35", "-0.30", None, "9.35",
        0, 0, 0, [], None]),
    "report.html": (REPORT, [
        "mt5_report", "utf-8", 5001, "USD", 1, "0.10", "-0.70", "-0.30", None, "9.00",
        1, 0, 0, [], None]),
    "journal.csv": (JOURNAL, [
        "journal", "utf-8", None, None, 2, "0.40", "-0.20", "-0.10", None, "39.70",
        0, 0, 0, [], None]),
    "own.csv": (OWN, [
        "mapped", "utf-8", 1001, None, 1, "0.10", "-0.70", "0.00", None, "9.30",
        0, 0, 0, [3], None]),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_the_object_of_each_format(cli: Any, tmp_path: Path, name: str) -> None:
    content, values = FILES[name]
    path = tmp_path / name
    path.write_text(content)
    ran = cli("import", "--check", "--json", path)
    assert ran.status == 0, "refused rows alone are no failure"
    answer = json.loads(ran.out)
    assert list(answer) == ["files"]
    (found,) = answer["files"]
    assert list(found) == KEYS
    for row in found["refused"]:
        assert list(row) == ["line", "reason"]
        assert row["reason"]
    found["refused"] = [row["line"] for row in found["refused"]]
    assert found == dict(zip(KEYS, [str(path), *values], strict=True))


def test_no_amount_is_a_number_and_no_count_is_a_string(cli: Any, tmp_path: Path) -> None:
    for name, (content, _) in FILES.items():
        (tmp_path / name).write_text(content)
    ran = cli("import", "--check", "--json", *(tmp_path / name for name in FILES))
    for found in json.loads(ran.out, parse_float=pytest.fail)["files"]:
        for name in ("lots", "commission", "swap", "closed_pl_summed"):
            assert isinstance(found[name], str)
        for name in ("closed_trades", "balance_rows", "cancelled", "compaction_rows"):
            assert type(found[name]) is int


def test_a_refused_file_has_its_sentence_and_nulls_and_fails_the_command(
    cli: Any, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(MANAGER)
    bad.write_text("")
    ran = cli("import", "--check", "--json", bad, good, tmp_path / "missing.csv", tmp_path)
    assert ran.status == 1
    empty, fine, missing, folder = json.loads(ran.out)["files"]
    assert fine["error"] is None
    assert fine["closed_trades"] == 2
    for found, word in ((empty, "empty"), (missing, "does not exist"), (folder, "folder")):
        assert list(found) == KEYS
        assert word in found["error"]
        assert [name for name in KEYS if found[name] is not None] == ["file", "error"]


def test_in_words(cli: Any, tmp_path: Path) -> None:
    path = tmp_path / "[red]manager.csv"
    path.write_text(MANAGER)
    ran = cli("import", "--check", path, tmp_path / "missing.csv")
    assert ran.status == 1
    assert "[red]manager.csv: mt4_manager (utf-8), account 1001" in ran.out
    assert "2 closed trades, 0.30 lots, closed P/L 18.00" in ran.out
    assert "1 balance row, 0 cancelled orders, 0 compaction rows" in ran.out
    assert "refused, line 4: ticket 3: Volume '-1'" in ran.out
    assert "missing.csv: refused. " in ran.out


def test_checking_needs_no_database(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipshare.db.connection.target", lambda: pytest.fail("it asked for one"))
    (tmp_path / "own.csv").write_text(OWN)
    assert cli("import", "--check", tmp_path / "own.csv").status == 0
