"""How windows are called, and what a name means: 2026-03, 2026-03-02, 2026-W10, 2026-Q1, 2026."""

from __future__ import annotations

import re
from datetime import date

import numpy as np

from pipshare.errors import BadInput
from pipshare.period import Clock, day_to_date, from_ms
from pipshare.rating.windows.calendar import DAY_MS, Unit, bounds, of_days

_EPOCH = date(1970, 1, 1)
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_MONTH = re.compile(r"(\d{4})-(\d{2})")


def window_name(start_wall_ms: int, unit: Unit) -> str:
    """Return how a window is called, by its first moment on the broker's wall clock."""
    day = day_to_date(start_wall_ms // DAY_MS)
    if unit == "day":
        return day.isoformat()
    if unit == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    if unit == "quarter":
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return f"{from_ms(start_wall_ms):%Y-%m}"


def named_span(name: str, clock: Clock) -> tuple[int, int]:
    """Return the span (UTC ms, half-open) that a name means. Raises BadInput for no such name."""
    try:
        day, unit = _named(name)
    except ValueError:
        raise BadInput(
            "no_period",
            f"{name!r} is no period: write 2026-03, 2026-03-02, 2026-W10 or 2026-Q1",
        ) from None
    number = of_days(np.array([(day - _EPOCH).days], np.int64), unit)
    start, end = bounds(number, unit, clock)
    return int(start[0]), int(end[0])


def _named(name: str) -> tuple[date, Unit]:
    if found := _WEEK.fullmatch(name):
        return date.fromisocalendar(int(found[1]), int(found[2]), 1), "week"
    if found := _QUARTER.fullmatch(name):
        return date(int(found[1]), int(found[2]) * 3 - 2, 1), "quarter"
    if found := _MONTH.fullmatch(name):
        return date(int(found[1]), int(found[2]), 1), "month"
    return date.fromisoformat(name), "day"
