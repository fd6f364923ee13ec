"""The sum of a basis over a period, per chain, window and currency: exact, quantised once."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from pipshare.money.amounts import MAX_E8, half_even
from pipshare.period import Clock
from pipshare.period import Millis as Longs
from pipshare.rating.values import Values
from pipshare.rating.windows.calendar import Unit, spans

_SAFE = 2**62


@dataclass(frozen=True)
class Sums:
    """Parallel columns, by window, chain, client and currency. `last_ms`: the last moment among the
    rows that were summed; `large`: does not fit an amount. `number`: by row, which sum it is in."""

    chain: Longs
    client: Longs
    currency: Longs
    start_ms: Longs
    end_ms: Longs
    value_e8: Longs
    last_ms: Longs
    large: npt.NDArray[np.bool_]
    number: Longs


def sums(
    values: Values, rows: Longs, chain: Longs, client: Longs, moment_ms: Longs, unit: Unit,
    clock: Clock,
) -> Sums:  # fmt: skip
    """Sum the values of `rows` by chain, client, currency and window of their moment.

    The other columns are parallel to the values. The order of rows does not matter.
    """
    start, end = spans(moment_ms[rows], unit, clock)
    keys = np.stack((start, chain[rows], client[rows], values.currency[rows].astype(np.int64)))
    distinct, first, number = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    number = np.asarray(number, np.int64).ravel()
    totals = _totals(values, rows, number, distinct.shape[1])
    whole = [half_even(one.numerator * 10**8, one.denominator) for one in totals]
    large = np.array([abs(one) > MAX_E8 for one in whole], np.bool_)
    last = np.full(distinct.shape[1], -1, np.int64)
    np.maximum.at(last, number, moment_ms[rows])
    return Sums(
        chain=distinct[1], client=distinct[2], currency=distinct[3], start_ms=distinct[0],
        end_ms=end[first] if len(first) else distinct[0],
        value_e8=np.array([0 if bad else one for one, bad in zip(whole, large, strict=True)],
                          np.int64),
        last_ms=last, large=large, number=number,
    )  # fmt: skip


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
