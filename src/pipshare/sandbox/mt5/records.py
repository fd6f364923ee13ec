"""Calls for deals, positions, open orders and closed orders: get, get_total, get_page, get_batch.

The four families differ in their ticket field, in whether they want a period, and in how a ticket
is found; everything else is the same in the documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipshare.sandbox.mt5.asked import (
    Asked,
    Call,
    exactly_one,
    fields,
    known_login,
    logins_of,
    many,
    one,
    page_of,
    total,
)
from pipshare.sandbox.mt5.world import World

EVER = (0, 2**53)
Fetch = Callable[[World, Sequence[int] | None, int, int], list[bytes]]
Find = Callable[[World, Sequence[int]], list[bytes]]


@dataclass(frozen=True)
class Family:
    """One family of records: how its records are fetched by login, and found by ticket."""

    fetch: Fetch
    find: Find
    timed: bool = False  # from and to are required with login and group

    def get(self, asked: Asked) -> bytes:
        """One record by its ticket."""
        found = self.find(asked.world, [asked.given.whole("ticket")])
        return one(found[0] if found else None)

    def get_total(self, asked: Asked) -> bytes:
        """How many records a login has."""
        return total(len(self._of(asked, [known_login(asked)])))

    def get_page(self, asked: Asked) -> bytes:
        """A page of a login's records."""
        return page_of(asked, self._of(asked, [known_login(asked)]))

    def get_batch(self, asked: Asked) -> bytes:
        """The records of logins, of groups, or of tickets, whole; `symbol` narrows it."""
        if exactly_one(asked.given, "login", "group", "ticket") == "ticket":
            return many(self.find(asked.world, asked.given.wholes("ticket")))
        return many(_of_symbols(asked, self._of(asked, logins_of(asked))))

    def calls(self, path: str) -> dict[str, Call]:
        """Return the family's calls by their path."""
        return {
            f"{path}/get": self.get,
            f"{path}/get_total": self.get_total,
            f"{path}/get_page": self.get_page,
            f"{path}/get_batch": self.get_batch,
        }

    def _of(self, asked: Asked, logins: Sequence[int] | None) -> list[bytes]:
        start, end = EVER
        if self.timed:
            start, end = asked.given.whole("from"), asked.given.whole("to")
        return self.fetch(asked.world, logins, start, end)


def _of_symbols(asked: Asked, records: list[bytes]) -> list[bytes]:
    symbols = set(asked.given.words("symbol"))
    if not symbols:
        return records
    return [record for record in records if fields(record)["Symbol"] in symbols]


def _tickets(name: str, records: list[bytes], tickets: Sequence[int]) -> list[bytes]:
    wanted = {str(ticket) for ticket in tickets}
    return [record for record in records if fields(record)[name] in wanted]


def _position(asked: Asked) -> bytes:
    """One position by login and symbol; where hedging leaves several, the first."""
    login, symbol = known_login(asked), asked.given.word("symbol")
    found = [p for p in asked.world.positions([login]) if fields(p)["Symbol"] == symbol]
    return one(found[0] if found else None)


DEALS = Family(
    lambda world, logins, start, end: world.deals(
        logins=logins, tickets=None, from_s=start, to_s=end, symbol=None
    ),
    lambda world, tickets: [deal for ticket in tickets if (deal := world.deal(ticket)) is not None],
    timed=True,
)
POSITIONS = Family(
    lambda world, logins, _start, _end: world.positions(logins),
    lambda world, tickets: _tickets("Position", world.positions(None), tickets),
)
ORDERS = Family(
    lambda world, logins, _start, _end: world.orders(logins),
    lambda world, tickets: _tickets("Order", world.orders(None), tickets),
)
HISTORY = Family(
    lambda world, logins, start, end: world.history(logins, start, end),
    lambda world, tickets: _tickets("Order", world.history(None, *EVER), tickets),
    timed=True,
)
CALLS: dict[str, Call] = {
    **DEALS.calls("/api/deal"),
    **POSITIONS.calls("/api/position"),
    **ORDERS.calls("/api/order"),
    **HISTORY.calls("/api/history"),
    "/api/position/get": _position,
}
