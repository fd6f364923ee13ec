"""One table of a plan file, read key by key: each wrong value becomes a problem with its line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from fractions import Fraction
from typing import Any

import numpy as np

from pipshare.errors import BadInput
from pipshare.money import is_currency, parse_rate
from pipshare.period import FOREVER_MS, HOUR_MS, Clock, to_ms
from pipshare.plans.problems import Problems, quoted, suggestion
from pipshare.plans.toml_lines import BareNumber, Lines, Path

MAX_TEXT = 200
MAX_NUMBER = 40
MAX_DIVISOR = 10**9
DAY_MS = 24 * HOUR_MS
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Table:
    """A table with its path, `title` as a person writes it ("[[component]]"), and its problems.

    Every reader returns None when the key is absent or its value was refused; a refused value has
    left a problem. `missing` is the sentence for an absent key that must be there.
    """

    def __init__(
        self, title: str, data: dict[str, Any], path: Path, lines: Lines, problems: Problems
    ) -> None:
        self.title, self.data, self.path = title, data, path
        self._lines, self._problems = lines, problems
        self.line = lines.of(path)

    def only(self, allowed: Sequence[str]) -> None:
        """Refuse every key that is not among `allowed`."""
        for key in self.data:
            if key not in allowed:
                hint = suggestion(key, allowed)
                self.refuse(key, f'unknown key "{key}" in {self.title};{hint} '
                                 f"allowed: {', '.join(allowed)}")  # fmt: skip

    def refuse(self, key: str, text: str, place: int | None = None) -> None:
        """Note a problem at a key of this table (at the table itself when it has no such key), or
        at one place of its list."""
        path = (*self.path, key) if place is None else (*self.path, key, place)
        self._problems.add(self._lines.of(path), text)

    def tables(self, key: str, title: str) -> list[Table]:
        """Return the tables of an array of tables; absent is empty."""
        value = self.data.get(key, [])
        if isinstance(value, dict):
            self.refuse(key, f"there may be several of these: write {title}, in double brackets")
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.refuse(key, f"{key} is a list of tables: write {title}")
            return []
        return [self._below(title, item, key, i) for i, item in enumerate(value)]

    def table(self, key: str, title: str) -> Table | None:
        """Return a single table; None when it is absent."""
        value = self.data.get(key)
        if value is None or isinstance(value, dict):
            return None if value is None else self._below(title, value, key)
        reason = "there is one of these: write" if isinstance(value, list) else "a table is written"
        self.refuse(key, f"{key}: {reason} {title}, in single brackets")
        return None

    def _below(self, title: str, data: dict[str, Any], *path: str | int) -> Table:
        return Table(title, data, (*self.path, *path), self._lines, self._problems)

    def items(self, key: str) -> list[Any] | None:
        """Return the values of a list, which has to have some."""
        value = self.data.get(key)
        if isinstance(value, list) and value:
            return value
        hint = f"{key} = [...]" if isinstance(value, list) else f"{key} = [{shown(value)}]"
        self.refuse(key, f"{key} is a list of one or more values: write {hint}, or leave it out")
        return None

    def text(self, key: str, *, missing: str = "") -> str | None:
        """Return a short text in one line."""
        value = self._given(key, missing)
        if value is None:
            return None
        if not isinstance(value, str) or isinstance(value, BareNumber):
            self.refuse(key, f'{key} is a text: write it in quotes, {key} = "{shown(value)}"')
            return None
        if not value.strip() or len(value) > MAX_TEXT:
            self.refuse(key, f"{key} has to have 1 to {MAX_TEXT} characters")
            return None
        if any(ord(char) < 32 for char in value):
            reason = f"{key} has a line break or tab in it: was a backslash meant? Write it in"
            self.refuse(key, rf"{reason} single quotes, {key} = 'real\name'")
            return None
        return value.strip()

    def code(self, key: str, *, missing: str = "") -> str | None:
        """Return a code: letters, digits, dash, dot, underscore."""
        value = self.text(key, missing=missing)
        if value is not None and not is_code(value):
            self.refuse(key, f'{key} "{value}" is not a code: letters, digits, "-", "_" and ".", '
                             "at most 64, the first a letter or digit")  # fmt: skip
            return None
        return value

    def choice(self, key: str, allowed: Sequence[str], *, missing: str = "") -> str | None:
        """Return one of the allowed words."""
        value = self._given(key, missing)
        if value is None or (isinstance(value, str) and value in allowed):
            return value
        hint = suggestion(str(value), allowed)
        self.refuse(key, f"{key} {shown(value)} is not known;{hint} allowed: {quoted(allowed)}")
        return None

    def whole(self, key: str, low: int, high: int, *, missing: str = "") -> int | None:
        """Return a whole number within bounds, both included."""
        value = self._given(key, missing)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.refuse(key, f"{key} is a whole number from {low} to {high}, not {shown(value)}")
            return None
        return value

    def currency(self, key: str) -> str | None:
        """Return a currency code."""
        value = self.text(key)
        if value is not None and not is_currency(value):
            hint = f' did you mean "{value.upper()}"?' if is_currency(value.upper()) else ""
            self.refuse(key, f'"{value}" is not a currency code such as "USD";{hint} three to '
                             "eight capital letters or digits")  # fmt: skip
            return None
        return value

    def rate(self, key: str, high: int, *, percent: bool = False) -> Fraction | None:
        """Return an exact number from 0 to `high`, written "6.50", "1/3" or 6; also "20%"."""
        value = self._given(key, "")
        if value is None:
            return None
        exact = self._exact(key, value, percent)
        if exact is None:
            return None
        if not 0 <= exact <= high:
            self.refuse(key, f"{key} {shown(value)} is out of range: from 0 to {high:,}")
            return None
        if exact.denominator > MAX_DIVISOR:
            self.refuse(key, f"{key} {shown(value)} is finer than rates can be: at most 9 "
                             "decimals, or a divisor up to 1,000,000,000")  # fmt: skip
            return None
        return exact

    def _exact(self, key: str, value: object, percent: bool) -> Fraction | None:
        if isinstance(value, BareNumber):
            self.refuse(key, f"{key} = {value} is a TOML float, and a float cannot hold every "
                             f'amount: write it in quotes, exact: {key} = "{value}"')  # fmt: skip
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return Fraction(value)
        text = value.strip() if isinstance(value, str) and len(value) <= MAX_NUMBER else ""
        divisor = 100 if percent and text.endswith("%") else 1
        try:
            return parse_rate(text.removesuffix("%").rstrip() if divisor > 1 else text) / divisor
        except BadInput:
            forms = '"20%", "0.2" or "1/5"' if percent else '"6.50", "1/3" or 6'
            self.refuse(key, f"{key} {shown(value)} is not a number: write {forms}")
            return None

    def moment(self, key: str, clock: Clock) -> int | None:
        """Return UTC ms of a date (start of the broker's day) or a time with zone."""
        value = self._given(key, "")
        if value is None:
            return None
        wrong, moment = "", 0
        if isinstance(value, datetime):
            wrong = "" if value.tzinfo else "a time needs its zone, 2026-11-01T00:00:00Z; or write"
            moment = to_ms(value) if value.tzinfo else 0
        elif isinstance(value, date):
            moment = to_ms(datetime.combine(value, time(), UTC))
        else:
            wrong = f"{shown(value)} is not a date: write"
        if not wrong and not DAY_MS <= moment < FOREVER_MS - DAY_MS:
            wrong = f"{value} is outside 1970 to 2109; for always leave the key out, else write"
        if wrong:
            self.refuse(key, f"{key}: {wrong} a date without quotes: {key} = 2026-11-01")
            return None
        day = not isinstance(value, datetime)
        return int(clock.to_utc(np.array([moment], np.int64))[0]) if day else moment

    def _given(self, key: str, missing: str) -> Any:
        if key not in self.data and missing:
            self.refuse(key, missing)
        return self.data.get(key)


def is_code(value: object) -> bool:
    """Tell whether something is a code: letters, digits, dash, dot, underscore."""
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def shown(value: object) -> str:
    """Return a refused value for a sentence, shortened."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = text if len(text) <= 40 else text[:37] + "..."
    return f'"{text}"' if isinstance(value, str) and not isinstance(value, BareNumber) else text
