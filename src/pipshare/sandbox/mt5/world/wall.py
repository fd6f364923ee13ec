"""The server's wall clock and how busy its hours are.

The clock is New York plus seven hours: the trading day ends at 17:00 New York, and the switch to
summer time follows the dates of the United States. Server time is "as if UTC".
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_ZONE = ZoneInfo("America/New_York")
_SHIFT_MS = 7 * HOUR_MS
_WINTER_MINUTES = 120
_offsets: dict[int, int] = {}

# Activity by server hour on a weekday: quiet night, Asia, London, the hours with New York.
_WEEKDAY = (4, 4, 5, 7, 7, 6, 6, 6, 8, 14, 15, 13, 12, 12, 14, 20, 22, 21, 17, 12, 10, 9, 7, 5)
_WEEKEND = 3
_WEEK = [*(_WEEKDAY * 5), *([_WEEKEND] * 48)]
# Thousandths of the week's average.
SHAPE = tuple(hour * 168_000 // sum(_WEEK) for hour in _WEEK)
_RELEASES = (10 * 60, 11 * 60, 15 * 60 + 30, 17 * 60, 21 * 60)  # minutes of the server's day
NEWS_MS = 90_000
NEWS_FACTOR = 6


def offset_ms(utc_ms: int) -> int:
    """Return how far the server's clock is ahead of UTC at a moment, in milliseconds."""
    hour = utc_ms // HOUR_MS
    if hour not in _offsets:
        shift = datetime.fromtimestamp(hour * 3_600, UTC).astimezone(_ZONE).utcoffset()
        assert shift is not None
        _offsets[hour] = (shift.days * 86_400 + shift.seconds) * 1000 + _SHIFT_MS
    return _offsets[hour]


def is_summer(utc_ms: int) -> bool:
    """Tell whether the server's clock is on summer time."""
    return offset_ms(utc_ms) != _WINTER_MINUTES * 60_000


def time_settings(utc_ms: int) -> dict[str, str]:
    """Return the time settings as the server answers them: winter offset in minutes, and flags."""
    return {
        "TimeZone": str(_WINTER_MINUTES),
        "Daylight": "1",
        "DaylightState": "1" if is_summer(utc_ms) else "0",
        "TimeServer": "",
    }


def week_hour(wall_ms: int) -> int:
    """Return the hour of the week of a server time: 0 is Monday from midnight, 120 Saturday."""
    return (wall_ms // HOUR_MS + 72) % 168  # 1970-01-01 was a Thursday


def is_weekend(wall_ms: int) -> bool:
    """Tell whether everything but crypto is closed."""
    return (wall_ms // DAY_MS + 3) % 7 >= 5


def news(wall_ms: int, seed: int) -> tuple[bool, int]:
    """Tell whether a release has just come out, and until which server time that answer holds."""
    day = wall_ms // DAY_MS
    if not is_weekend(wall_ms):
        for number, minute in enumerate(_RELEASES):
            start = day * DAY_MS + minute * 60_000
            if (day * 5 + number * 3 + seed) % 4 == 0 and wall_ms < start + NEWS_MS:
                return (True, start + NEWS_MS) if wall_ms >= start else (False, start)
    return False, (day + 1) * DAY_MS
