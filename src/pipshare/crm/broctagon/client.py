"""Asks Broctagon for all clients once in a while, and for the transactions of days."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from pipshare.crm.broctagon.config import SHA256, Config
from pipshare.crm.lists import Listing, read_lists, walked
from pipshare.crm.polled import JSON, Ask, Call, Page
from pipshare.period import from_ms

_DAY = timedelta(days=1)
_WINDOW = 30 * _DAY  # at once; three months are allowed
_USERS, _MONEY = "users", "transactions"


class Broctagon:
    """A poller; see polled.Poller. The cursor: the clients' list, and the transactions' day."""

    def __init__(self, config: Config, call: Call) -> None:
        self.config, self.call, self.poll_s = config, call, float(config.poll_s)

    def fetch(self, cursor: Mapping[str, Any], now_ms: int) -> Iterator[Page]:
        """Yield the clients if they are due, then transactions up to today."""
        config = self.config
        users = Listing(_USERS, self._users, ("records",), config.page, config.clients_s)
        held = dict(cursor)
        for page in read_lists([users], self.call, cursor, now_ms):
            held = page.cursor
            yield Page(page.place, page.body, page.cursor)
        today = max(from_ms(now_ms).date(), config.since)
        mark = held.get(_MONEY)
        start = date.fromisoformat(mark) if isinstance(mark, str) else config.since
        start = max(config.since, start - config.overlap_days * _DAY)
        while True:
            end = min(start + _WINDOW, today)
            whole = Listing(_MONEY, self._report(start, end), ("records",), config.page, 0)
            for body, rows, state in walked(whole, self.call, {}, now_ms):
                done = not state["going"]
                if done:
                    held = {**held, _MONEY: end.isoformat()}
                more = not done or end < today
                yield Page(f"{_MONEY}/{start}/{state['at'] - rows}", body if rows else b"", held,
                           more)  # fmt: skip
            if end >= today:
                return
            start = end

    def close(self) -> None:
        """Nothing is open."""

    def _users(self, at: int, size: int) -> Ask:
        query = urlencode({"skip": at, "limit": size})
        return Ask(f"{self.config.url}/public/v1/users?{query}", {"key": self.config.key})

    def _report(self, start: date, end: date) -> Any:
        def ask(at: int, size: int) -> Ask:
            # The day after is asked for, too: whether `end` belongs to it nobody says.
            told = {"skip": at, "limit": size, "start": start.isoformat(),
                    "end": (end + _DAY).isoformat()}  # fmt: skip
            body = json.dumps(told, separators=(",", ":")).encode()
            headers = {"key": self.config.key, "Content-Type": JSON,
                       "signature": signature(self.config, told, body)}  # fmt: skip
            url = f"{self.config.url}/public/v1/report/transactions"
            return Ask(url, headers, "POST", body)

        return ask


def signature(config: Config, told: Mapping[str, Any], body: bytes) -> str:
    """Return the signature of a request with a body, as the CRM's version reckons it."""
    if config.signature == SHA256:
        return "sha256=" + hmac.new(config.key.encode(), body, hashlib.sha256).hexdigest()
    text = "&".join(f"{name}={told[name]}" for name in sorted(told) if told[name] != "")
    return hashlib.sha1(f"{text}{config.key}".encode()).hexdigest().upper()
