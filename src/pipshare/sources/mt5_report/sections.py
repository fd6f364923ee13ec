"""The sections of a report, told apart by shape: captions are localised, shapes are not.

A row of ten or more words is the captions of a table; in Positions the columns Time and Price come
twice, in Deals nothing does. A data row has a time first and a number second. Orders are known by
their volume ("0.1 / 0.1") and second time. The result row holds the one sum that adds up:
net profit = gross profit + gross loss.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from pipshare.facts import Refusal
from pipshare.sources.files.printed import e8_column, ms_column
from pipshare.sources.mt5_report.grid import Row

POSITIONS, DEALS, OTHER = "positions", "deals", "other"
_TIME = re.compile(r"\d{4}\.\d\d\.\d\d \d\d:\d\d(?::\d\d)?(?:\.\d+)?")
_FIGURE = re.compile(r"[+-]? ?\d[\d \u00a0\u202f]*(?:\.\d*)?")
_ACCOUNT = re.compile(r"(\d{1,18})\s*\(\s*([A-Z][A-Z0-9]{2,7})\s*(?:,\s*([^(),]*))?[^()]*\)")
_KEPT_STATES = {"filled", "partial", "placed", "started", "expired", "rejected"}
_DEAL_NAMES = ("commission", "fee", "swap", "profit", "balance", "comment")


@dataclass
class Table:
    """Data rows of one section, aligned to its captions."""

    captions: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def column(self, place: int) -> pl.Series:
        """Return one column of texts, null where a cell is blank."""
        return pl.Series([row[place] or None for row in self.rows], dtype=pl.String)


@dataclass
class Sections:
    """What the walk over a report found."""

    account: int | None = None
    currency: str | None = None
    server: str | None = None
    report_ms: int | None = None
    positions: Table = field(default_factory=Table)
    deals: Table = field(default_factory=Table)
    cancelled: int = 0
    net_profit_e8: int | None = None
    first_line: int = 0
    last_line: int = 0
    refused: list[Refusal] = field(default_factory=list)


def walk(rows: Iterable[Row]) -> Sections:
    """Sort the rows of a report. Nothing is checked here but shape."""
    found = Sections()
    captions: Row | None = None
    kind = ""
    for row in rows:
        filled = [text for text in row.texts if text]
        if _is_captions(filled):
            captions = _only_filled(row)
            kind = _kind_of_captions(captions.texts)
            if kind == DEALS and not found.deals.rows:
                found.deals.captions = captions.texts
            found.first_line = found.first_line or row.line
        elif captions is None:
            _head(found, filled)
        elif len(filled) == 1:  # the title of the next section
            continue
        elif cells := _data(row, captions):
            if kind == DEALS and not found.deals.rows and _TIME.fullmatch(cells[8]):
                kind, found.deals.captions = POSITIONS, []  # foreign captions that never repeat
            _take(found, kind, captions, cells, row.line)
        elif found.net_profit_e8 is None:
            found.net_profit_e8 = _net_profit(filled)
        found.last_line = row.line
    return found


def _is_captions(filled: list[str]) -> bool:
    return len(filled) >= 10 and not any(
        _TIME.fullmatch(text) or _FIGURE.fullmatch(text) for text in filled
    )


def _only_filled(row: Row) -> Row:
    pairs = [pair for pair in zip(row.starts, row.texts, strict=True) if pair[1]]
    return Row(row.line, [start for start, _ in pairs], [text for _, text in pairs])


def _head(found: Sections, filled: list[str]) -> None:
    for text in filled:
        if account := _ACCOUNT.search(text.replace("\u00a0", " ")):
            found.account, found.currency = int(account[1]), account[2]
            found.server = (account[3] or "").strip() or None
        elif _TIME.fullmatch(text):
            found.report_ms = ms_column(pl.Series([text]))[0]


def _data(row: Row, captions: Row) -> list[str] | None:
    """Return the row's cells in the order of the captions; None when it is no data row."""
    if row.starts == captions.starts:
        return row.texts if _dated(row.texts) else None
    texts, width = row.texts, len(captions.texts)
    known = set(captions.starts)
    if not all(start in known for start, text in zip(row.starts, texts, strict=True) if text):
        if len(texts) == width + 1 and not texts[4]:  # a blank cell after Type, without a caption
            texts = texts[:4] + texts[5:]
        if len(texts) == width:
            return texts if _dated(texts) else None
    at = dict(zip(row.starts, texts, strict=True))
    cells = [at.get(start, "") for start in captions.starts]
    return cells if _dated(cells) else None


def _dated(cells: list[str]) -> bool:
    return bool(_TIME.fullmatch(cells[0])) or (
        cells[1].isdigit() and len(cells[1]) > 2 and len(cells) > 10
    )


def _kind_of_captions(captions: list[str]) -> str:
    if len(captions) < 13:
        return OTHER
    twice = captions[0] == captions[8] and captions[5] == captions[9]
    return POSITIONS if twice else DEALS


def _take(found: Sections, kind: str, captions: Row, cells: list[str], line: int) -> None:
    if kind == OTHER:
        found.cancelled += _cancelled(cells)
        return
    table = found.positions if kind == POSITIONS else found.deals
    table.captions = captions.texts
    table.lines.append(line)
    table.rows.append(cells)


def _cancelled(cells: list[str]) -> bool:
    """Tell whether a past order was cancelled; by its fill where the state is no English word."""
    wanted, slash, done = cells[4].partition("/")
    if not slash or not _TIME.fullmatch(cells[8]):
        return False
    state = cells[9].casefold()
    if state in _KEPT_STATES or state in ("canceled", "cancelled"):
        return state not in _KEPT_STATES
    return not done.strip().strip("0.") and bool(wanted.strip())


def _net_profit(filled: list[str]) -> int | None:
    """Return the first of three figures when it is the sum of a gain and a loss."""
    figures = e8_column(pl.Series([text for text in filled if _FIGURE.fullmatch(text)],
                                  dtype=pl.String)).to_list()  # fmt: skip
    if len(figures) == 3 and None not in figures:
        net, gain, loss = figures
        if net == gain + loss and gain >= 0 >= loss:
            return int(net)
    if len(filled) >= 2 and filled[0].casefold().startswith("total net profit") and figures:
        return None if figures[0] is None else int(figures[0])
    return None


def deal_places(captions: list[str]) -> dict[str, int] | None:
    """Return where a Deals table has its money columns; None for a width that is not known.

    Known widths: 13 (before Fee), 14, 15 (with Cost after Order). English captions decide where
    they are all there, the width where they are not.
    """
    lowered = [caption.casefold() for caption in captions]
    if "commission" in lowered and "profit" in lowered:
        return {name: lowered.index(name) for name in _DEAL_NAMES if name in lowered}
    names = {13: ("commission", "swap", "profit", "balance", "comment"), 14: _DEAL_NAMES,
             15: ("cost", *_DEAL_NAMES)}.get(len(captions))  # fmt: skip
    return None if names is None else {name: 8 + n for n, name in enumerate(names)}
