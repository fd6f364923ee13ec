"""Rows of a report as both of its forms give them: where each cell starts, and its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from pipshare.sources.files.markup import Rows, cell_texts

_UNSEEN = re.compile(r"display\s*:\s*none", re.I)


@dataclass(frozen=True)
class Row:
    """One row: its line (the row number in a sheet), cell starts (from 0) and stripped texts."""

    line: int
    starts: list[int]
    texts: list[str]


def page_rows(rows: Rows) -> Iterator[Row]:
    """Give the rows of an HTML report.

    Cells that a browser does not show are left out: after Type there is one that spans eight
    columns and holds the position's comment, after Order one that holds the cost.
    """
    for element, line in rows:
        starts, texts, place = [], [], 0
        for cell, text in zip(element, cell_texts(element), strict=True):
            if "hidden" in (cell.get("class") or "").split() or _UNSEEN.search(
                cell.get("style") or ""
            ):
                continue
            starts.append(place)
            texts.append(text.strip())
            place += _span(cell)
        yield Row(line, starts, texts)


def _span(cell: etree._Element) -> int:
    span = cell.get("colspan") or "1"
    return int(span) if span.isdigit() and len(span) < 5 else 1
