"""The header of a Manager export: delimiter, columns by name, else by position.

The English header is known by its names, in any order. A localised one is known by its shape:
as many columns as the export has, and below it a row that starts with a ticket, a login and a
time. A title line ("Raw Report for ...") may stand before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipshare.sources.files.split import split_line

TITLE_LINES = 5
NEARLY = 8  # of its names make a header a Manager's, even when others are wrong or missing
NAMES = (
    "deal", "login", "open time", "type", "symbol", "volume", "open price", "s/l", "t/p",
    "close time", "close price", "reason", "gateway order", "gateway volume",
    "open price delta", "close price delta", "agent", "commission", "taxes", "swap", "profit",
    "points", "comment",
)  # fmt: skip
MARKS = {"open time", "close time", "open price", "close price", "gateway order"}
# Name in the header -> our name, for the columns that are read.
READ = {
    "deal": "ticket", "login": "login", "open time": "open_time", "type": "type",
    "symbol": "symbol", "volume": "volume", "open price": "open_price",
    "close time": "close_time", "close price": "close_price", "reason": "reason",
    "commission": "commission", "taxes": "taxes", "swap": "swap", "profit": "profit",
    "comment": "comment",
}  # fmt: skip
_ALIASES = {"ticket": "deal", "order": "deal", "tax": "taxes", "swaps": "swap"}
_NEEDED = (
    "deal", "login", "open time", "type", "symbol", "volume", "open price", "close time",
    "close price", "profit",
)  # fmt: skip
_TIME = re.compile(r"\d{4}[./-]\d\d[./-]\d\d[ T]\d\d:\d\d(:\d\d)?")


@dataclass(frozen=True)
class Header:
    """Where the columns are. `captions` are the file's own names for them."""

    delimiter: str
    width: int
    line: int  # the header's line, from 1
    columns: dict[str, int]
    captions: dict[str, str]


def find_header(text: str) -> Header | None:
    """Find the header in the first lines of a file; None when this is no Manager export."""
    lines = text.lstrip("\ufeff").split("\n", TITLE_LINES + 2)[: TITLE_LINES + 2]
    for at, line in enumerate(lines[: TITLE_LINES + 1]):
        for delimiter in ";,\t":
            cells = _cells(line, delimiter)
            following = _cells(lines[at + 1], delimiter) if at + 1 < len(lines) else []
            if header := _by_name(cells, delimiter, at + 1):
                return header
            if header := _by_position(cells, following, delimiter, at + 1):
                return header
    return None


def nearly(text: str) -> list[str] | None:
    """Return what a header lacks that is a Manager's but for some columns; None when it is none."""
    for line in text.lstrip("\ufeff").split("\n", TITLE_LINES)[:TITLE_LINES]:
        for delimiter in ";,\t":
            names = _known_names(_cells(line, delimiter))
            known = sum(name in NAMES for name in names)
            if known >= NEARLY and MARKS.intersection(names):
                return [f"{name} ({names.count(name)} times)" if name in names else name
                        for name in _NEEDED if names.count(name) != 1]  # fmt: skip
    return None


def _known_names(cells: list[str]) -> list[str]:
    lowered = [" ".join(cell.lower().split()) for cell in cells]
    return [_ALIASES.get(name, name) for name in lowered]


def _cells(line: str, delimiter: str) -> list[str]:
    if line.count(delimiter) > 200:
        return []
    return [cell.strip() for cell in split_line(line, delimiter)]


def _by_name(cells: list[str], delimiter: str, line: int) -> Header | None:
    names = _known_names(cells)
    if not all(names.count(name) == 1 for name in _NEEDED):
        return None
    places = {ours: names.index(theirs) for theirs, ours in READ.items() if theirs in names}
    return _header(cells, delimiter, line, places)


def _by_position(
    cells: list[str], following: list[str], delimiter: str, line: int
) -> Header | None:
    extra = len(cells) - len(NAMES)
    if extra not in (0, 2) or any(cells[len(NAMES) :]) or not all(cells[: len(NAMES)]):
        return None
    is_row = (
        len(following) == len(cells)
        and following[0].isdigit()
        and following[1].isdigit()
        and bool(_TIME.fullmatch(following[2]))
    )
    if not is_row or cells[0].isdigit():
        return None
    # A name that is known has to stand in its own place, or the order is another.
    names = _known_names(cells)
    if any(name in NAMES and NAMES.index(name) != at for at, name in enumerate(names)):
        return None
    places = {ours: NAMES.index(theirs) for theirs, ours in READ.items()}
    return _header(cells, delimiter, line, places)


def _header(cells: list[str], delimiter: str, line: int, places: dict[str, int]) -> Header:
    captions = {ours: cells[at] for ours, at in places.items()}
    if len(cells) > 2 and not cells[-1] and not cells[-2]:
        places = {**places, "currency": len(cells) - 1}  # the second of two unnamed columns
    return Header(delimiter, len(cells), line, places, captions)
