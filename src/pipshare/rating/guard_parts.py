"""What a margin guard counts as revenue, and how a sum is cut in proportion, to the last digit."""

from __future__ import annotations

import numpy as np

from pipshare.money.amounts import MAX_E8
from pipshare.period import Millis as Longs
from pipshare.plans.terms import Component

_SAFE = 2**62


def _part(basis: str, **known: object) -> Component:
    return Component("", basis, "per_level", None, (), **known)  # type: ignore[arg-type]


# Each kind of revenue as the value of a component without settings of its own.
REVENUE: dict[str, Component] = {
    "spread": _part("spread"),
    "markup": _part("markup"),
    "commission": _part("commission"),
    "swap": _part("commission", counts=("swap",)),
}


def totals(values: Longs, number: Longs, count: int) -> Longs:
    """Return the sum of the values of each number; one that does not fit is the largest amount."""
    most = int(np.abs(values).max(initial=0)) * len(values)
    summed = np.zeros(count, np.int64 if most < _SAFE else object)
    np.add.at(summed, number, values)
    if most < _SAFE:
        return summed
    return np.array([max(-MAX_E8, min(int(one), MAX_E8)) for one in summed.tolist()], np.int64)


def cut(values: Longs, number: Longs, target: Longs) -> Longs:
    """Return the values (all above zero) of each number in proportion, summing to its target.

    What is left over by cutting downward goes to the largest, the first of equals.
    """
    total = totals(values, number, len(target))
    goal = target[number]
    whole = total[number]
    if int(values.max(initial=0)) * int(goal.max(initial=0)) < _SAFE:
        now = values * goal // whole
    else:
        rows = zip(values.tolist(), goal.tolist(), whole.tolist(), strict=True)
        now = np.array([value * part // of for value, part, of in rows], np.int64)
    left = target - totals(now, number, len(target))
    order = np.lexsort((np.arange(len(values)), -values, number))
    largest = order[np.r_[True, np.diff(number[order]) != 0]] if len(order) else order
    now[largest] += left[number[largest]]
    return now
