"""Follow one position deal by deal: which opening legs does each closing deal close?

First in, first out, in exact integers. The scalar truth behind the columns of assemble.py, and
what `explain` shows. Rules and their reasons: docs/decisions/0006.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipshare.errors import BadInput
from pipshare.facts import Kind, Side
from pipshare.money import half_even
from pipshare.money.amounts import MAX_E8

IN, OUT, INOUT, OUT_BY = 0, 1, 2, 3  # EnDealEntry
BUY, SELL, BUY_CANCELED, SELL_CANCELED = 0, 1, 13, 14  # EnDealAction


class Step(NamedTuple):
    """One deal of the position, action BUY or SELL. `closed_e8` 0 in an INOUT = not told."""

    row: int  # the caller's own number of the deal
    deal: int
    action: int
    entry: int
    time_ms: int
    volume_e8: int
    closed_e8: int
    price_e8: int
    position_price_e8: int
    commission_e8: int
    fee_e8: int


@dataclass(frozen=True, slots=True)
class Leg:
    """What one closing deal closed of one opening deal, with its share of that deal's charges."""

    deal: int
    time_ms: int
    price_e8: int
    lots_e8: int
    commission_e8: int
    fee_e8: int


@dataclass(frozen=True, slots=True)
class Closing:
    """One closing deal with its opening. `legs` is empty where the opening is not known.

    `lots_e8` 0 = how much it closed is not known either (a reversal without VolumeClosed).
    """

    row: int
    deal: int
    side: int
    kind: int
    lots_e8: int
    open_ms: int
    open_price_e8: int
    commission_e8: int
    fee_e8: int
    legs: tuple[Leg, ...]

    @property
    def known(self) -> bool:
        """Whether the opening legs are known."""
        return bool(self.legs)


@dataclass(slots=True)
class _Lot:
    """An opening deal with what is left of it."""

    deal: int
    time_ms: int
    price_e8: int
    volume_e8: int
    left_e8: int
    commission_e8: int
    commission_left_e8: int
    fee_e8: int
    fee_left_e8: int

    def take(self, lots_e8: int) -> tuple[Leg, bool]:
        """Close `lots_e8` of it; tell also whether that was all of it at once.

        Charges go by closed volume; the closing that uses the lot up takes the rest of them.
        """
        whole = lots_e8 == self.volume_e8
        if lots_e8 == self.left_e8:
            commission, fee = self.commission_left_e8, self.fee_left_e8
        else:
            commission = half_even(self.commission_e8 * lots_e8, self.volume_e8)
            fee = half_even(self.fee_e8 * lots_e8, self.volume_e8)
        self.left_e8 -= lots_e8
        self.commission_left_e8 -= commission
        self.fee_left_e8 -= fee
        return Leg(self.deal, self.time_ms, self.price_e8, lots_e8, commission, fee), whole


_Book = dict[int, deque[_Lot]]  # what is open, by Side, oldest first


def walk(steps: Sequence[Step]) -> list[Closing]:
    """Return the closings of one position, in the order in which they were followed.

    The order is by time, then ticket; when a closing then lacks its opening, by ticket alone,
    which is right in the hour that the server's clock has twice. A function of the set of deals:
    the order of arrival does not matter. Raises BadInput when an amount leaves 64 bits.
    """
    closings = _follow(sorted(steps, key=lambda step: (step.time_ms, step.deal)))
    if all(closing.known for closing in closings):
        return closings
    by_ticket = _follow(sorted(steps, key=lambda step: step.deal))
    return by_ticket if all(closing.known for closing in by_ticket) else closings


def direction(action: int) -> int:
    """Return the Side a deal buys into: BUY and its cancellation 1, SELL and its -1."""
    return Side.BUY if action in (BUY, BUY_CANCELED) else Side.SELL


def _follow(steps: Iterable[Step]) -> list[Closing]:
    book: _Book = {Side.BUY: deque(), Side.SELL: deque()}
    closings = []
    for step in steps:
        if step.entry == IN:
            _open(book, step, step.volume_e8, step.commission_e8, step.fee_e8)
        elif step.entry in (OUT, OUT_BY):
            lots = step.closed_e8 or step.volume_e8
            closings.append(_close(book, step, lots, step.commission_e8, step.fee_e8))
        elif step.entry == INOUT:
            closings.append(_reverse(book, step))
    return closings


def _open(book: _Book, step: Step, lots_e8: int, commission_e8: int, fee_e8: int) -> None:
    lot = _Lot(step.deal, step.time_ms, step.price_e8, lots_e8, lots_e8,
               commission_e8, commission_e8, fee_e8, fee_e8)  # fmt: skip
    book[direction(step.action)].append(lot)


def _reverse(book: _Book, step: Step) -> Closing:
    """Close what was open and open the rest on the other side; charges go by volume."""
    opened = book[-direction(step.action)]
    closed = step.closed_e8 or min(step.volume_e8, sum(lot.left_e8 for lot in opened))
    rest = step.volume_e8 - closed
    if not closed or rest <= 0:
        return _close(book, step, closed, step.commission_e8, step.fee_e8)
    commission = half_even(step.commission_e8 * closed, step.volume_e8)
    fee = half_even(step.fee_e8 * closed, step.volume_e8)
    closing = _close(book, step, closed, commission, fee)
    _open(book, step, rest, step.commission_e8 - commission, step.fee_e8 - fee)
    return closing


def _close(book: _Book, step: Step, lots_e8: int, commission_e8: int, fee_e8: int) -> Closing:
    side = -direction(step.action)
    legs, whole = _take(book[side], lots_e8)
    kind = _kind(step, whole)
    if not legs:
        return Closing(step.row, step.deal, side, kind, lots_e8, 0, step.position_price_e8,
                       commission_e8, fee_e8, ())  # fmt: skip
    price = half_even(sum(leg.price_e8 * leg.lots_e8 for leg in legs), lots_e8)
    commission_e8 += sum(leg.commission_e8 for leg in legs)
    fee_e8 += sum(leg.fee_e8 for leg in legs)
    if max(abs(commission_e8), abs(fee_e8)) > MAX_E8:
        raise BadInput(
            "amount_too_large",
            f"deal {step.deal}: its charges and those of its opening deals together are larger "
            "than an amount can be (9.2e10); correct the deals and import them again",
        )
    return Closing(step.row, step.deal, side, kind, lots_e8, legs[0].time_ms, price,
                   commission_e8, fee_e8, tuple(legs))  # fmt: skip


def _take(opened: deque[_Lot], lots_e8: int) -> tuple[list[Leg], bool]:
    """Take the legs of a closing; no legs when too little is open.

    What is open is used up even then: the closing closed it, with an opening nobody has told.
    """
    legs, whole, missing = [], True, lots_e8
    while missing and opened:
        leg, untouched = opened[0].take(min(missing, opened[0].left_e8))
        legs.append(leg)
        whole = whole and untouched
        missing -= leg.lots_e8
        if not opened[0].left_e8:
            opened.popleft()
    return ([], True) if missing else (legs, whole)


def _kind(step: Step, whole: bool) -> Kind:
    if step.entry == INOUT:
        return Kind.REVERSAL
    if step.entry == OUT_BY:
        return Kind.CLOSE_BY
    return Kind.WHOLE if whole else Kind.PARTIAL
