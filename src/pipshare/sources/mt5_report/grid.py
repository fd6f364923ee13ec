"""Rows of a report as both of its forms give them: where each cell starts, and its text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipshare.sources.files.markup import Rows, cell_texts


@dataclass(frozen=True)
class Row:
    """One row: its line (the row number in a sheet), cell starts (from 0) and stripped texts."""

    line: int
    starts: list[int]
    texts: list[str]


_Shape = tuple[tuple[str | None, str | None], ...]  # class and colspan of each cell of a row


def page_rows(rows: Rows) -> Iterator[Row]:
    """Give the rows of an HTML report.

    Cells that a browser does not show are left out: after Type there is one that spans eight
    columns and holds the position's comment, after Order one that holds the cost.
    """
    places: dict[_Shape, tuple[list[int], list[int]]] = {}  # there are few shapes and many rows
    for element, line in rows:
        shape = tuple([(cell.get("class"), cell.get("colspan")) for cell in element])
        if shape not in places:
            places[shape] = _places(shape)
        shown, starts = places[shape]
        texts = cell_texts(element)
        yield Row(line, starts, [texts[n].strip() for n in shown])


def _places(shape: _Shape) -> tuple[list[int], list[int]]:
    """Return which cells are shown, and the column in which each of them starts."""
    shown, starts, place = [], [], 0
    for number, (class_, span) in enumerate(shape):
        if "hidden" in (class_ or "").split():
            continue
        shown.append(number)
        starts.append(place)
        place += int(span) if span and span.isdecimal() and len(span) < 5 else 1
    return shown, starts
