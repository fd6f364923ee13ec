"""The rows of a statement, told apart by shape alone: captions are localised, shapes are not.

A closed trade has 14 cells (13 in builds before taxes), a cancelled order has 11, the last of
which spans the money columns, a balance operation has five, the totals start with a cell that
spans ten, and the row after them prints the Closed P/L. The first row of captions opens the closed
section, the next one (open trades) ends it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lxml import etree

from pipshare.facts import Refusal
from pipshare.sources.files.markup import Rows, cell_texts

_TIME = re.compile(r"\s*\d{4}\.\d\d\.\d\d \d\d:\d\d")
_MONEY = re.compile(r"[+-]?\d[\d \u00a0\u202f]*(?:\.\d+)?")
_LINK = re.compile(r"(?:from|to|by) #\d|\[(?:sl|tp)\]$|cancelled")
_RAW = 500  # characters of a refused row that are kept


@dataclass
class CashRow:
    """The cells of one balance row."""

    line: int
    ticket: str
    time: str
    type: str
    comment: str
    amount: str


@dataclass
class Sections:
    """What the walk over a statement found. Lines and comments are one per trade."""

    head: list[list[str]] = field(default_factory=list)
    width: int = 0  # cells of a closed trade; 0 = no closed section was found
    cells: list[str] = field(default_factory=list)  # of all trades, `width` of them each
    long_cells: bool = False  # some cell may be longer than any real one
    lines: list[int] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    cash: list[CashRow] = field(default_factory=list)
    cancelled: int = 0
    printed: str | None = None
    first_line: int = 0
    last_line: int = 0
    refused: list[Refusal] = field(default_factory=list)


def walk(rows: Rows) -> Sections:
    """Sort the rows of a statement. Nothing is checked here but shape."""
    found = Sections(long_cells=rows.long_cells)
    in_totals = after_trade = False
    for row, line in rows:
        texts = cell_texts(row)
        if not found.width:
            _head_row(found, texts, line)
        elif len(texts) == found.width and (texts[0][:1].isdigit() or _TIME.match(texts[1])):
            after_trade = True
            found.cells += texts
            found.lines.append(line)
            found.comments.append(row[0].get("title") or "")
        elif _captions(texts) or found.printed is not None:
            break
        elif in_totals:
            if len(texts) == 2 and _MONEY.fullmatch(texts[1].strip()):
                found.printed = texts[1]
        elif _totals(row, texts):
            in_totals = True
        else:
            after_trade = _other_row(found, texts, line, after_trade)
        found.last_line = line
    return found


def _head_row(found: Sections, texts: list[str], line: int) -> None:
    if _captions(texts):
        found.width, found.first_line = len(texts), line
    else:
        found.head.append([text.strip() for text in texts])


def _captions(texts: list[str]) -> bool:
    """A row of 11 to 14 words without a figure: the captions of one of the three sections."""
    return 11 <= len(texts) <= 14 and not any(
        _TIME.match(text) or _MONEY.fullmatch(text.strip()) for text in texts
    )


def _totals(row: etree._Element, texts: list[str]) -> bool:
    span = row[0].get("colspan") or "" if len(row) else ""
    return len(texts) >= 4 and span.isdecimal() and int(span[:4]) >= 9 and not texts[0].strip()


def _other_row(found: Sections, texts: list[str], line: int, after_trade: bool) -> bool:
    """Take a row that is no trade: cancelled, balance, a trade's remark, or not known.

    Returns whether a remark may still follow.
    """
    cells = [text.strip() for text in texts]
    dated = len(cells) > 1 and bool(_TIME.match(cells[1]))
    if dated and len(cells) == 11 and not _MONEY.fullmatch(cells[-1]):
        found.cancelled += 1
        return False
    if dated and len(cells) == 5:
        found.cash.append(CashRow(line, *cells))
        return False
    if after_trade and not any(_TIME.match(cell) for cell in cells) and (remark := _remark(cells)):
        found.comments[-1] = found.comments[-1] or remark
        return False
    if any(_TIME.match(cell) or ("." in cell and _MONEY.fullmatch(cell)) for cell in cells):
        _refuse(found, cells, line)
    return after_trade and not any(cells)


def _remark(cells: list[str]) -> str:
    """Some builds print magic number and comment in a row of their own below the trade."""
    words = [cell for cell in cells if cell and not _MONEY.fullmatch(cell)]
    if not words or (len(cells) == 1 and not _LINK.search(words[0])):
        return ""
    return words[-1]


def _refuse(found: Sections, cells: list[str], line: int) -> None:
    reason = f"a row of {len(cells)} cells is neither trade, order nor balance operation"
    found.refused.append(Refusal(line, "unknown_row", reason, " | ".join(cells)[:_RAW]))
