"""The mapping file: a TOML file read and checked, every fault named with its key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pipshare.errors import BadInput
from pipshare.facts.fields import FIELDS, Field

FORMATS = ("trades", "deals")
KEYS = ("format", "platform", "encoding", "delimiter", "decimal", "time", "row", "header",
        "skip_lines", "columns", "constants", "values", "units")  # fmt: skip
TIMES = ("unix", "unix_ms")
_UNIT = re.compile(r"1(?:/(10*))?")
_NUMBERS = ("int", "e8", "rate")


@dataclass(frozen=True)
class Mapping:
    """What a mapping file says. `columns` maps our field to a header name, number or XML path.

    `units` holds for a field the number of decimal places that its integers hide: 2 for "1/100".
    """

    name: str
    format: str
    platform: str
    columns: dict[str, str | int]
    constants: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str = "."
    time: str | None = None
    row: str | None = None
    header: bool = True
    skip_lines: int = 0


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file. Raises BadInput naming the file, the key and what is allowed."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput("no_mapping", f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput("bad_mapping", f"{path.name} is no TOML file: {error}") from None
    return _Checked(path.name, told).mapping()


def fault(name: str, key: str, what: str) -> BadInput:
    """Build the error for one key of a mapping file."""
    return BadInput("bad_mapping", f"{name}, key {key}: {what}")


class _Checked:
    """The keys of a mapping file, checked one by one."""

    def __init__(self, name: str, told: dict[str, Any]) -> None:
        self.name, self.told = name, told
        for key in told:
            if key not in KEYS:
                raise self._unknown(key, key, KEYS, "keys")
        self.format = self._one_of("format", FORMATS, None)
        self.fields: dict[str, Field] = {one.name: one for one in FIELDS[self.format]}

    def mapping(self) -> Mapping:
        columns = self._columns()
        constants = self._constants(columns)
        lacking = [
            name for name, one in self.fields.items()
            if one.required and name not in columns and name not in constants
        ]  # fmt: skip
        if lacking:
            raise fault(
                self.name, "columns",
                f"{', '.join(lacking)} must be given, as a column or in [constants]",
            )  # fmt: skip
        default = "mt5" if self.format == "deals" or "position" in columns else "mt4"
        return Mapping(
            name=self.name,
            format=self.format,
            platform=self._one_of("platform", ("mt4", "mt5"), default),
            columns=columns,
            constants=constants,
            values=self._values(),
            units=self._units(),
            encoding=self._text("encoding"),
            delimiter=self._delimiter(),
            decimal=self._one_of("decimal", (".", ","), "."),
            time=self._time(),
            row=self._text("row"),
            header=self._typed("header", bool, True, "true or false"),
            skip_lines=self._lines(),
        )

    def _columns(self) -> dict[str, str | int]:
        columns = self._table("columns")
        for name, place in columns.items():
            named = isinstance(place, str) and bool(place.strip())
            numbered = type(place) is int and place > 0
            if not named and not numbered:
                raise fault(
                    self.name, f"columns.{name}",
                    f"{place!r} is neither a column's name or XML path nor its number from 1",
                )  # fmt: skip
        return columns

    def _constants(self, columns: dict[str, str | int]) -> dict[str, str]:
        constants = self._table("constants")
        for name, value in constants.items():
            if not isinstance(value, str):
                raise fault(self.name, f"constants.{name}", f'write the value as text: "{value}"')
            if name in columns:
                raise fault(self.name, f"constants.{name}", "the field is in [columns] already")
        return constants

    def _values(self) -> dict[str, dict[str, str]]:
        values = self._table("values")
        for name, words in values.items():
            key = f"values.{name}"
            if not isinstance(words, dict) or not all(isinstance(w, str) for w in words.values()):
                raise fault(self.name, key, 'write a table of texts, such as {"0" = "buy"}')
            allowed = self.fields[name].type.removeprefix("choice:").split("|")
            if self.fields[name].type.startswith("choice:"):
                for word in words.values():
                    if word not in allowed:
                        raise self._unknown(key, word, allowed, "values")
        return values

    def _units(self) -> dict[str, int]:
        units = {}
        for name, unit in self._table("units").items():
            match = _UNIT.fullmatch(unit) if isinstance(unit, str) else None
            if match is None or self.fields[name].type != "e8":
                raise fault(
                    self.name, f"units.{name}",
                    f'{unit!r} is no unit: write "1/100", "1/10000", "1/100000000" or another '
                    "power of ten, for a field that is an amount, a price or lots",
                )  # fmt: skip
            units[name] = len(match[1] or "1") - 1
        return units

    def _table(self, key: str) -> dict[str, Any]:
        table = self.told.get(key, {})
        if not isinstance(table, dict):
            raise fault(self.name, key, f"must be a table: [{key}]")
        for name in table:
            if name not in self.fields:
                raise self._unknown(f"{key}.{name}", name, list(self.fields), "fields")
        return dict(table)

    def _time(self) -> str | None:
        form = self._text("time")
        if form is not None and form not in TIMES and "%" not in form:
            raise fault(
                self.name, "time",
                f"{form!r} is no form of time: write it with %Y, %m, %d, %H, %M, %S, or unix or "
                "unix_ms for a count since 1970; leave it away for 2026.07.01 13:05:08",
            )  # fmt: skip
        return form

    def _delimiter(self) -> str | None:
        delimiter = self._text("delimiter")
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\n\r'):
            raise fault(self.name, "delimiter", f"{delimiter!r} is not one character")
        return delimiter

    def _lines(self) -> int:
        lines = self._typed("skip_lines", int, 0, "a number of lines before the header")
        if lines < 0:
            raise fault(self.name, "skip_lines", "cannot be below 0")
        return int(lines)

    def _text(self, key: str) -> str | None:
        text = self._typed(key, str, None, "a text")
        return None if text is None else str(text)

    def _one_of(self, key: str, allowed: Sequence[str], default: str | None) -> str:
        value = self.told.get(key, default)
        if value not in allowed:
            what = "is missing" if value is None else f"{value!r} is not allowed"
            raise fault(self.name, key, f"{what}: write one of {', '.join(allowed)}")
        return str(value)

    def _typed(self, key: str, kind: type, default: Any, about: str) -> Any:
        value = self.told.get(key, default)
        if value is not default and type(value) is not kind:
            raise fault(self.name, key, f"{value!r} is not {about}")
        return value

    def _unknown(self, key: str, word: str, allowed: Sequence[str], what: str) -> BadInput:
        close = get_close_matches(word, allowed, 1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        return fault(
            self.name, key, f"{word!r} is unknown{hint}; allowed {what}: {', '.join(allowed)}"
        )
