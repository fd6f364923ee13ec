"""Everything that the world is at one moment: what is written down and taken up again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pipshare.sandbox.mt5.world.accounts import Accounts, login_of
from pipshare.sandbox.mt5.world.block import Row
from pipshare.sandbox.mt5.world.deal_json import cash_deal
from pipshare.sandbox.mt5.world.deals import Deals
from pipshare.sandbox.mt5.world.dice import Dice
from pipshare.sandbox.mt5.world.positions import Positions
from pipshare.sandbox.mt5.world.price_list import BY_NAME
from pipshare.sandbox.mt5.world.prices import Prices
from pipshare.sandbox.mt5.world.size import Size

NO_SYMBOL = 0


class Realm:
    """Accounts, prices, positions and deals, and where chance, tickets and time have come to.

    `start_ms`: UTC of the first start. `next_ns`: UTC of the next event, which is an opening where
    `opens`. `spans`: times with a rate of their own, as (from ns, to ns, closes in 1,000 s, whether
    hours of the day count); the last one that covers a moment holds.
    """

    def __init__(self, seed: int, size: Size, start_ms: int) -> None:
        self.seed, self.size, self.start_ms = seed, size, start_ms
        self.dice = Dice(seed)
        self.prices = Prices()
        self.accounts = Accounts(seed, size.logins)
        self.positions = Positions()
        self.deals = Deals()
        self.pending: list[dict[str, str]] = []
        self.next_deal = size.first_deal
        self.next_order = size.first_deal + 3_700_000
        self.events = 0
        self.next_ns = start_ms * 1_000_000
        self.opens = True
        self.spans: list[tuple[int, int, int, bool]] = []
        self.symbols = {name: quoted.number for name, quoted in BY_NAME.items()} | {"": NO_SYMBOL}

    def ticket(self) -> int:
        """Return the next deal ticket."""
        self.next_deal += 1
        return self.next_deal - 1

    def order(self) -> int:
        """Return the next order ticket."""
        self.next_order += 1
        return self.next_order - 1

    def symbol_number(self, name: str) -> int:
        """Return the number by which deals of a symbol are found; a new name gets a new one."""
        return self.symbols.setdefault(name, len(self.symbols))

    def cash(
        self, account: int, action: int, cents: int, comment: str, wall_ms: int,
        *, dealer: int = 0, reason: int = 0, counts: bool = True,
    ) -> int:  # fmt: skip
        """Add a deal without a trade; it moves the balance where it `counts`. Return its ticket."""
        ticket = self.ticket()
        data = cash_deal(ticket, login_of(account), action, cents, comment, wall_ms,
                         dealer=dealer, reason=reason)  # fmt: skip
        self.deals.add(Row(ticket, account, wall_ms // 1000, NO_SYMBOL, data))
        if counts:
            self.accounts.balance[account] += cents
        return ticket

    def to_state(self) -> dict[str, Any]:
        """Return all of it but the blocks of deals, for the file."""
        deals = self.deals
        return {
            "seed": self.seed, "size": asdict(self.size), "start_ms": self.start_ms,
            "dice": [self.dice.block, self.dice.place], "bids": self.prices.bids,
            "accounts": self.accounts.to_state(), "positions": self.positions.to_state(),
            "pending": self.pending, "next_deal": self.next_deal, "next_order": self.next_order,
            "events": self.events, "next_ns": self.next_ns, "opens": self.opens,
            "spans": self.spans, "symbols": self.symbols, "rows": [_out(r) for r in deals.rows],
            "changed": [[place, _out(row)] for place, row in deals.changed.items()],
            "blocks": [[number, place, _out(row)] for number, block in enumerate(deals.blocks)
                       for place, row in block.changed.items()],
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what the file says; the blocks of deals are there already."""
        self.dice = Dice(self.seed, *state["dice"])
        self.prices = Prices(state["bids"])
        self.accounts.restore(state["accounts"])
        self.positions.restore(state["positions"])
        self.pending = state["pending"]
        self.next_deal, self.next_order = state["next_deal"], state["next_order"]
        self.events, self.next_ns, self.opens = state["events"], state["next_ns"], state["opens"]
        self.spans = [(a, b, rate, hours) for a, b, rate, hours in state["spans"]]
        self.symbols = state["symbols"]
        self.deals.rows = [row for out in state["rows"] if (row := _in(out))]
        self.deals.changed = {place: _in(out) for place, out in state["changed"]}
        for number, place, out in state["blocks"]:
            self.deals.blocks[number].change(place, _in(out))


def _out(row: Row | None) -> list[Any] | None:
    return None if row is None else [*row[:4], row.data.decode()]


def _in(out: list[Any] | None) -> Row | None:
    return None if out is None else Row(out[0], out[1], out[2], out[3], out[4].encode())
