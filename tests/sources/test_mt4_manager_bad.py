"""MT4 Manager exports: bad rows are refused with line and reason, the good ones are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipshare.facts import Refusal
from pipshare.sources import files
from pipshare.sources.files import csv_blocks, decode
from pipshare.sources.files.check import summary
from pipshare.sources.reading import Chunk

NAMES = (
    "Deal,Login,Open Time,Type,Symbol,Volume,Open Price,S/L,T/P,Close Time,Close Price,Reason,"
    "Gateway Order,Gateway Volume,Open Price Delta,Close Price Delta,Agent,Commission,Taxes,Swap,"
    "Profit,Points,Comment,,"
)
CELLS = (
    "5001", "7001", "2026.03.02 10:00:00", "buy", "EURUSD", "0.50", "1.1", "0", "0",
    "2026.03.02 11:30:00", "1.2", "Client", "", "", "", "", "0", "-3.50", "0", "-0.25", "50.00",
    "100", "", "", "USD",
)  # fmt: skip
PLACE = {name: at for at, name in enumerate(NAMES.split(","))} | {"Currency": 24}


def row(ticket: int, **cells: str) -> str:
    values = list(CELLS)
    values[0] = str(ticket)
    for name, cell in cells.items():
        values[PLACE[name.replace("_", " ")]] = cell
    return ",".join(values)


def chunk_of(folder: Path, *rows: str) -> Chunk:
    path = folder / "deals.csv"
    path.write_bytes("\n".join((NAMES, *rows, "")).encode("utf-8", "surrogateescape"))
    (only,) = files.read(path).chunks()
    return only


def refused(folder: Path, *rows: str) -> list[Refusal]:
    """Read `rows` between two good ones, which have to be taken."""
    only = chunk_of(folder, row(1), *rows, row(2))
    assert only.trades["ticket"].to_list() == [1, 2]
    assert only.trades["line"].to_list() == [2, 3 + len(rows)]
    assert [one.line for one in only.refused] == [3 + at for at in range(len(rows))]
    return only.refused


@pytest.mark.parametrize(
    ("cells", "code", "words"),
    [
        ({"Volume": "0"}, "volume_not_positive", "Volume '0'"),
        ({"Volume": "-0.5"}, "volume_not_positive", "Volume '-0.5'"),
        ({"Volume": ""}, "empty_field", "Volume is empty"),
        ({"Volume": "a lot"}, "not_a_number", "'a lot'"),
        ({"Open_Price": "0"}, "price_not_positive", "Open Price '0'"),
        ({"Close_Price": "0.00"}, "price_not_positive", "Close Price '0.00'"),
        ({"Close_Price": "1.2.3"}, "not_a_number", "Close Price"),
        ({"Close_Time": "2026.03.02 09:59:59"}, "close_before_open", "before it was opened"),
        ({"Open_Time": "yesterday"}, "bad_time", "Open Time 'yesterday'"),
        ({"Close_Time": "2026.02.30 10:00:00"}, "bad_time", "Close Time"),
        ({"Close_Time": "2126.02.03 10:00:00"}, "bad_time", "Close Time"),
        ({"Login": "0"}, "bad_number", "Login '0'"),
        ({"Login": "Jane"}, "bad_number", "Login 'Jane'"),
        ({"Deal": "12x"}, "bad_number", "Deal '12x'"),
        ({"Deal": "99999999999999999999"}, "bad_number", "Deal"),
        ({"Symbol": ""}, "empty_field", "Symbol is empty"),
        ({"Symbol": "X" * 65}, "bad_symbol", "too long"),
        ({"Profit": "12 USD"}, "not_a_number", "Profit"),
        ({"Profit": "1e30"}, "amount_too_large", "Profit"),
        ({"Commission": "NaN"}, "not_a_number", "Commission"),
        ({"Type": "purchase"}, "unknown_type", "Type 'purchase'"),
    ],
)
def test_a_bad_cell_refuses_its_row(
    tmp_path: Path, cells: dict[str, str], code: str, words: str
) -> None:
    line = row(5, **cells)
    (one,) = refused(tmp_path, line)
    assert (one.code, one.raw) == (code, line[:200])
    assert words in one.reason
    assert one.reason.startswith("ticket ")


def test_a_thousands_separator_makes_a_row_too_wide(tmp_path: Path) -> None:
    (one,) = refused(tmp_path, row(5, Profit="1,000.50"))
    assert one.code == "column_count"
    assert "26 columns where the header has 25" in one.reason


def test_a_quoted_thousands_separator_is_no_number(tmp_path: Path) -> None:
    (one,) = refused(tmp_path, row(5, Profit='"1,000.50"'))
    assert one.code == "not_a_number"
    assert "1,000.50" in one.reason


def test_ragged_rows_are_refused_and_blank_lines_are_not(tmp_path: Path) -> None:
    short = row(5).rsplit(",", 6)[0]
    only = chunk_of(tmp_path, row(1), short, "", "  ", row(2) + ",,", row(3))
    assert only.trades["ticket"].to_list() == [1, 2, 3]
    (one,) = only.refused
    assert (one.line, one.code) == (3, "column_count")
    assert "19 columns" in one.reason


def test_a_long_row_and_a_short_row_do_not_cancel_out(tmp_path: Path) -> None:
    rows = [row(5) + ",x", row(6).rsplit(",", 1)[0]]
    assert [one.code for one in refused(tmp_path, *rows)] == ["column_count", "column_count"]


def test_a_quote_that_is_never_closed_costs_only_its_row(tmp_path: Path) -> None:
    (one,) = refused(tmp_path, row(5, Comment='"oh, no'))
    assert one.code == "bad_quotes"


@pytest.mark.parametrize("quote", ["", '"'])
def test_ten_megabytes_in_a_cell_are_refused(
    tmp_path: Path, quote: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 2**24)
    line = row(5, Comment=f"{quote}{'x' * 10_000_000}{quote}")
    (one,) = refused(tmp_path, line)
    assert (one.code, len(one.raw)) == ("cell_too_large", 200)


def test_ten_megabytes_are_refused_across_blocks_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 2**20)
    path = tmp_path / "deals.csv"
    path.write_text("\n".join((NAMES, row(1), row(5, Symbol="y" * 10_000_000), row(2))))
    chunks = list(files.read(path).chunks())
    assert [t for c in chunks for t in c.trades["ticket"]] == [1, 2]
    assert [(r.line, r.code) for c in chunks for r in c.refused] == [(3, "cell_too_large")]
    assert [line for c in chunks for line in c.trades["line"]] == [2, 4]


def test_bytes_of_another_charset_matter_only_in_a_symbol(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    lines = [NAMES, *(row(n, Comment="日本円") for n in range(1, 40))]
    data = "\n".join(lines).encode() + b"\n"
    bad = row(50, Symbol="EUR?USD").encode().replace(b"?", b"\xff")
    fine = row(51, Comment="?").encode().replace(b"?", b"\xff")
    path.write_bytes(data + bad + b"\n" + fine + b"\n")
    (only,) = files.read(path, encoding=None).chunks()
    if not only.refused:  # taken for another charset as a whole: nothing is lost then
        assert files.read(path).meta.encoding != "utf-8"
        return
    assert [(one.line, one.code) for one in only.refused] == [(41, "wrong_encoding")]
    assert only.trades["ticket"].to_list() == [*range(1, 40), 51]


def test_a_wrong_encoding_that_is_told_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("\n".join((NAMES, row(1, Comment="日本円"))), encoding="utf-8")
    found = summary(path, encoding="klingon")
    assert found["closed_trades"] is None
    assert "klingon" in found["error"]


def test_a_header_that_lacks_a_column_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("\n".join((NAMES.replace("Volume,Open", "Size,Open", 1), row(1))))
    assert summary(path)["closed_trades"] == 1  # every other name in its place: read by position
    swapped = NAMES.replace("Volume,Open Price", "Open Price,Size", 1)
    path.write_text("\n".join((swapped, row(1))))
    assert "lacks: volume" in summary(path)["error"]


ODD = st.sampled_from(
    ["", " ", "0", "-1", "1e3", "1e-9", "1,5", '"', '""', "nan", "१", "0x10", "2026.03.02 10:00",
     "1970.01.01 00:00:00", "buy limit", "balance", "\x00", "﻿", "9" * 30, "to #5", "to #6\n", "\r"]
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 24), ODD), max_size=3), max_size=8), st.data())
def test_whatever_stands_in_a_row_the_good_rows_stay(
    tmp_path_factory: pytest.TempPathFactory, odd: list[list[tuple[int, str]]], data: st.DataObject
) -> None:
    """No cell of a bad row can take its neighbours with it or stop the file."""
    rows = []
    for number, changes in enumerate(odd):
        cells = list(CELLS)
        cells[0] = str(100 + number)
        for place, cell in changes:
            cells[place] = cell
        rows.append(",".join(cells))
    path = tmp_path_factory.mktemp("odd") / "deals.csv"
    lines = [NAMES, row(1), *rows]
    # Only rows without a stray quote can stand before others without swallowing a line end.
    path.write_bytes("\n".join([*lines, row(2), ""]).encode())
    tickets: list[int] = []
    for chunk in files.read(path).chunks():
        tickets += chunk.trades["ticket"].to_list()
        assert all(one.reason and one.code and len(one.raw) <= 200 for one in chunk.refused)
    quotes = "".join(rows).count('"') % 2
    assert 1 in tickets
    assert quotes or 2 in tickets


@settings(max_examples=20, deadline=None)
@given(st.integers(200, 4000), st.sets(st.integers(0, 39), max_size=6), st.booleans())
def test_block_size_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, size: int, bad: set[int], quoted: bool
) -> None:
    path = tmp_path_factory.mktemp("blocks") / "deals.csv"
    comment = '"a\nb, c"' if quoted else ""
    rows = [row(n + 1, Comment=comment, Volume="0" if n in bad else "1.5") for n in range(40)]
    path.write_text("\n".join((NAMES, *rows)))
    reading = files.read(path)
    (whole,) = reading.chunks()
    before = csv_blocks.BLOCK_BYTES
    csv_blocks.BLOCK_BYTES = size
    try:
        pieces = list(reading.chunks())
    finally:
        csv_blocks.BLOCK_BYTES = before
    assert [t for c in pieces for t in c.trades.rows()] == whole.trades.rows()
    assert [r for c in pieces for r in c.refused] == whole.refused
    assert len(whole.refused) == len(bad)
    assert pieces[-1].last_line == whole.last_line


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "gb18030", "cp1251"])
def test_blocks_may_cut_characters_of_any_charset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    comment = "сделка по рынку" if encoding == "cp1251" else "日内趋势随机入场"
    path = tmp_path / "deals.csv"
    rows = [row(n, Comment=comment, Symbol="XAUUSD.p") for n in range(1, 60)]
    path.write_bytes("\r\n".join((NAMES, *rows)).encode(encoding))
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 501)
    chunks = list(files.read(path, encoding=encoding).chunks())
    assert len(chunks) > 3
    assert [t for c in chunks for t in c.trades["ticket"]] == list(range(1, 60))
    assert {s for c in chunks for s in c.trades["symbol"]} == {"XAUUSD.p"}


def test_a_charset_shows_itself_late_in_a_long_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but ASCII at the start, then balance rows with Cyrillic comments."""
    monkeypatch.setattr(decode, "WHOLE_BYTES", 2000)
    monkeypatch.setattr(decode, "HEAD_BYTES", 1000)
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 1500)
    cash = row(90, Type="balance", Symbol="Возврат средств", Comment="Возврат средств")
    path = tmp_path / "deals.csv"
    path.write_text("\n".join((NAMES, *(row(n) for n in range(1, 60)), cash)), encoding="cp1251")
    chunks = list(files.read(path).chunks())
    assert [c for chunk in chunks for c in chunk.cash["comment"]] == ["Возврат средств"]
    assert sum(len(chunk.trades) for chunk in chunks) == 59


def test_repeats_and_contradictions_are_found_across_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deals.csv"
    rows = [row(n) for n in range(1, 31)]
    rows += [row(4), row(7, Profit="51"), row(9, Comment="only the comment differs")]
    path.write_text("\n".join((NAMES, *rows)))
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 700)
    reading = files.read(path)
    for _ in range(2):
        chunks = list(reading.chunks())
        assert [t for c in chunks for t in c.trades["ticket"]] == [
            n for n in range(1, 31) if n != 7
        ]
        assert sum(c.repeated for c in chunks) == 2
        assert [(r.line, r.code) for c in chunks for r in c.refused] == [
            (8, "conflicting_rows"), (33, "conflicting_rows"),
        ]  # fmt: skip
