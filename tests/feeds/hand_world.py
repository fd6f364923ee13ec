"""A trade server's world that a test writes by hand, deal by deal, with a clock that it sets.

It has the calls that the sandbox server makes of a world, so that the real server serves it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from pipshare.period import Clock

MONDAY_MS = 1_795_428_000_000  # 2026-11-23 10:00 UTC, a Monday
CLOCK = Clock.parse("America/New_York+7h")
GROUP = "real\\standard"
DAY, HOUR, MINUTE = 86_400, 3_600, 60


class HandWorld:
    """Accounts 101 to 104 in one group, 105 in another; nothing happens by itself."""

    def __init__(self, utc_ms: int) -> None:
        self.lock = threading.RLock()
        self.now_ms = utc_ms
        self.skew_ms = 0  # by how much the server's clock is wrong
        self.records: dict[int, dict[str, Any]] = {}
        self.accounts = dict.fromkeys((101, 102, 103, 104), GROUP) | {105: "real\\other"}
        self.hidden: set[int] = set()
        self.next = 1_000

    # What the server asks for.

    def clock(self) -> int:
        return self.now_ms + self.skew_ms

    def server_ms(self, utc_ms: int) -> int:
        return int(CLOCK.from_utc(np.array([utc_ms], np.int64))[0])

    def advance(self, utc_ms: int | None = None) -> int:
        return 0

    def time_settings(self) -> dict[str, str]:
        return {"TimeZone": "120", "Daylight": "1", "DaylightState": "1"}

    def logins(self, mask: str) -> list[int]:
        masks = mask.split(",")
        return [
            login
            for login, group in sorted(self.accounts.items())
            if login not in self.hidden
            and any(fnmatchcase(group, m) for m in masks if m[:1] != "!")
            and not any(fnmatchcase(group, m[1:]) for m in masks if m[:1] == "!")
        ]

    def deal(self, ticket: int) -> bytes | None:
        found = self.records.get(ticket)
        return _json(found) if found and int(found["Login"]) not in self.hidden else None

    def deals(
        self, *, logins: Iterable[int] | None = None, tickets: Iterable[int] | None = None,
        from_s: int = 0, to_s: int = 2**62, symbol: str | None = None,
    ) -> list[bytes]:  # fmt: skip
        who = set(self.accounts) if logins is None else set(logins)
        return [
            _json(record)
            for _, record in sorted(self.records.items())
            if int(record["Login"]) in who - self.hidden and from_s <= int(record["Time"]) <= to_s
        ]

    def user(self, login: int) -> bytes | None:
        if login not in self.accounts or login in self.hidden:
            return None
        told = {
            "Login": str(login), "Group": self.accounts[login], "Rights": "483", "Agent": "0",
            "Status": "", "Country": "", "Registration": "1700000000",
        }  # fmt: skip
        return _json(told)

    def account(self, login: int) -> bytes | None:
        return None

    def groups(self) -> list[bytes]:
        return [_json({"Group": GROUP, "Currency": "USD", "CurrencyDigits": "2"})]

    def symbols(self) -> list[bytes]:
        return []

    def symbol(self, name: str) -> bytes | None:
        return None

    def positions(self, logins: Any) -> list[bytes]:
        return []

    orders = positions

    def history(self, logins: Any, from_s: int, to_s: int) -> list[bytes]:
        return []

    # What a test does.

    @property
    def now_s(self) -> int:
        """The server's clock, in seconds."""
        return self.server_ms(self.clock()) // 1000

    def forward(self, seconds: float) -> None:
        with self.lock:
            self.now_ms += round(seconds * 1000)

    def put(self, login: int = 101, ago: float = 1, **fields: Any) -> int:
        """Add a deal of `ago` seconds ago; a buy of one lot of EURUSD that opens a position."""
        with self.lock:
            ticket = fields.pop("ticket", None) or self.next
            self.next = max(self.next, ticket) + 1
            ms = self.server_ms(self.clock()) - round(ago * 1000)
            told = {
                "Deal": ticket, "Login": login, "Order": ticket, "PositionID": ticket, "Action": 0,
                "Entry": 0, "Reason": 0, "Time": ms // 1000, "TimeMsc": ms, "Symbol": "EURUSD",
                "ContractSize": "100000.00000000", "Price": "1.10000", "Volume": 10_000,
                "VolumeExt": 100_000_000, "VolumeClosed": 0, "VolumeClosedExt": 0,
                "Profit": "0.00", "Storage": "0.00", "Commission": "0.00", "Fee": "0.00",
                "RateProfit": "1.00000000", "PricePosition": "0.00000", "PriceGateway": "0.00000",
                "MarketBid": "1.09990", "MarketAsk": "1.10000", "Comment": "", **fields,
            }  # fmt: skip
            self.records[ticket] = {name: str(value) for name, value in told.items()}
            return ticket

    def close(self, position: int, login: int = 101, ago: float = 1, **fields: Any) -> int:
        """Add the deal that closes a position."""
        told = {
            "PositionID": position, "Action": 1, "Entry": 1, "VolumeClosed": 10_000,
            "VolumeClosedExt": 100_000_000, "Profit": "12.50", "Price": "1.10100", **fields,
        }  # fmt: skip
        return self.put(login, ago, **told)

    def trade(self, login: int = 101, ago: float = 1, held: float = 600) -> tuple[int, int]:
        """Add a whole trade; return the tickets of its two deals."""
        opened = self.put(login, ago + held)
        return opened, self.close(opened, login, ago)

    def edit(self, ticket: int, **fields: Any) -> None:
        with self.lock:
            told = {name: str(value) for name, value in fields.items()}
            self.records[ticket] = self.records[ticket] | told

    def cancel(self, ticket: int) -> None:
        """As a dealer cancels: the ticket changes its action, a balance deal puts money right."""
        old = self.records[ticket]
        self.edit(ticket, Action=int(old["Action"]) + 13, Profit="0.00")
        self.put(int(old["Login"]), 0, Action=2, Profit="-12.50", PositionID=0, Symbol="",
                 Comment=f"cancel #{ticket}")  # fmt: skip

    def delete(self, *tickets: int) -> dict[int, dict[str, Any]]:
        with self.lock:
            return {ticket: self.records.pop(ticket) for ticket in tickets}


def _json(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode()
