"""The values of one SQL row as cells: strings unquoted, NULL empty, all else as written."""

from __future__ import annotations

import re

_STRING = rb"'(?:[^'\\]++|\\.|'')*+'|\"(?:[^\"\\]++|\\.|\"\")*+\""
_VALUE = re.compile(rb"\s*+(?:_\w+\s*+(?='))?(" + _STRING + rb"|[^,'\"]*+)\s*+(,|\Z)", re.S)
_ESCAPE = {b"'": re.compile(rb"\\(.)|''", re.S), b'"': re.compile(rb'\\(.)|""', re.S)}
_CONTROL = {b"n": b" ", b"r": b" ", b"t": b" ", b"0": b"", b"Z": b""}
_ODD = (b"\\", b"\n", b"\r", b'"', b" '", b", ", b" ,", b"_")


def one_line(row: bytes) -> bytes | None:
    """Return a row as one line of comma-separated cells in single quotes; None if it is none.

    What a dump prints is that already; escapes, line ends, blanks and prefixes are rewritten.
    """
    row = row.strip()
    if not any(mark in row for mark in _ODD):
        return row
    cells = values(row)
    if cells is None:
        return None
    return b",".join(b"'" + cell.replace(b"'", b"''") + b"'" for cell in cells)


def values(row: bytes) -> list[bytes] | None:
    """Return the cells of a row, None where it is not a list of plain values."""
    cells, at = [], 0
    while value := _VALUE.match(row, at):
        cells.append(_cell(value[1]))
        at = value.end()
        if not value[2]:
            return cells
    return None


def _cell(text: bytes) -> bytes:
    if escape := _ESCAPE.get(text[:1]):
        inside = escape.sub(_unescape, text[1:-1])
        return b" ".join(inside.splitlines())
    return b"" if text.strip().upper() == b"NULL" else text.strip()


def _unescape(found: re.Match[bytes]) -> bytes:
    escaped: bytes | None = found[1]
    if escaped is None:
        return found[0][:1]
    return _CONTROL.get(escaped, escaped)
