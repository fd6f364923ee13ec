"""Reads the values of one table by its keys, each by its kind; what is wrong leaves a problem."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from pipshare.period import Clock
from pipshare.plans.keys import WEEKDAYS, Key
from pipshare.plans.problems import quoted, suggestion
from pipshare.plans.table import MAX_TEXT, Table, is_code, shown

ANY = "*"
DAY_MINUTES = 1440
_HOURS = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
UTC = Clock("UTC", 0)


def read(table: Table, keys: tuple[Key, ...], clock: Clock = UTC) -> dict[str, Any]:
    """Return what the file gives, by the field that it fills; tables in it are left to the caller.

    A key that is absent, or whose value was refused, is not in the answer: the parsed value's own
    default stands. Unknown keys are refused.
    """
    known = _by_name(keys)
    given: dict[str, Any] = {}
    for name in table.data:
        key = known.get(name)
        if key is None:
            table.only(tuple(known))
        elif (reader := _READERS.get(key.kind)) is not None:
            value = table.moment(name, clock) if key.kind == "moment" else reader(table, key)
            if value is not None:
                given[key.fills] = value
    return given


def need(table: Table, given: Mapping[str, Any], keys: Iterable[str], sentence: str) -> bool:
    """Refuse a table that lacks one of some keys; a key whose value was refused is not lacking."""
    absent = [key for key in keys if key not in table.data]
    for key in absent:
        table.refuse(key, sentence)
    return not absent and all(key in given for key in keys)


@cache
def _by_name(keys: tuple[Key, ...]) -> dict[str, Key]:
    return {key.name: key for key in keys}


def _choices(table: Table, key: Key) -> Any:
    return _several(table, key, lambda value: value in key.words, _not_of(key))


def _weekdays(table: Table, key: Key) -> Any:
    days = _several(table, key, lambda value: value in WEEKDAYS, _not_of(key))
    return None if days is None else tuple(WEEKDAYS.index(day) + 1 for day in days)


def _not_of(key: Key) -> Callable[[Any], str]:
    def sentence(value: Any) -> str:
        hint = suggestion(str(value), key.words)
        return f"{key.name}: {shown(value)} is not known;{hint} allowed: {quoted(key.words)}"

    return sentence


def _codes(table: Table, key: Key) -> Any:
    return _several(table, key, is_code, lambda value: (
        f'{key.name}: {shown(value)} is not a code: letters, digits, "-", "_" and "."'
    ))  # fmt: skip


def _texts(table: Table, key: Key) -> Any:
    return _several(table, key, _is_text, lambda value: (
        f"{key.name}: {shown(value)} is not a text in quotes of 1 to {MAX_TEXT} characters"
    ))  # fmt: skip


def _countries(table: Table, key: Key) -> Any:
    return _several(table, key, _is_country, lambda value: _no_country(key.name, value))


def _wholes(table: Table, key: Key) -> Any:
    return _several(
        table,
        key,
        lambda value: type(value) is int and key.low <= value <= key.high,
        lambda value: (
            f"{key.name} holds whole numbers from {key.low} to {key.high}, not {shown(value)}"
        ),
    )


def _several(
    table: Table, key: Key, good: Callable[[Any], bool], sentence: Callable[[Any], str]
) -> Any:
    """Return the values of a list when each is good and none is there twice."""
    items = table.items(key.name)
    if items is None:
        return None
    wrong = [i for i, value in enumerate(items) if not good(value)]
    for i in wrong:
        table.refuse(key.name, sentence(items[i]), i)
    twice = [] if wrong else [i for i, value in enumerate(items) if value in items[:i]]
    for i in twice:
        table.refuse(key.name, f"{key.name}: {shown(items[i])} is there twice", i)
    return None if wrong or twice else tuple(items)


def _hours(table: Table, key: Key) -> tuple[tuple[int, int], ...] | None:
    given = _several(table, key, lambda value: bool(_spans(value)), lambda value: (
        f'{key.name}: {shown(value)} is no span of a day: write "08:00-17:00"; 24:00 is its end'
    ))  # fmt: skip
    return None if given is None else tuple(span for value in given for span in _spans(value))


def _spans(value: Any) -> tuple[tuple[int, int], ...]:
    """Return a span in minutes; one over midnight as two; nothing when it is none."""
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return ()
    hour, minute, until_hour, until_minute = map(int, found.groups())
    start, end = hour * 60 + minute, until_hour * 60 + until_minute
    if max(minute, until_minute) > 59 or start >= DAY_MINUTES or end > DAY_MINUTES or start == end:
        return ()
    if start < end:
        return ((start, end),)
    return ((start, DAY_MINUTES), (0, end)) if end else ((start, DAY_MINUTES),)


def _is_text(value: Any) -> bool:
    return type(value) is str and bool(value.strip()) and len(value) <= MAX_TEXT


def _is_country(value: Any) -> bool:
    """Two capital letters, or a name where the feed writes names."""
    return _is_text(value) and (len(value) != 2 or value.isupper())


def _no_country(name: str, value: Any) -> str:
    hint = f" did you mean {shown(value.upper())}?" if isinstance(value, str) and value else ""
    return f'{name}: {shown(value)} is not a country, such as "CY";{hint} two capital letters'


def _country(table: Table, key: Key) -> str | None:
    value = table.text(key.name)
    if value is not None and not _is_country(value):
        table.refuse(key.name, _no_country(key.name, value))
        return None
    return value


def _card(table: Table, key: Key) -> str | None:
    return ANY if table.data[key.name] == ANY else table.code(key.name)


def _mask(table: Table, key: Key) -> str | None:
    value = table.text(key.name)
    mask = None if value is None else re.sub(r"\*+", "*", value)
    if mask == "*":
        table.refuse(key.name, f'{key.name} "*" is every group: leave the key out')
        return None
    return mask


def _flag(table: Table, key: Key) -> bool | None:
    value = table.data[key.name]
    if isinstance(value, bool):
        return value
    table.refuse(key.name, f"{key.name} is true or false, without quotes, not {shown(value)}")
    return None


_READERS: dict[str, Callable[[Table, Key], Any]] = {
    "text": lambda table, key: table.text(key.name),
    "code": lambda table, key: table.code(key.name),
    "currency": lambda table, key: table.currency(key.name),
    "choice": lambda table, key: table.choice(key.name, key.words),
    "whole": lambda table, key: table.whole(key.name, key.low, key.high),
    "number": lambda table, key: table.rate(key.name, key.high),
    "share": lambda table, key: table.rate(key.name, key.high, percent=True),
    "moment": lambda table, key: table.moment(key.name, UTC),
    "card": _card,
    "mask": _mask,
    "country": _country,
    "flag": _flag,
    "choices": _choices,
    "codes": _codes,
    "texts": _texts,
    "countries": _countries,
    "wholes": _wholes,
    "hours": _hours,
    "weekdays": _weekdays,
}
