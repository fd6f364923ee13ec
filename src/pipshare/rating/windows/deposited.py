"""What clients' deposits add to a period's sum: all of them, less withdrawals, or each first one.

A deposit counts from the moment at which it clears. What takes it back counts at its own moment,
but for the chain that stood above the client when it was deposited: who was paid gives it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Literal

from pipshare.rating.qualify.life import Life
from pipshare.rating.qualify.movements import Movement

Which = Literal["all", "net", "first"]
# Client, moment, amount (1e-8), currency, event, and the moment of the deposit or withdrawal.
Move = tuple[int, int, int, str, str, int]


def moves(known: Iterable[Life], which: Which) -> list[Move]:
    """Return by how much what counts of each client's deposits changes, and when."""
    found: list[Move] = []
    for life in known:
        if which == "first":
            found += _of_first(life)
            continue
        for one in life.deposits:
            found += _of_one(life.client, one, 1)
        for one in life.withdrawals if which == "net" else ():
            found += _of_one(life.client, one, -1)
    return found


def _of_one(client: int, movement: Movement, sign: int) -> Iterator[Move]:
    before = Fraction(0)
    for at, event in _moments([movement]):
        now = movement.standing(at)
        if now != before:
            yield _move(client, at, sign * (now - before), event, movement)
        before = now


def _of_first(life: Life) -> Iterator[Move]:
    """The first deposit is the one sent first of those that stand; a later one may become it."""
    before: tuple[Movement, Fraction] | None = None
    for at, event in _moments(life.deposits):
        standing = [(one, one.standing(at)) for one in life.deposits if one.counts_ms <= at]
        some = [pair for pair in standing if pair[1] > 0]
        now = min(some, key=lambda pair: (pair[0].at_ms, pair[0].event), default=None)
        if now != before:
            if before is not None:
                yield _move(life.client, at, -before[1], event, before[0])
            if now is not None:
                yield _move(life.client, at, now[1], event, now[0])
        before = now


def _moments(movements: Sequence[Movement]) -> list[tuple[int, str]]:
    """Return when something may change, and the event by which; never before it counts."""
    found: dict[int, str] = {}
    for one in movements:
        found.setdefault(one.counts_ms, one.event)
        for taking in one.takings:
            found.setdefault(max(taking.at_ms, one.counts_ms), taking.event)
    return sorted(found.items())


def _move(client: int, at: int, amount: Fraction, event: str, of: Movement) -> Move:
    return client, at, int(amount * 10**8), of.currency, event, of.counts_ms
