"""Windows of the broker's own time: days, weeks from Monday, months, quarters, years, a whole life.

A window of a unit has a number; neighbours differ by one, so that "the two before" is arithmetic.
Bounds are UTC milliseconds, half-open.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from pipshare.period import FOREVER_MS, HOUR_MS, Clock
from pipshare.period import Millis as Longs

Unit = Literal["day", "week", "month", "quarter", "year", "life"]
DAY_MS = 24 * HOUR_MS
_FROM_MONDAY = 3  # 1970-01-01 was a Thursday
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def numbers(utc_ms: Longs, unit: Unit, clock: Clock) -> Longs:
    """Return the number of the window that each moment lies in; a life has one window, 0."""
    if unit == "life":
        return np.zeros(len(utc_ms), np.int64)
    return of_days(clock.from_utc(np.asarray(utc_ms, np.int64)) // DAY_MS, unit)


def of_days(day: Longs, unit: Unit) -> Longs:
    """Return the number of the window that each broker's day (since 1970-01-01) lies in."""
    if unit == "life":
        return np.zeros(len(day), np.int64)
    if unit == "day":
        return np.asarray(day, np.int64)
    if unit == "week":
        return (day + _FROM_MONDAY) // 7
    months = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.asarray(months // _MONTHS[unit], np.int64)


def bounds(number: Longs, unit: Unit, clock: Clock) -> tuple[Longs, Longs]:
    """Return where each window starts and ends, in UTC milliseconds, half-open."""
    number = np.asarray(number, np.int64)
    if unit == "life":
        return np.zeros(len(number), np.int64), np.full(len(number), FOREVER_MS, np.int64)
    start, end = (clock.to_utc(_first_day(number + step, unit) * DAY_MS) for step in (0, 1))
    return start, end


def spans(utc_ms: Longs, unit: Unit, clock: Clock) -> tuple[Longs, Longs]:
    """Return the bounds of the window that each moment lies in."""
    used, place = np.unique(numbers(utc_ms, unit, clock), return_inverse=True)
    start, end = bounds(used, unit, clock)
    return start[place], end[place]


def _first_day(number: Longs, unit: Unit) -> Longs:
    if unit == "day":
        return number
    if unit == "week":
        return number * 7 - _FROM_MONDAY
    months = (number * _MONTHS[unit]).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64)


def last_day(day: int, days: int, calendar: Literal["calendar", "business"]) -> int:
    """Return the last broker's day of so many days after a day, which itself is day 0.

    Business days are Monday to Friday; the day it starts from may be any.
    """
    if calendar == "calendar":
        return day + days
    while days > 0:
        day += 1
        if (day + _FROM_MONDAY) % 7 < 5:
            days -= 1
    return day
