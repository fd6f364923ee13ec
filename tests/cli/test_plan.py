"""`pipshare plan check|apply|diff|export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cli_files import PLAN


def _plan(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_check_reads_every_file_and_names_file_and_line(cli: Any, tmp_path: Path) -> None:
    good = _plan(tmp_path, "good.toml", PLAN)
    floating = _plan(tmp_path, "float.toml", PLAN.replace('"5.00"', "5.00"))
    again = '[[component.rate]]\nlevel = 1\nsymbol_group = "forex"\namount = "9"\n'
    overlap = _plan(tmp_path, "overlap.toml", PLAN + again)
    marked = _plan(tmp_path, "marked.toml", b"\xef\xbb\xbf" + PLAN.encode())
    binary = _plan(tmp_path, "binary.toml", b"\x93\xff\x00\x81" * 20)
    empty = _plan(tmp_path, "empty.toml", "")
    ran = cli("plan", "check", good, floating, overlap, marked, binary, empty)
    assert ran.status == 1
    for path in (good, marked):
        assert f"{path}: programme std: 1 component, 2 rates; no errors" in ran.out
    for words in (
        f"{floating}:13: amount = 5.00 is a TOML float", "overlap.toml:18: the programme overlaps",
        "the one on line 10", "binary.toml is no programme file: it is no UTF-8 text",
        "empty.toml:1: a plan file begins with one table [programme]",
    ):  # fmt: skip
        assert words in ran.err
    assert cli("plan", "check", good).status == 0
    assert cli("plan", "check", tmp_path / "missing.toml").status == 2


def test_apply_says_what_changed_and_diff_what_would(cli: Any, broker: Path) -> None:
    plan = broker / "std.toml"
    same = cli("plan", "apply", plan)
    assert (same.status, same.out) == (0, f"{plan}: programme std version 1 unchanged\n")
    assert cli("plan", "diff", plan).out == "No difference.\n"
    dearer = _plan(broker, "dearer.toml", PLAN.replace('"5.00"', '"6.00"'))
    told = cli("plan", "diff", dearer)
    assert told.status == 0
    assert "5.00 USD per lot -> 6.00 USD per lot" in told.out
    applied = cli("plan", "apply", dearer)
    assert applied.status == 0
    assert "programme std version 2 applied" in applied.out
    assert "5.00 USD per lot -> 6.00 USD per lot" in applied.out


def test_apply_prints_the_notes(cli: Any, broker: Path) -> None:
    text = PLAN.replace('"std"', '"vip"').replace('symbol_group = "forex"', 'symbol = "BTC"')
    ran = cli("plan", "apply", _plan(broker, "vip.toml", text))
    assert ran.status == 0
    assert "note: " in ran.out
    assert 'symbol "BTC" is nowhere else' in ran.out
    assert "deals made by a dealer pay" in ran.out


def test_a_symbol_group_that_no_symbol_has_is_refused(cli: Any, broker: Path) -> None:
    ran = cli("plan", "apply", _plan(broker, "vip.toml", PLAN.replace("forex", "forx")))
    assert ran.status == 1
    assert 'vip.toml:10: symbol group "forx" is unknown' in ran.err
    assert 'did you mean "forex"?' in ran.err


def test_a_wrong_file_is_not_applied(cli: Any, broker: Path) -> None:
    for content in (b"\x93\xff\x00", b"[programme"):
        wrong = _plan(broker, "wrong.toml", content)
        for verb in ("apply", "diff"):
            ran = cli("plan", verb, wrong)
            assert ran.status == 1
            assert "wrong.toml" in ran.err
    assert "versions 1 to 1, not 2" in cli("plan", "export", "std", "--version", "2").err


def test_export_gives_the_file_back(cli: Any, broker: Path) -> None:
    assert cli("plan", "export", "std").out == PLAN
    unknown = cli("plan", "export", "gold")
    assert unknown.status == 1
    assert "there is no programme gold; known: std" in unknown.err


def test_without_any_programme_the_way_to_one_is_named(cli: Any, db: Any) -> None:
    ran = cli("plan", "export", "gold")
    assert ran.err == "pipshare: there is no programme gold; `pipshare plan apply` brings one\n"
