"""The sum of a basis over a period, per chain, window and currency: exact."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from pipshare.period import Clock
from pipshare.period import Millis as Longs
from pipshare.rating.finish import group_numbers
from pipshare.rating.values import Values
from pipshare.rating.windows.calendar import Unit, spans

_SAFE = 2**62


@dataclass
class Sum:
    """An exact sum, the lots (e8) that it was made of, and the last moment among its rows."""

    value: Fraction
    lots_e8: int
    last_ms: int

    def add(self, other: Sum) -> None:
        """Take in another sum."""
        self.value += other.value
        self.lots_e8 += other.lots_e8
        self.last_ms = max(self.last_ms, other.last_ms)


# Start and end of the window (UTC ms), chain, client, code of the currency.
Key = tuple[int, int, int, int, int]


def sums(
    values: Values, rows: Longs, chain: Longs, client: Longs, moment_ms: Longs, lots_e8: Longs,
    unit: Unit, clock: Clock,
) -> dict[Key, Sum]:  # fmt: skip
    """Sum the values of `rows` by chain, client, currency and window of their moment.

    The other columns are parallel to the values. The order of rows does not matter.
    """
    start, end = spans(moment_ms[rows], unit, clock)
    currency = values.currency[rows].astype(np.int64)
    columns = start, end, chain[rows], client[rows], currency
    number, count = group_numbers(*columns)
    totals = _totals(values, rows, number, count)
    first = np.unique(number, return_index=True)[1]
    keys = zip(*(column[first].tolist() for column in columns), strict=True)
    last = np.full(count, -1, np.int64)
    lots = np.zeros(count, np.int64)
    np.maximum.at(last, number, moment_ms[rows])
    np.add.at(lots, number, lots_e8[rows])
    found = zip(totals, lots.tolist(), last.tolist(), strict=True)
    return dict(zip(keys, (Sum(*one) for one in found), strict=True))


def _totals(values: Values, rows: Longs, number: Longs, count: int) -> list[Fraction]:
    """Return the exact total of each number; whole numbers are added before fractions are."""
    totals = [Fraction(0)] * count
    if not len(rows):
        return totals
    ones = np.ones(len(rows), np.int64)
    top = ones if values.top is None else values.top[rows]
    bottom = ones if values.bottom is None else values.bottom[rows]
    num = values.num[rows]
    order = np.lexsort((bottom, top, number))
    number_, top_, bottom_ = number[order], top[order], bottom[order]
    same = (np.diff(number_) == 0) & (np.diff(top_) == 0) & (np.diff(bottom_) == 0)
    starts = np.flatnonzero(np.r_[True, ~same])
    held = num[order]
    if int(np.abs(held).max(initial=0)) * len(held) >= _SAFE:
        held = held.astype(object)
    added = np.add.reduceat(held, starts)
    for place, total in zip(starts.tolist(), added.tolist(), strict=True):
        part = Fraction(int(top_[place]), int(bottom_[place])) * total * values.unit
        totals[int(number_[place])] += part
    if values.odd:
        places = {int(row): place for place, row in enumerate(rows.tolist())}
        for row, exact in values.odd.items():
            if row in places:
                totals[int(number[places[row]])] += exact
    return totals
