"""The server's clock, read from its answer and checked against what a wall clock can show."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from pipshare.sources.mt5_web.errors import ClockWrong, Garbled
from pipshare.sources.mt5_web.values import ServerTime, TimeSettings

_TIME = re.compile(r"(\d{1,12})(?:\s+(\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d))?\s*")
_HOUR_MS = 3_600_000
_LOOSE_MS = 300_000
_WEST, _EAST = -12 * _HOUR_MS - _LOOSE_MS, 14 * _HOUR_MS + _LOOSE_MS


def server_time(told: Any, utc_ms: int, where: str) -> ServerTime:
    """Read `{"Time": "1572518788 2019.10.31 10:46:28"}`. Raises Garbled, or ClockWrong.

    The number is the wall clock as if UTC; the text beside it has to say the same. No zone on
    earth is more than 12 hours behind or 14 hours ahead of UTC.
    """
    text = str(told.get("Time", "")) if isinstance(told, dict) else ""
    found = _TIME.fullmatch(text)
    if found is None:
        raise Garbled(f"{where} gave no time ({text[:60]!r})")
    seconds = int(found[1])
    if found[2] and seconds < 2**32:
        printed = datetime.fromtimestamp(seconds, UTC).strftime("%Y.%m.%d %H:%M:%S")
        if printed != found[2]:
            raise ClockWrong(f"{where} gave two different times: {text[:60]!r}")
    now = ServerTime(seconds * 1000, utc_ms)
    if not _WEST <= now.offset_ms <= _EAST:
        hours = abs(now.offset_ms) // _HOUR_MS
        raise ClockWrong(
            f"the clock of {where} ({found[2] or seconds}) is {hours} hours "
            f"{'ahead of' if now.offset_ms > 0 else 'behind'} UTC, which no time zone is: set the "
            "trade server's clock, or this machine's, right"
        )
    return now


def time_settings(told: Any, where: str) -> TimeSettings:
    """Read TimeZone (minutes) and Daylight. Raises Garbled."""
    told = told if isinstance(told, dict) else {}
    zone = re.fullmatch(r"[+-]?\d{1,4}", str(told.get("TimeZone", "")).strip())
    if zone is None:
        raise Garbled(f"{where} gave no time zone")
    return TimeSettings(int(zone[0]), str(told.get("Daylight", "0")).strip() not in ("", "0"))
