"""SQL text cut into the rows of its INSERT statements, without running anything.

A small tokenizer over bytes: it knows strings with '' and \\' inside, comments, column lists and
CREATE TABLE (a dump often names the columns only there), and steps over everything else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pipshare.sources.files.csv_blocks import ROW_LIMIT

STATEMENT_LIMIT = 64 * 2**20  # bytes; an unfinished statement longer than this is given up

_STRING = rb"'(?:[^'\\]++|\\.|'')*+'"
_DOUBLE = rb'"(?:[^"\\]++|\\.|"")*+"'
_NAME = rb"(?:`[^`]+`|\"[^\"]+\"|\[[^\]]+\]|\w+)"
_TABLE = rb"(" + _NAME + rb"(?:\s*\.\s*" + _NAME + rb")*)"
_FLAGS = re.I | re.S
_BLANK = re.compile(rb"(?:\s++|--[^\n]*+\n|#[^\n]*+\n|/\*.*?\*/|;)*+", _FLAGS)
_INSERT = re.compile(
    rb"(?:INSERT|REPLACE)\s+(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE)\s+)*(?:INTO\s+)?"
    + _TABLE + rb"\s*(?:\(([^()]*)\))?\s*VALUES?\s*(?=\()", _FLAGS,
)  # fmt: skip
_CREATE = re.compile(rb"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?" + _TABLE, _FLAGS)
_OTHER = re.compile(
    rb"(?:[^;'\"`/#-]++|" + _STRING + rb"|" + _DOUBLE
    + rb"|`[^`]*+`|--[^\n]*+\n|#[^\n]*+\n|/\*.*?\*/|[-/])*+;", _FLAGS,
)  # fmt: skip
_BODY = rb"\s*+\(((?:[^'\"()\\]++|" + _STRING + rb"|" + _DOUBLE + rb")*+)\)\s*+"
_ROW = re.compile(_BODY + rb"([,;]|(?=ON\s))", _FLAGS)
_LAST_ROW = re.compile(_BODY + rb"()\Z", _FLAGS)
_COLUMN = re.compile(rb"^\s*[`\"\[](\w+)[`\"\]]\s+\w", re.M)
_NEXT_ROW = re.compile(rb"\n(?=\s*\()|;\s*\n")


@dataclass
class Tuples:
    """Rows of one INSERT: each without its brackets, with its line; `broken` are no rows."""

    table: str
    columns: list[str]
    rows: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    broken: list[tuple[int, bytes]] = field(default_factory=list)


class Statements:
    """Reads SQL piece by piece; `feed` hands over the whole rows that a piece completes."""

    def __init__(self) -> None:
        self._rest = b""
        self._line = 1
        self._created: dict[str, list[str]] = {}
        self._into: tuple[str, list[str]] | None = None  # table and columns while in VALUES
        self._lost = False  # looking for the next row after a broken one

    def feed(self, piece: bytes, *, last: bool = False) -> list[Tuples]:
        """Take in more SQL, return its rows. `last` says that nothing follows."""
        data, at = self._rest + piece, 0
        found: list[Tuples] = []
        while at < len(data):
            if self._into is None:
                step = self._statement(data, at, last)
            else:
                found.append(Tuples(*self._into))
                step = self._rows(data, at, last, found[-1])
            if step is None:
                break
            self._line += data.count(b"\n", at, step)
            at = step
        self._rest = data[at:]
        return [one for one in found if one.rows or one.broken]

    def _statement(self, data: bytes, at: int, last: bool) -> int | None:
        """Step over one statement, or into the VALUES of an INSERT. None = more data needed."""
        blank = _BLANK.match(data, at)
        start = blank.end() if blank else at
        if start > at:
            return start
        if insert := _INSERT.match(data, start):
            table = _plain_name(insert[1])
            named = re.findall(rb"\w+", insert[2] or b"")
            self._into = table, [c.decode() for c in named] or self._created.get(table, [])
            return insert.end()
        other = _OTHER.match(data, start)
        if other is None:
            return len(data) if last or len(data) - start > STATEMENT_LIMIT else None
        if create := _CREATE.match(data, start):
            names = _COLUMN.findall(other[0])
            self._created[_plain_name(create[1])] = [name.decode() for name in names]
        return other.end()

    def _rows(self, data: bytes, at: int, last: bool, into: Tuples) -> int | None:
        """Take rows until the statement, the data or the sense ends. None = more data needed."""
        start, line, counted = at, self._line, at
        if self._lost:
            return self._find_row(data, at)
        while row := _ROW.match(data, at) or (_LAST_ROW.match(data, at) if last else None):
            line += data.count(b"\n", counted, row.start(1))
            counted = row.start(1)
            into.rows.append(row[1])
            into.lines.append(line)
            at = row.end()
            if row[2] != b",":
                self._into = None
                return at
        if not last and len(data) - at <= ROW_LIMIT:
            return at if at > start else None
        if data[at:].strip():
            line += data.count(b"\n", counted, at + 1)
            into.broken.append((line, data[at : at + 1000].strip()))
        self._lost = True
        return self._find_row(data, at + 1)

    def _find_row(self, data: bytes, at: int) -> int:
        """Go on after a broken row: at the next row that starts a line, or after the statement."""
        following = _NEXT_ROW.search(data, at)
        if following is None:
            return len(data)
        self._lost = False
        if following[0].startswith(b";"):
            self._into = None
        return following.end()


def _plain_name(name: bytes) -> str:
    """Return a table's own name in lower case, without its schema and its quotes."""
    return re.sub(rb"[`\"\[\]\s]", b"", name).split(b".")[-1].decode("utf-8", "replace").lower()
