"""Basis notional: lots x contract x price, of the opening, the closing or both."""

from __future__ import annotations

import numpy as np

from pipshare.plans.terms import Component
from pipshare.rating.bases.value_parts import E8, outcomes
from pipshare.rating.known import Known
from pipshare.rating.reasons import Wait
from pipshare.rating.values import Scaled, Values, product


def value(component: Component, known: Known) -> Values:
    """Return the volume in the symbol's profit currency."""
    none = np.zeros(len(known), np.int64)
    open_, close = known.trades.open_price_e8, known.trades.close_price_e8
    open_, close = (none if open_ is None else open_), (none if close is None else close)
    sides = {"open": (open_,), "close": (close,)}.get(component.sides, (open_, close))
    price, known_price = none, np.ones(len(known), np.bool_)
    for side in sides:
        price, known_price = price + side, known_price & (side > 0)
    contract = known.contract_e8
    num, unit, odd = product(Scaled(price, E8), known.lots, Scaled(contract, E8), known.cents)
    outcome = outcomes(
        known, (contract <= 0, Wait.NO_CONTRACT), (~known_price, Wait.NO_PRICE),
        (known.profit_currency < 0, Wait.NO_PROFIT_CURRENCY),
    )  # fmt: skip
    return Values(num, unit, known.profit_currency, outcome, odd=odd)
