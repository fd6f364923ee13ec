"""MT5 export rows into deals, block by block, from CSV or from SQL text."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from pipshare.errors import BadInput
from pipshare.facts import Refusal
from pipshare.sources.files.csv_blocks import BLOCK_BYTES, LineBlock, to_the_end, utf8_pieces
from pipshare.sources.files.csv_rows import RAW, Shape, csv_rows, identities, read_block
from pipshare.sources.files.decode import Opened
from pipshare.sources.files.split import split_line
from pipshare.sources.mt5_sql.columns import deals, known_columns, missing_columns
from pipshare.sources.mt5_sql.statements import Statements, Tuples
from pipshare.sources.mt5_sql.values import one_line
from pipshare.sources.reading import OPERATOR, Chunk, Meta, Reading

_SQL = re.compile(r"^\s*(?:INSERT|REPLACE)\s+(?:\w+\s+)*?(?:INTO\s+)?[`\"\[\w]|^\s*CREATE TABLE",
                  re.I | re.M)  # fmt: skip
# Names of an export that are no field names of ours.
MARKS = {"positionid", "timemsc", "timestamp", "volumeext", "expertid", "contractsize", "storage"}
CANCELED = (13, 14)  # BUY_CANCELED, SELL_CANCELED


def is_sql(text: str) -> bool:
    """Tell whether the start of a file is SQL text with rows."""
    return bool(_SQL.search(text))


def is_csv(text: str) -> bool:
    """Tell whether the first line is the header of a deals export, if perhaps an incomplete one."""
    names = {cell.strip().lower() for cell in _header(text)[1]}
    return "deal" in names and bool(names & MARKS)


def csv_shape(text: str) -> Shape | None:
    """Return how to cut a CSV export of deals; None when the first line is no such header."""
    delimiter, header = _header(text)
    places = known_columns(header)
    return None if missing_columns(places) else Shape(delimiter, len(header), places, 1)


def _header(text: str) -> tuple[str, list[str]]:
    line = text.lstrip("\ufeff").split("\n", 1)[0].rstrip("\r")
    headers = {delimiter: split_line(line, delimiter) for delimiter in ",;\t"}
    delimiter = max(headers, key=lambda one: len(known_columns(headers[one])))
    return delimiter, headers[delimiter]


def read(opened: Opened) -> Reading:
    """Open an export. Raises BadInput when it has neither a header of deals nor SQL rows."""
    meta = Meta("mt5_sql", opened.charset.name, "mt5", OPERATOR)
    shape = csv_shape(opened.text)
    if shape is None:
        if not is_sql(opened.text):
            lacks = ", ".join(missing_columns(known_columns(_header(opened.text)[1])))
            raise BadInput(
                "no_deals",
                f"{opened.path.name} is no whole export of MT5 deals: its header lacks {lacks}",
            )
        return Reading(meta, lambda: _sql_chunks(opened))

    def chunks() -> Iterator[Chunk]:
        for rows in csv_rows(opened, shape, list(shape.columns)):
            chunk = Chunk(first_line=rows.block.first_line, last_line=rows.last_line)
            chunk.deals = deals(_not_blank(rows.frame), rows.refuse)
            chunk.cancelled = _cancelled(chunk.deals)
            chunk.refused = sorted(rows.refused, key=lambda refusal: refusal.line)
            yield chunk

    return Reading(meta, chunks, lambda: identities(opened, shape, "deal"))


def _not_blank(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter((pl.col("deal") != "") | (pl.col("login") != ""))


def _cancelled(frame: pl.DataFrame) -> int:
    return int(frame.select(pl.col("action").is_in(CANCELED).sum()).item())


def _sql_chunks(opened: Opened) -> Iterator[Chunk]:
    reader, any_deals = Statements(), False
    seen: dict[str, list[str]] = {}
    for piece, last in to_the_end(utf8_pieces(opened, BLOCK_BYTES)):
        for rows in reader.feed(piece, last=last):
            seen.setdefault(rows.table, rows.columns)
            places = known_columns(rows.columns)
            if not missing_columns(places):
                any_deals = True
                yield _tuples_chunk(rows, places)
    if not any_deals:
        told = "; ".join(
            f"table {table} lacks {', '.join(missing_columns(known_columns(columns)))}"
            if columns else f"table {table} has no column names"
            for table, columns in list(seen.items())[:5]
        )  # fmt: skip
        raise BadInput(
            "no_deals",
            f"{opened.path.name} has no rows of deals ({told or 'no INSERT statement'}): export "
            "mt5_deals with its column names",
        )


def _tuples_chunk(tuples: Tuples, places: dict[str, int]) -> Chunk:
    """Turn rows of an INSERT into deals, by the same cutter and the same checks as CSV."""
    lines, bodies = tuples.lines, [one_line(row) for row in tuples.rows]
    refused = [
        Refusal(line, "unreadable_row", "the row is no list of plain values",
                row[:RAW].decode("utf-8", "replace"))
        for line, row, body in zip(lines, tuples.rows, bodies, strict=True) if body is None
    ]  # fmt: skip
    refused += [
        Refusal(line, "broken_row", "here a row in brackets was expected; the file may be cut off "
                "or a string is never closed", start[:RAW].decode("utf-8", "replace"))
        for line, start in tuples.broken
    ]  # fmt: skip
    kept = [line for line, body in zip(lines, bodies, strict=True) if body is not None]
    data = b"\n".join(body for body in bodies if body is not None) + b"\n"
    chunk = Chunk(first_line=min(lines, default=0), last_line=max(lines, default=0))
    if kept:
        shape = Shape(",", len(tuples.columns), places, quote="'")
        rows = read_block(LineBlock(data, 0), shape, list(places))
        chunk.deals = deals(rows.frame, rows.refuse)
        true_line = pl.Series(kept, dtype=pl.Int32)
        chunk.deals = chunk.deals.with_columns(line=true_line.gather(chunk.deals["line"]))
        refused += [Refusal(kept[one.line], one.code, one.reason, one.raw) for one in rows.refused]
    chunk.cancelled = _cancelled(chunk.deals)
    chunk.refused = sorted(refused, key=lambda refusal: refusal.line)
    return chunk
