"""Basis fixed: one per event. And the value that a pseudo trade (a period's sum) was given."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from pipshare.plans.terms import Component
from pipshare.rating.bases.value_parts import E8, rates_currency
from pipshare.rating.known import Known
from pipshare.rating.values import Values


def value(component: Component, known: Known) -> Values:
    """Return one; the rate has the currency."""
    one = np.ones(len(known), np.int64)
    return Values(one, Fraction(1), rates_currency(known), np.zeros(len(known), np.int16))


def given(component: Component, known: Known) -> Values:
    """Return the value that came with each trade."""
    trades = known.trades
    assert trades.value_e8 is not None
    currency = rates_currency(known)
    if trades.value_currency is not None:
        currency = known.places.codes(trades.account_currencies)[trades.value_currency]
    values = Values(trades.value_e8.copy(), E8, currency, np.zeros(len(known), np.int16))
    if trades.value_exact is not None:
        told = {row: one for row, one in enumerate(trades.value_exact) if one is not None}
        values.odd.update(told)
        values.num[list(told)] = 0
    return values
