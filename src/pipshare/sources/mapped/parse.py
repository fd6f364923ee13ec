"""A mapped file, CSV or XML, into facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import polars as pl

from pipshare.errors import BadInput
from pipshare.facts import Refusal
from pipshare.sources.files.csv_rows import RAW, Rows, csv_rows, identities
from pipshare.sources.files.decode import Opened, open_file
from pipshare.sources.mapped.elements import element_rows
from pipshare.sources.mapped.mapping import Mapping, fault, read_mapping
from pipshare.sources.mapped.rows import own_mapping, own_names, shape_of
from pipshare.sources.mapped.typed import facts
from pipshare.sources.reading import OPERATOR, Chunk, Meta, Reading

__all__ = ["own_names", "read"]


def read(opened: Opened) -> Reading:
    """Open a file by its mapping, or by its own header when that uses our names."""
    if opened.mapping is None:
        form = own_names(opened.text)
        if form is None:
            raise BadInput("no_mapping", f"{opened.path.name}: name a mapping file with --mapping")
        mapping = own_mapping(opened, form)
    else:
        mapping = read_mapping(opened.mapping)
        if mapping.encoding and not opened.told:
            opened = _reopened(opened, mapping)
    meta = Meta("mapped", opened.charset.name, mapping.platform, OPERATOR)
    if mapping.row is not None or opened.text.lstrip("\ufeff \t\r\n").startswith("<"):
        return Reading(meta, lambda: _xml(opened, mapping))
    shape = shape_of(opened, mapping)

    def chunks() -> Iterator[Chunk]:
        for rows in csv_rows(opened, shape, list(mapping.columns)):
            filled = pl.any_horizontal(pl.exclude("line") != "")
            frame, refused = facts(rows.frame.filter(filled), mapping, partial(_from_csv, rows))
            refused += rows.refused
            yield _chunk(frame, refused, mapping, rows.block.first_line, rows.last_line)

    key = "ticket" if mapping.format == "trades" else "deal"
    if key not in shape.columns:
        return Reading(meta, chunks)
    return Reading(meta, chunks, lambda: identities(opened, shape, key))


def _reopened(opened: Opened, mapping: Mapping) -> Opened:
    try:
        again = open_file(opened.path, mapping=opened.mapping, told=mapping.encoding)
    except BadInput as error:
        raise fault(mapping.name, "encoding", error.message) from None
    return replace(again, told=None)


def _from_csv(rows: Rows, line: int, code: str, reason: str) -> Refusal:
    return Refusal(line, code, reason, rows.raw(line))


def _xml(opened: Opened, mapping: Mapping) -> Iterator[Chunk]:
    for cells in element_rows(opened, mapping):
        frame, refused = facts(cells, mapping, partial(_from_xml, cells))
        lines = cells["line"].to_list() or [0]
        yield _chunk(frame, refused, mapping, min(lines), max(lines))


def _from_xml(cells: pl.DataFrame, line: int, code: str, reason: str) -> Refusal:
    row = cells.filter(pl.col("line") == line).drop("line").row(0, named=True)
    raw = ", ".join(f"{name} {cell}" for name, cell in row.items())
    return Refusal(line, code, reason, raw[:RAW])


def _chunk(
    frame: pl.DataFrame, refused: list[Refusal], mapping: Mapping, first: int, last: int
) -> Chunk:
    chunk = Chunk(first_line=first, last_line=last)
    if mapping.format == "trades":
        chunk.trades = frame
    else:
        chunk.deals = frame
    chunk.refused = sorted(refused, key=lambda refusal: refusal.line)
    return chunk
