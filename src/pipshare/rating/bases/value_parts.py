"""What several bases need: money from points, sums of the trade's own money, outcomes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from pipshare.plans.terms import Component
from pipshare.rating.known import Known
from pipshare.rating.reasons import Wait
from pipshare.rating.values import RATES_OWN, Scaled, Values, product

Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
E8 = Fraction(1, 10**8)


def outcomes(known: Known, *missing: tuple[Bools, Wait]) -> Int16s:
    """Return the first wait of each row, in the order given; 0 = nothing is missing."""
    found = np.zeros(len(known), np.int16)
    for rows, wait in reversed(missing):
        found[rows] = wait
    return found


def rates_currency(known: Known) -> Int32s:
    """Return the currency column of a basis whose rate has the currency."""
    return np.full(len(known), RATES_OWN, np.int32)


def money_of_points(known: Known, points: Scaled, *missing: tuple[Bools, Wait]) -> Values:
    """Turn points into money in the profit currency, by lots and contract (or tick value)."""
    point, pointed = known.point
    num, unit, odd = product(points, known.lots, point, known.cents)
    currency = known.profit_currency
    outcome = outcomes(
        known, *missing, (~pointed, Wait.NO_CONTRACT), (currency < 0, Wait.NO_PROFIT_CURRENCY)
    )
    return Values(num, unit, currency, outcome, odd=odd)


def in_unit(
    component: Component, known: Known, points: Scaled, *missing: tuple[Bools, Wait]
) -> Values:
    """Turn points into the component's unit: money, or points or pips times lots."""
    if component.unit == "money":
        return money_of_points(known, points, *missing)
    num, unit, odd = product(points, known.lots)
    values = Values(num, unit, rates_currency(known), outcomes(known, *missing), odd=odd)
    if component.unit == "pips":
        size = known.of_symbol(known.places.pip_points)
        unknown = size <= 0
        values.times(np.arange(len(known)), np.ones(len(known), np.int64), np.maximum(size, 1))
        values.outcome[unknown & (values.outcome == 0)] = Wait.NO_PIP_SIZE
    return values


def own_money(known: Known, names: tuple[str, ...], sign: int) -> Values:
    """Return a sum of the trade's own money columns, in the account's currency."""
    total = np.zeros(len(known), np.int64)
    told = True
    for name in names:
        column = getattr(known.trades, f"{name}_e8")
        if column is None:
            told = False
        else:
            total = total + column
    currency = known.account_currency
    untold = np.full(len(known), not told)
    outcome = outcomes(known, (untold, Wait.NO_MONEY), (currency < 0, Wait.NO_PROFIT_CURRENCY))
    return Values(sign * total, E8, currency, outcome)
