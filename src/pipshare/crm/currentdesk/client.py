"""Asks CurrentDesk for the records of days, list by list, the one that is furthest behind first."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from pipshare.crm.currentdesk.config import Config
from pipshare.crm.cut import cut
from pipshare.crm.polled import Ask, Call, Page, listed, taken
from pipshare.period import from_ms

_DAY = timedelta(days=1)


class CurrentDesk:
    """A poller; see polled.Poller. The cursor is, of each list, the day that is read up to."""

    def __init__(self, config: Config, call: Call) -> None:
        self.config, self.call, self.poll_s = config, call, float(config.poll_s)
        told = f"{config.user},{config.password}".encode()  # a comma, as they have it
        self.headers = {"Authorization": f"Basic {base64.b64encode(told).decode()}"}

    def fetch(self, cursor: Mapping[str, Any], now_ms: int) -> Iterator[Page]:
        """Yield windows up to today; the first of a list begins `overlap_days` before its mark."""
        config = self.config
        today = max(from_ms(now_ms).date(), config.since)
        marks = {one: _day(cursor.get(one), config.since) for one in config.lists}
        begun: set[str] = set()
        left = list(config.lists)
        while left:
            name = min(left, key=lambda one: (marks[one], config.lists.index(one)))
            start = marks[name]
            if name not in begun:
                start = max(config.since, start - config.overlap_days * _DAY)
                begun.add(name)
            end = min(start + config.window_days * _DAY, today)
            pieces = self._window(name, start, end)
            marks[name] = end
            if end >= today:
                left.remove(name)
            after = {**cursor, **{one: day.isoformat() for one, day in marks.items()}}
            for number, piece in enumerate(pieces, 1):
                whole = number == len(pieces)
                held = after if whole else {**after, name: start.isoformat()}
                yield Page(f"{name}/{start}/{number}", piece, held, not whole or bool(left))
            if not pieces:
                yield Page(name, b"", after, bool(left))

    def close(self) -> None:
        """Nothing is open."""

    def _window(self, name: str, start: date, end: date) -> list[bytes]:
        """Return a window's records. The day after its end is asked for, too: a zone is ahead."""
        query = urlencode({"startDate": start.isoformat(), "endDate": (end + _DAY).isoformat()})
        url = f"{self.config.url}/{name}"
        answer = self.call(Ask(f"{url}?{query}", self.headers))
        listed(taken(answer, url), url)
        return cut(answer.body)


def _day(told: Any, since: date) -> date:
    return max(date.fromisoformat(told), since) if isinstance(told, str) else since
