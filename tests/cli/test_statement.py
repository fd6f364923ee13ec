"""`pipshare statement` in words, CSV and JSON, and `pipshare verify`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from cli_files import MANAGER_HEADER, load_broker, manager_row

from pipshare import db
from pipshare.cli import import_report, stating
from pipshare.pipeline.book import Booked
from pipshare.pipeline.file_report import as_json, as_text
from pipshare.pipeline.files import FileReport, Order, import_file
from pipshare.statements import Statement
from pipshare.statements.build import _SCHEMA
from pipshare.statements.windows import WindowLine

LINE = ["server", "ticket", "login", "symbol", "lots", "closed", "earned_day", "programme",
        "component", "level", "kind", "amount", "currency", "reason"]  # fmt: skip


def _booked(conn: Any, folder: Path) -> Path:
    """Load the small broker and two trades of March; a third waits for its symbol."""
    path = folder / "export.csv"
    rows = manager_row(1) + manager_row(2, "0.20") + manager_row(3, symbol="=NEW+PAIR")
    path.write_text(MANAGER_HEADER + rows)
    import_file(load_broker(conn, folder), path, Order("Live-4", "anna"))
    return folder


@pytest.fixture(scope="module")
def books(module_db: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The books that most tests only read."""
    with module_db.app() as conn:
        return _booked(conn, tmp_path_factory.mktemp("books"))


@pytest.fixture
def own_books(templates: Any, tmp_path: Path) -> Iterator[Path]:
    """The same, for one test to change."""
    with templates.copy("cli_statement", _kept):
        yield tmp_path


def _kept(database: Any) -> None:
    with database.app() as conn, TemporaryDirectory() as folder:
        _booked(conn, Path(folder))


def period(cli: Any) -> str:
    """The period in which everything is booked: now, whenever it was earned."""
    found = json.loads(cli("explain", "1", "--json").out)
    assert found["posted"]
    with db.connect() as conn:
        row = conn.execute("SELECT max(period) FROM ledger_transfer").fetchone()
    assert row is not None
    return str(row[0])


def test_as_json(cli: Any, books: Path) -> None:
    ran = cli("statement", "P-2", "--period", period(cli), "--json")
    assert ran.status == 0
    found = json.loads(ran.out, parse_float=pytest.fail)
    assert list(found) == ["partner", "period", "balances", "lines", "windows", "waiting"]
    assert found["partner"] == "P-2"
    assert found["balances"] == [{
        "currency": "USD", "state": "accrued", "opening": "0.00", "accrued": "1.50",
        "corrections": "0.00", "adjustments": "0.00", "moved": "0.00", "closing": "1.50",
    }]  # fmt: skip
    assert found["waiting"] == {"unpriced": 1}
    assert [list(line) for line in found["lines"]] == [LINE, LINE]
    assert found["lines"][0] == {
        "server": "Live-4", "ticket": 1, "login": 1001, "symbol": "EURUSD", "lots": "0.10",
        "closed": "2026-03-02T11:00:00+00:00", "earned_day": "2026-03-02", "programme": "std",
        "component": "lots", "level": 1, "kind": "accrual", "amount": "0.50", "currency": "USD",
        "reason": "paid",
    }  # fmt: skip


def test_as_csv(cli: Any, own_books: Path) -> None:
    (own_books / "symbols.csv").write_text("symbol,symbol_group\n=NEW+PAIR,forex\n")
    assert cli("load", "symbols", own_books / "symbols.csv").status == 0
    for options in (("--csv",), ("--format", "csv")):
        ran = cli("statement", "P-1", "--period", period(cli), *options)
        assert ran.status == 0
        header, *rows = csv.reader(io.StringIO(ran.out))
        assert header == LINE
        amounts = [row[LINE.index("amount")] for row in rows]
        assert amounts == ["0.03333333", "0.06666667", "0.03333333"]
        assert rows[2][LINE.index("symbol")] == "'=NEW+PAIR", "no formula for a spreadsheet"


def test_in_words(cli: Any, books: Path) -> None:
    ran = cli("statement", "P-1", "--period", period(cli))
    assert ran.status == 0
    assert "Statement of P-1 Master [Ltd]" in ran.out, "a name is printed as it is"
    assert "accrued: opening 0.00 USD + accrued 0.10 USD ± corrections 0.00 USD = 0.10 USD" \
        in ran.out  # fmt: skip
    assert "std        lots           2       2  0.30  0.10 USD" in ran.out
    assert "now 1 line waits: no rate fits the symbol" in ran.out


def test_before_and_after_the_period(cli: Any, books: Path) -> None:
    before = cli("statement", "P-2", "--period", "2020-01")
    assert before.status == 0
    assert "= 0.00 USD" in before.out
    after = json.loads(cli("statement", "P-2", "--period", "2099-12", "--json").out)
    assert after["balances"][0]["opening"] == after["balances"][0]["closing"] == "1.50"
    assert after["lines"] == []


def test_a_partner_without_bookings(cli: Any, broker: Path) -> None:
    ran = cli("statement", "P-2", "--period", "2026-03")
    assert ran.status == 0
    assert "Nothing was booked for this partner" in ran.out
    empty = cli("statement", "P-2", "--period", "2026-03", "--csv")
    assert empty.out == ",".join(LINE) + "\n"


def test_what_is_not_there(cli: Any, broker: Path) -> None:
    unknown = cli("statement", "p-2", "--period", "2026-03")
    assert unknown.status == 1
    assert "no partner 'p-2' (did you mean P-2?)" in unknown.err
    for wrong in ("2026-13", "2026", "March", "2026-3"):
        ran = cli("statement", "P-2", "--period", wrong)
        assert ran.status == 1
        assert f"{wrong!r} is not a period" in ran.err
    assert cli("statement", "P-2").status == 2


def test_verify_is_content_and_names_a_break(cli: Any, own_books: Path) -> None:
    ran = cli("verify")
    assert (ran.status, ran.out.splitlines()[0]) == (0, "1 transfer, 3 legs checked.")
    assert "The books are whole" in ran.out
    with db.transaction("owner") as conn:
        conn.execute("ALTER TABLE ledger_leg DISABLE TRIGGER USER")
        conn.execute("UPDATE ledger_leg SET amount_e8 = amount_e8 + 1"
                     " WHERE ctid = (SELECT min(ctid) FROM ledger_leg)")  # fmt: skip
    broken = cli("verify")
    assert broken.status == 1
    assert "broken (balance): transfer" in broken.out


def test_a_closed_period_says_what_became_payable(cli: Any, own_books: Path) -> None:
    assert "at the closing" not in cli("statement", "P-2", "--period", "2026-03").out
    closing = cli("period", "close", "main", "2026-03", "--leave-waiting", "--by", "anna")
    assert closing.status == 0
    said = " ".join(cli("statement", "P-2", "--period", "2026-03").out.split())
    assert "became payable, 0.00 USD was carried forward" in said
    paying = cli("payout", "record", "P-2", "900", "--reference", "R-1", "--by", "anna")
    assert paying.status == 1
    assert "is payable to P-2, not 900.00: pay no more than that" in paying.err


def test_what_windows_came_to_has_no_trades_to_count(capsys: pytest.CaptureFixture[str]) -> None:
    window = WindowLine("std", "tiers", 0, 1, "", 1, 150_000_000, "USD", "accrued", "accrual",
                        "2026-03-02", 0, {}, 1)  # fmt: skip
    lines = pl.DataFrame(schema=_SCHEMA)
    stating._say(Statement("P-1", "2026-03", [], lines, {}, [window]), "Master", [])
    shown = capsys.readouterr().out
    [row] = [line for line in shown.splitlines() if "tiers" in line]
    assert row.split() == ["std", "tiers", "1", "by", "window", "1.50", "USD"]


def test_an_import_says_what_windows_brought(capsys: pytest.CaptureFixture[str]) -> None:
    report = FileReport("a.csv", "mt4_manager", True, result=Booked(4, 4), window_lines=3)
    import_report.say(report)
    said = capsys.readouterr().out
    assert "0 lines." in said
    assert "By window and client: 3 lines." in said
    assert "by window and client: 3 lines" in list(as_text(report))
    assert "window_lines" not in as_json(report)
