"""Delimited lines to columns of text, with the rows that do not fit refused one by one.

Polars cuts the ordinary lines. Lines with unmatched quotes, another number of columns or an
absurd length are taken out first and judged alone, so that no bad line costs its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.facts import Refusal
from pipshare.sources.files.ahead import one_ahead
from pipshare.sources.files.csv_blocks import (
    ROW_LIMIT,
    LineBlock,
    Places,
    line_blocks,
    newlines,
    odd_lines,
    pair_lines,
)
from pipshare.sources.files.decode import Opened
from pipshare.sources.files.split import split_line

RAW = 200  # characters of a refused row that are kept
CELL_LIMIT = 100_000
_MARK = b"\x1e"  # ASCII's record separator


@dataclass(frozen=True)
class Shape:
    """How a file is cut: delimiter, number of columns, and which of them are wanted by name."""

    delimiter: str
    width: int
    columns: Mapping[str, int]
    skip: int = 0  # lines before the first row
    quote: str = '"'


@dataclass
class Rows:
    """Rows of a block: String columns by name plus `line`, and what was refused already."""

    frame: pl.DataFrame
    refused: list[Refusal]
    block: LineBlock
    lossy: bool = False  # some bytes did not fit the charset and became U+FFFD
    last_line: int = 0

    @cached_property
    def _ends(self) -> Places:
        return newlines(self.block.data)

    def raw(self, line: int) -> str:
        """Return the start of a line as it stands in the file."""
        at = line - self.block.first_line
        start = int(self._ends[at - 1]) + 1 if at else 0
        end = min(int(self._ends[at]), start + 4 * RAW)
        return self.block.data[start:end].decode("utf-8", "replace").rstrip("\r")[:RAW]

    def refuse(self, line: int, code: str, reason: str) -> None:
        """Note a row as refused."""
        self.refused.append(Refusal(line, code, reason, self.raw(line)))


@dataclass
class _Taken:
    """Lines taken out of a block: those without a place in it, and those read by hand."""

    drop: set[int] = field(default_factory=set)
    rows: list[list[str]] = field(default_factory=list)
    at: list[int] = field(default_factory=list)  # line index of each of `rows`
    faults: list[tuple[int, str, str]] = field(default_factory=list)  # line index, code, reason


def csv_rows(opened: Opened, shape: Shape, wanted: Sequence[str]) -> Iterator[Rows]:
    """Yield the rows of a file after shape.skip lines, a block at a time, in order."""
    blocks = line_blocks(opened, shape.skip)
    yield from one_ahead(read_block(block, shape, wanted) for block in blocks)


def identities(opened: Opened, shape: Shape, name: str) -> Iterator[pl.Series]:
    """Yield one column of whole numbers (Int64) without looking at anything else of the rows.

    It may hold numbers of rows that are refused later, and none of a row that cannot be cut.
    """
    for block in line_blocks(opened, shape.skip):
        if shape.quote.encode() in block.data or not block.data.isascii():
            frame = read_block(block, shape, [name]).frame
        else:
            frame = _scan(block.data, shape, None).select(_picked(shape, [name])).collect()
        numbers = frame[name].cast(pl.Int64, strict=False)
        if numbers.null_count():
            numbers = frame[name].str.strip_chars().cast(pl.Int64, strict=False).drop_nulls()
        yield numbers


def read_block(block: LineBlock, shape: Shape, wanted: Sequence[str]) -> Rows:
    """Cut one block into the `wanted` columns (names of shape.columns)."""
    block, lossy = _valid(block)
    quoted = shape.quote.encode() in block.data
    ends = newlines(block.data) if quoted or _has_long_line(block.data) else None
    taken = _take_out(block.data, ends, shape) if ends is not None else _Taken()
    if quoted and ends is not None:
        misfits = _misfits(block.data, ends, taken.drop, shape)
        _judge(block.data, misfits, shape, taken)
        taken.drop.update(misfits.tolist())
    data, places = _without(block.data, block.lines, taken.drop, ends)
    if quoted:
        frame = _cut_quoted(data, shape, wanted)
    else:
        frame, fits = _cut_plain(data, shape, wanted)
        if not fits.all():
            _judge(block.data, places[~fits], shape, taken)
            frame, places = frame.filter(fits), places[fits]
    frame = frame.with_columns(line=pl.Series(places + block.first_line).cast(pl.Int32))
    rows = Rows(frame, [], block, lossy, block.first_line + block.lines - 1)
    if taken.rows:
        extra = _by_hand(taken, shape, wanted, block.first_line)
        rows.frame = pl.concat([frame, extra]).sort("line", maintain_order=True)
    for at, code, reason in sorted(taken.faults):
        rows.refuse(at + block.first_line, code, reason)
    return rows


def _valid(block: LineBlock) -> tuple[LineBlock, bool]:
    if block.data.isascii():
        return block, False
    try:
        block.data.decode()
        return block, b"\xef\xbf\xbd" in block.data
    except UnicodeDecodeError:
        return replace(block, data=block.data.decode("utf-8", "replace").encode()), True


def _has_long_line(data: bytes) -> bool:
    """Tell whether a line may be longer than CELL_LIMIT: no line end in some aligned window."""
    window = CELL_LIMIT // 2
    return any(data.find(b"\n", at, at + window) < 0 for at in range(0, len(data) - window, window))


def _take_out(data: bytes, ends: Places, shape: Shape) -> _Taken:
    """Take out overlong lines and lines whose quotes do not match; read what can be read."""
    taken = _Taken()
    starts = np.concatenate(([0], ends[:-1] + 1))
    for at in np.flatnonzero(ends - starts > CELL_LIMIT).tolist():
        taken.drop.add(at)
        size = f"{ends[at] - starts[at]:,}" if ends[at] - starts[at] <= ROW_LIMIT else "over 1 MB"
        taken.faults.append((at, "cell_too_large", f"a row of {size} characters is no trade"))
    odd = odd_lines(data, ends, shape.quote)
    odd = odd[~np.isin(odd, list(taken.drop))] if taken.drop else odd
    for first, last in pair_lines(odd, starts, ends):
        if last is not None:
            text = data[starts[first] : ends[last]].decode()
            cells = split_line(text, shape.delimiter, shape.quote)
            if len(cells) == shape.width:
                taken.rows.append(cells)
                taken.at.append(first)
                taken.drop.update(range(first, last + 1))
                continue
        for at in (first,) if last is None else (first, last):
            _literal(data[starts[at] : ends[at]].decode(), at, shape, taken)
    return taken


def _literal(text: str, at: int, shape: Shape, taken: _Taken) -> None:
    """Read a line with a stray quotation mark as plain text, or refuse it."""
    cells = text.rstrip("\r").split(shape.delimiter)
    taken.drop.add(at)
    if len(cells) == shape.width:
        taken.rows.append(cells)
        taken.at.append(at)
    else:
        reason = "a quotation mark is opened in this row and never closed"
        taken.faults.append((at, "bad_quotes", reason))


def _without(data: bytes, lines: int, drop: set[int], ends: Places | None) -> tuple[bytes, Places]:
    """Return the data without some lines, and the indices of the lines that stay."""
    if not drop or ends is None:
        return data, np.arange(lines)
    keep = np.ones(len(ends), np.bool_)
    keep[list(drop)] = False
    starts = np.concatenate(([0], ends[:-1] + 1))
    edges = np.flatnonzero(np.diff(np.concatenate(([False], keep, [False]))))
    spans = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    kept = b"".join(data[starts[first] : ends[last - 1] + 1] for first, last in spans)
    return kept, np.flatnonzero(keep).astype(np.int64)


def _misfits(data: bytes, ends: Places, drop: set[int], shape: Shape) -> Places:
    """Return the lines with another number of columns, counted outside quotes."""
    octets = np.frombuffer(data, np.uint8)
    # Lines with an odd number of quotes are dropped: each other line starts outside quotes, so
    # parity is taken from the line's own start.
    parity = np.cumsum(octets == ord(shape.quote), dtype=np.uint8) % 2
    places = np.flatnonzero(octets == ord(shape.delimiter))
    lines = np.searchsorted(ends, places)
    at_start = np.concatenate((np.zeros(1, np.uint8), parity[ends[:-1]]))
    outside = parity[places] == at_start[lines]
    counts = np.bincount(lines[outside], minlength=len(ends))
    wrong = counts != shape.width - 1
    wrong[list(drop)] = False
    return np.flatnonzero(wrong).astype(np.int64)


def _judge(data: bytes, lines: Places, shape: Shape, taken: _Taken) -> None:
    """Refuse lines that do not fit, but for blank ones and those with empty cells too many."""
    if not len(lines):
        return
    ends = newlines(data)
    for at in lines.tolist():
        start = int(ends[at - 1]) + 1 if at else 0
        text = data[start : int(ends[at])].decode().rstrip("\r")
        if not text.strip(" \t\0" + shape.delimiter):
            continue
        cells = split_line(text, shape.delimiter, shape.quote)
        if len(cells) == shape.width or (
            len(cells) > shape.width and not any(cells[shape.width :])
        ):
            taken.rows.append(cells[: shape.width])
            taken.at.append(at)
            continue
        reason = (
            f"{len(cells)} columns where the header has {shape.width}; an amount must not have "
            "thousands separators, and a text with the delimiter in it needs quotes"
        )
        taken.faults.append((at, "column_count", reason))


def _scan(data: bytes, shape: Shape, quote: str | None) -> pl.LazyFrame:
    return pl.scan_csv(
        data, has_header=False, separator=shape.delimiter, quote_char=quote,
        schema={str(at): pl.String for at in range(shape.width)}, empty_string_is_null=False,
        extra_columns="ignore", missing_columns="insert", raise_if_empty=False, glob=False,
    )  # fmt: skip


def _picked(shape: Shape, wanted: Sequence[str]) -> list[pl.Expr]:
    return [pl.col(str(shape.columns[name])).alias(name) for name in wanted]


def _cut_plain(
    data: bytes, shape: Shape, wanted: Sequence[str]
) -> tuple[pl.DataFrame, npt.NDArray[np.bool_]]:
    """Cut lines without quotes; the second value says which have the right number of columns.

    A mark before each line end tells: it stands at the end of the last column where a line has
    all columns and no more. That is far cheaper than counting delimiters.
    """
    if not data:
        return pl.DataFrame(schema=dict.fromkeys(wanted, pl.String)), np.zeros(0, np.bool_)
    end = pl.col(str(shape.width - 1))
    frame = (
        _scan(data.replace(b"\n", _MARK + b"\n"), shape, None)
        .with_columns(end.str.strip_suffix(_MARK.decode()).str.strip_suffix("\r"),
                      fits=end.str.ends_with(_MARK.decode()))
        .select(*_picked(shape, wanted), "fits")
        .collect()
    )  # fmt: skip
    return frame.drop("fits"), frame["fits"].to_numpy()


def _cut_quoted(data: bytes, shape: Shape, wanted: Sequence[str]) -> pl.DataFrame:
    if not data:
        return pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))
    try:
        return _scan(data, shape, shape.quote).select(_picked(shape, wanted)).collect()
    except pl.exceptions.ComputeError:
        # A cell such as "a"b, which Polars takes for an error of the whole block.
        lines = data.decode().removesuffix("\n").split("\n")
        cells = [split_line(line, shape.delimiter, shape.quote) for line in lines]
        return _columns(cells, shape, wanted)


def _by_hand(taken: _Taken, shape: Shape, wanted: Sequence[str], first: int) -> pl.DataFrame:
    line = pl.Series("line", [at + first for at in taken.at], dtype=pl.Int32)
    return _columns(taken.rows, shape, wanted).with_columns(line)


def _columns(rows: list[list[str]], shape: Shape, wanted: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {name: [row[shape.columns[name]] if shape.columns[name] < len(row) else "" for row in rows]
         for name in wanted}, schema=dict.fromkeys(wanted, pl.String),
    )  # fmt: skip
