"""What the shared parts of pages are filled with: tables, pagers, figures.

    {% include "web/parts/table.html" with table=table %}
    {% include "web/parts/pager.html" with pager=pager %}
    {% include "web/parts/stat.html" with stat=stat %}
    {% include "web/parts/empty.html" with title="No trades" text="..." url="" action="" %}
    {% include "web/parts/alert.html" with tone="bad" title="..." text="..." %}

A tone is "", "good", "warn" or "bad". On a narrow screen a table's rows become cards, each cell
with its column's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """A column: `number` aligns to the right, `head` is the cell that names the row."""

    label: str
    number: bool = False
    head: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell: text, perhaps a link, a tone (shown as a badge) and a small note below."""

    text: str
    url: str = ""
    tone: str = ""
    note: str = ""
    level: int = 0  # depth in a tree, 0 to 9: how far the text is set in
    title: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its caption; a cell given as text is a cell without a link."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell | str]]
    foot: Sequence[Cell | str] = field(default_factory=tuple)
    hide_caption: bool = False

    def lines(self) -> Iterator[list[tuple[Column, Cell]]]:
        """Yield each row as pairs of column and cell."""
        for row in self.rows:
            yield self._pairs(row)

    def foot_line(self) -> list[tuple[Column, Cell]]:
        """Return the sums under the table, empty without."""
        return self._pairs(self.foot)

    def _pairs(self, row: Sequence[Cell | str]) -> list[tuple[Column, Cell]]:
        cells = [cell if isinstance(cell, Cell) else Cell(cell) for cell in row]
        return list(zip(self.columns, cells, strict=bool(cells)))


@dataclass(frozen=True)
class Pager:
    """Ways to the pages before and after, by key; "" where there is none."""

    newer: str = ""
    older: str = ""
    said: str = ""  # what is shown: "50 trades, newest first"


@dataclass(frozen=True)
class Stat:
    """A figure with its name; a note below says what it means."""

    label: str
    value: str
    note: str = ""
    tone: str = ""
    url: str = ""
