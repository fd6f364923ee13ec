"""`pipshare rate` by the chain of the opening: openings that nobody told, and who earns nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from example_files import ROOT, files_of

from pipshare.pipeline.from_files import Files, rate_files

CASE = "chain-of-the-opening"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    folder = shutil.copytree(ROOT / CASE, tmp_path / CASE)
    known = files_of(CASE)
    assert known.trades is not None
    return replace(known, plans=[folder / "plan.toml"], trades=folder / "trades.csv")


def edit(path: Path | None, old: str, new: str) -> None:
    assert path is not None
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_opened_before_anybody_introduced_him(files: Files) -> None:
    result = rate_files(files)
    assert result.unrated == [("4", "not_introduced_at_opening")]
    assert result.waiting == []


def test_an_opening_that_nobody_told_waits(files: Files) -> None:
    edit(files.trades, "2026-03-05 09:00:00", "")
    result = rate_files(files)
    assert {(one.trade, one.reason) for one in result.waiting} == {("1", "opening_unknown")}
    assert "1" not in {line.trade for line in result.lines}


def test_or_is_paid_as_it_stands(files: Files) -> None:
    edit(files.trades, "2026-03-05 09:00:00", "")
    edit(files.plans[0], 'moment = "open"', 'moment = "open"\nunknown_opening = "pay"')
    result = rate_files(files)
    assert result.waiting == []
    assert {line.payee for line in result.lines if line.trade == "1"} == {"B"}, "the close's"


def test_no_opening_in_the_whole_file(files: Files) -> None:
    assert files.trades is not None
    rows = [line.split(",") for line in files.trades.read_text().splitlines()]
    files.trades.write_text("\n".join(",".join([*row[:5], *row[6:]]) for row in rows))
    result = rate_files(files)
    assert {one.reason for one in result.waiting} == {"opening_unknown"}
    assert [line for line in result.lines if line.amount_e8] == []
