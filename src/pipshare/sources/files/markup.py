"""Markup in, table rows out: lxml with every dangerous door shut.

The text is decoded before, so that the parser never guesses a charset. A piece of markup longer
than any honest cell is cut down first: libxml2 would stop at ten million bytes and silently drop
what follows, and the rows after it are good.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

import numpy as np
import numpy.typing as npt
from lxml import etree

from pipshare.errors import BadInput

MAX_CELL = 1024  # characters; MetaTrader's own limit for a comment is 31
_MAX_PIECE, _KEPT_HEAD, _KEPT_TAIL = 65_536, 4096, 256
_BLOCK = 2**16
_COUNTED_LINES = 65_535  # libxml2 counts lines in 16 bits
_ROW = re.compile(rb"<tr[\s>]", re.I)


class Rows:
    """The table rows of a page, one at a time, each dropped from memory after its turn.

    Iterating gives the row elements in the order in which they end (rows of an inner table come
    before the row around them), valid until the next one is asked for. Dropping each keeps the
    tree small, which saves more time than building it whole and is the reason for streaming.
    """

    def __init__(self, data: bytes, name: str) -> None:
        """Take a page as UTF-8. `name` is the file's name for messages."""
        edges = _edges(data)
        gaps = np.diff(edges)
        self.long_cells = bool(gaps.max() > MAX_CELL)  # some cell may be longer than any real one
        long = np.flatnonzero(gaps > _MAX_PIECE)
        self._data = _cut(data, edges, long) if len(long) else data
        self._name = name
        self._lines: npt.NDArray[np.int64] | None = None

    def __iter__(self) -> Iterator[tuple[etree._Element, int]]:
        """Give each row with its line.

        Raises BadInput when the page is deeper or larger than a report can be.
        """
        parser = etree.HTMLPullParser(
            events=("end",), tag="tr", encoding="utf-8", no_network=True, huge_tree=False,
            remove_comments=True, remove_pis=True,
        )  # fmt: skip
        count = 0
        try:
            for start in range(0, len(self._data), _BLOCK):
                parser.feed(self._data[start : start + _BLOCK])
                for _, row in parser.read_events():
                    assert isinstance(row, etree._Element)
                    line = cast(int | None, row.sourceline) or 0
                    yield row, line if line < _COUNTED_LINES else self._line(count)
                    row.clear()
                    count += 1
            parser.close()
        except etree.LxmlError as error:
            raise self._unreadable(str(error)) from None
        for entry in parser.feed_error_log.filter_from_fatals():
            if entry.type_name == "ERR_RESOURCE_LIMIT":
                raise self._unreadable(f"line {entry.line}: {entry.message}")

    def _unreadable(self, why: str) -> BadInput:
        return BadInput("not_html", f"{self._name} is no readable page ({why}): export it again")

    def _line(self, count: int) -> int:
        """Return the line of row number `count` in a file longer than libxml2 can count."""
        if self._lines is None:
            starts = [match.start() for match in _ROW.finditer(self._data)]
            breaks = np.flatnonzero(np.frombuffer(self._data, np.uint8) == ord("\n"))
            self._lines = np.searchsorted(breaks, starts) + 1
        return int(self._lines[count]) if count < len(self._lines) else _COUNTED_LINES


def _edges(data: bytes) -> npt.NDArray[np.int64]:
    """Return where each `<` stands, with both ends of the data."""
    # In blocks that stay in the cache: fresh memory for all of it costs more than the search.
    blocks = (
        np.flatnonzero(np.frombuffer(data, np.uint8, min(_BLOCK, len(data) - start), start) == 60)
        + start
        for start in range(0, len(data), _BLOCK)
    )
    return np.concatenate(([0], *blocks, [len(data)]))


def _cut(data: bytes, edges: npt.NDArray[np.int64], long: npt.NDArray[np.int64]) -> bytes:
    """Shorten the pieces that start at `long`, each from one `<` to the next; keep their lines."""
    kept, after = [], 0
    for start, end in zip(edges[long].tolist(), edges[long + 1].tolist(), strict=True):
        head, tail = start + _KEPT_HEAD, end - _KEPT_TAIL
        kept += [data[after:head], b"\n" * data.count(b"\n", head, tail)]
        after = tail
    joined = b"".join([*kept, data[after:]])
    # A cut may have split a character of several bytes.
    return joined.decode("utf-8", "ignore").encode("utf-8")


def cell_texts(row: etree._Element) -> list[str]:
    """Return the text of each cell of a row, markup inside a cell dropped."""
    texts = [cell.text for cell in row]
    if len(texts) > 10 and None not in texts:  # a data row: nothing but text in its cells
        return cast(list[str], texts)
    return [_all_text(cell) if len(cell) else cell.text or "" for cell in row]


def _all_text(cell: etree._Element) -> str:
    return "".join(cast(Iterator[str], cell.itertext()))
