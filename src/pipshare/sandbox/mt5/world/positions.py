"""Open positions: found by account, and drawn from at random to be closed."""

from __future__ import annotations

from typing import Any

from pipshare.sandbox.mt5.world.dice import Dice
from pipshare.sandbox.mt5.world.price_list import SYMBOLS, Quoted


class Position:
    """An open position. `lots` in hundredths, `points` its opening price, `time_s` server time."""

    __slots__ = ("account", "buy", "expert", "lots", "points", "quoted", "slot", "ticket", "time_s")

    def __init__(
        self, ticket: int, account: int, quoted: Quoted, buy: bool, lots: int, points: int,
        time_s: int, expert: int,
    ) -> None:  # fmt: skip
        self.ticket, self.account, self.quoted, self.buy = ticket, account, quoted, buy
        self.lots, self.points, self.time_s, self.expert = lots, points, time_s, expert
        self.slot = -1


class Positions:
    """All open positions, those in crypto apart: they trade at weekends."""

    def __init__(self) -> None:
        self._pools: tuple[list[Position], list[Position]] = ([], [])
        self._held: dict[int, list[Position]] = {}

    def __len__(self) -> int:
        return len(self._pools[0]) + len(self._pools[1])

    def add(self, position: Position) -> None:
        """Take in a position."""
        pool = self._pools[position.quoted.crypto]
        position.slot = len(pool)
        pool.append(position)
        self._held.setdefault(position.account, []).append(position)

    def remove(self, position: Position) -> None:
        """Take out a position: the last one of its pool takes its slot."""
        pool = self._pools[position.quoted.crypto]
        last = pool.pop()
        if last is not position:
            pool[position.slot] = last
            last.slot = position.slot
        self._held[position.account].remove(position)

    def held(self, account: int) -> list[Position]:
        """Return an account's positions, oldest first."""
        return self._held.get(account, [])

    def draw(self, dice: Dice, *, crypto_only: bool) -> Position | None:
        """Draw a position to close; None = there is none.

        The youngest of four, mostly: so half are held for minutes, and some for days. One in
        sixteen is any.
        """
        plain, crypto = ([] if crypto_only else self._pools[0]), self._pools[1]
        count = len(plain) + len(crypto)
        if not count:
            return None
        best: Position | None = None
        some, more = dice.roll(), dice.roll()
        for part in (some & 0xFFFF, some >> 16, more & 0xFFFF, more >> 16):
            place = part * count >> 16
            found = plain[place] if place < len(plain) else crypto[place - len(plain)]
            if best is None or found.ticket > best.ticket:
                best = found
            if not some & 0xF:
                break
        return best

    def to_state(self) -> list[list[list[Any]]]:
        """Return the positions for the file, pools and slots as they are."""
        return [
            [
                [p.ticket, p.account, p.quoted.number, p.buy, p.lots, p.points, p.time_s, p.expert]
                for p in pool
            ]
            for pool in self._pools
        ]

    def restore(self, state: list[list[list[Any]]]) -> None:
        """Take up what the file says."""
        for rows in state:
            for ticket, account, symbol, *rest in rows:
                self.add(Position(ticket, account, SYMBOLS[symbol - 1], *rest))
        # An account's positions stand in the order in which they were opened: tickets ascend.
        for held in self._held.values():
            held.sort(key=_ticket)


def _ticket(position: Position) -> int:
    return position.ticket
