"""The broker's own day, by hand: wall time of one moment, and the windows of plans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import date as Date
from zoneinfo import ZoneInfo

_START = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True)
class BrokerDay:
    """A wall clock: an IANA zone and a shift, as period.Clock has them."""

    zone: str = "UTC"
    shift_ms: int = 0

    def wall(self, utc_ms: int) -> int:
        """Return what the clock shows at a moment, in ms "as if UTC"."""
        local = (_START + utc_ms * _MS).astimezone(ZoneInfo(self.zone))
        return (local.replace(tzinfo=UTC) - _START) // _MS + self.shift_ms

    def utc(self, wall_ms: int) -> int:
        """Return the moment of a wall time; of one that comes twice the first."""
        local = (_START + (wall_ms - self.shift_ms) * _MS).replace(tzinfo=ZoneInfo(self.zone))
        return (local.astimezone(UTC) - _START) // _MS

    def date(self, utc_ms: int) -> Date:
        """Return the broker's date of a moment."""
        return (_START + self.wall(utc_ms) * _MS).date()

    def window(self, utc_ms: int, name: str) -> Date:
        """Return the first day of the window that a moment is in; `life` is one window."""
        return window_start(self.date(utc_ms), name)

    def last_ms(self, start: Date, name: str) -> int:
        """Return the last millisecond (UTC) of the window that begins on a date."""
        following = next_window(start, name)
        midnight = datetime(following.year, following.month, following.day, tzinfo=UTC)
        return self.utc((midnight - _START) // _MS) - 1


def window_start(day: Date, name: str) -> Date:
    """Return the first day of the window around a date."""
    if name == "week":
        return day - timedelta(days=day.weekday())
    if name == "month":
        return day.replace(day=1)
    if name == "quarter":
        return Date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    if name == "year":
        return Date(day.year, 1, 1)
    return Date(1970, 1, 1) if name == "life" else day


def next_window(start: Date, name: str) -> Date:
    """Return the first day of the following window."""
    if name in ("day", "week"):
        return start + timedelta(days=7 if name == "week" else 1)
    months = {"month": 1, "quarter": 3, "year": 12}.get(name, 12 * 130)
    return add_months(start, months)


def add_months(start: Date, months: int) -> Date:
    """Return the first of a month so many months on (or back)."""
    total = start.year * 12 + start.month - 1 + months
    return Date(total // 12, total % 12 + 1, 1)


def shift_window(start: Date, name: str, windows: int) -> Date:
    """Return the start of the window so many windows on (or back)."""
    if name == "life":
        return start if not windows else Date.min
    if name in ("day", "week"):
        return start + timedelta(days=windows * (7 if name == "week" else 1))
    return add_months(start, windows * {"quarter": 3, "year": 12}.get(name, 1))
