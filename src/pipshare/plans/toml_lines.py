"""Reads TOML so that every key and element knows its line, and no float is ever made.

tomllib tells no lines. After it has accepted the text, one scan over the same text notes where
each key and each array element stands; the scan may be lenient because the text is valid.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import Any

from pipshare.plans.problems import BadPlan, Problem

Path = tuple[str | int, ...]
MAX_CHARS = 1_000_000
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_PART = re.compile(r"[ \t]*(?:\"((?:\\.|[^\"\\\n])*)\"|'([^'\n]*)'|([A-Za-z0-9_-]+))[ \t]*")
_SCALAR = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'"
    r"|[^,\]\}\n#]+", re.DOTALL)  # fmt: skip
# Tables whose line a parsed plan remembers, as a file that was accepted has them.
_HEADER = re.compile(
    r"^[ \t]*(?:\[\[component(?:\.(rate|split|cap))?\]\]"
    r"|\[(component|programme)\.(tier|qualify|guard)\])", re.MULTILINE)  # fmt: skip
_ARRAYS, _SINGLE = ("rate", "split", "cap"), ("tier", "qualify", "guard")
_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class BareNumber(str):
    """The text of a TOML float as it stands in the file: never turned into a float."""

    __slots__ = ()


class Lines:
    """Where each key, table and array element of a file begins."""

    def __init__(self, places: dict[Path, int]) -> None:
        self._places = places

    def of(self, path: Path) -> int:
        """Return the line of a path, else of the nearest table around it (line 1 at last)."""
        while path and path not in self._places:
            path = path[:-1]
        return self._places.get(path, 1)


def load(
    text: str, filename: str, *, headers_only: bool = False
) -> tuple[dict[str, Any], Lines]:  # fmt: skip
    """Return the file's data (floats as BareNumber) and its lines. Raises BadPlan.

    `headers_only` is for a file that was accepted before: only the lines of tables that a parsed
    plan remembers are looked for, in a tenth of the time.
    """
    if len(text) > MAX_CHARS:
        reason = f"a plan file has at most {MAX_CHARS} characters, this one {len(text)}"
        raise BadPlan(filename, [Problem(1, reason)])
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        data = tomllib.loads(plain, parse_float=BareNumber)
        headers = _headers(plain, data) if headers_only else None
        return data, Lines(_Scan(plain).run() if headers is None else headers)
    except RecursionError:
        raise BadPlan(filename, [Problem(1, "brackets are nested too deeply")]) from None
    except ValueError as error:
        raise BadPlan(filename, [_syntax_problem(str(error), plain)]) from None


def _headers(text: str, data: dict[str, Any]) -> dict[Path, int] | None:
    """Return the lines of such tables; None when headers alone do not tell them all."""
    places: dict[Path, int] = {}
    component, line, seen = -1, 1, 0
    counts: dict[str, int] = {}
    for found in _HEADER.finditer(text):
        line += text.count("\n", seen, found.start())
        seen = found.start()
        array, outer, single = found.groups()
        if array:
            counts[array] = counts.get(array, -1) + 1
            places["component", component, array, counts[array]] = line
        elif single:
            inside = ("component", component) if outer == "component" else ("programme",)
            places[(*inside, single)] = line
        else:
            component, counts = component + 1, {}
            places["component", component] = line
    return places if set(places) == _told(data) else None


def _told(data: dict[str, Any]) -> set[Path]:
    """Return the paths of all such tables of a file."""
    told: set[Path] = {("programme", key) for key in _SINGLE if key in data.get("programme", {})}
    for number, table in enumerate(data.get("component", [])):
        told.add(("component", number))
        told.update(("component", number, key) for key in _SINGLE if key in table)
        for key in _ARRAYS:
            told.update(("component", number, key, i) for i in range(len(table.get(key, ()))))
    return told


def _syntax_problem(message: str, text: str) -> Problem:
    """Turn tomllib's message into ours; a backslash is nearly always an account group."""
    lines = text.rstrip("\n").count("\n") + 1
    place = _AT_LINE.search(message)
    line = min(int(place[1]), lines) if place and place[1] else lines
    reason = f"not valid TOML: {_AT_LINE.sub('', message)}"
    if "\\" in text.split("\n")[line - 1]:
        reason += r"; write names with a backslash in single quotes: 'real\ecn'"
    return Problem(line, reason)


class _Scan:
    """One pass over valid TOML text, noting the line of everything that has a name or a place."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._breaks = [m.start() for m in re.finditer("\n", text)]
        self._places: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}  # arrays of tables: how many so far

    def run(self) -> dict[Path, int]:
        table: Path = ()
        self._blank()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._blank()
        return self._places

    def _header(self) -> Path:
        line, double = self._line(), self._text.startswith("[[", self._at)
        self._at += 2 if double else 1
        path: Path = ()
        parts = self._key()
        for part in parts[:-1]:
            path = self._inside((*path, part))
        path = (*path, parts[-1])
        if double:
            self._tables[path] = self._tables.get(path, -1) + 1
        path = self._inside(path)
        self._places[path] = line
        self._at = self._text.index("]", self._at) + (2 if double else 1)
        return path

    def _inside(self, path: Path) -> Path:
        """A name that is an array of tables means its last table so far."""
        return (*path, self._tables[path]) if path in self._tables else path

    def _pair(self, table: Path) -> None:
        line, path = self._line(), table
        for part in self._key():
            path = (*path, part)
            self._places.setdefault(path, line)
        self._at = self._text.index("=", self._at) + 1
        self._value(path)

    def _key(self) -> list[str]:
        parts: list[str] = []
        while found := _PART.match(self._text, self._at):
            part = next(group for group in found.groups() if group is not None)
            escaped = found[1] is not None and "\\" in part
            parts.append(tomllib.loads(f'key = "{part}"')["key"] if escaped else part)
            self._at = found.end()
            if self._text[self._at] != ".":
                break
            self._at += 1
        return parts

    def _value(self, path: Path) -> None:
        self._blank()
        if self._text[self._at] in "[{":
            self._nested(path, self._text[self._at])
        elif found := _SCALAR.match(self._text, self._at):
            self._at = found.end()

    def _nested(self, path: Path, bracket: str) -> None:
        """An array or an inline table, which may span lines."""
        closing, count = "]" if bracket == "[" else "}", 0
        self._at += 1
        self._blank()
        while self._text[self._at] != closing:
            if bracket == "{":
                self._pair(path)
            else:
                self._places[(*path, count)] = self._line()
                self._value((*path, count))
                count += 1
            self._blank()
            if self._text[self._at] == ",":
                self._at += 1
                self._blank()
        self._at += 1

    def _blank(self) -> None:
        found = _BLANK.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _line(self) -> int:
        return bisect_right(self._breaks, self._at - 1) + 1
