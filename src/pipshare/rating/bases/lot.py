"""Basis lot: the trade's lots. The lot factor of the account group is part of the price."""

from __future__ import annotations

import numpy as np

from pipshare.plans.terms import Component
from pipshare.rating.bases.value_parts import rates_currency
from pipshare.rating.known import Known
from pipshare.rating.values import Values


def value(component: Component, known: Known) -> Values:
    """Return lots; the rate has the currency."""
    lots = known.lots
    return Values(lots.num.copy(), lots.unit, rates_currency(known), np.zeros(len(known), np.int16))
