"""Basis points: the money of one point (or pip) of the trade; the rate says how many of them."""

from __future__ import annotations

import numpy as np

from pipshare.plans.terms import Component
from pipshare.rating.bases.value_parts import money_of_points
from pipshare.rating.known import Known
from pipshare.rating.reasons import Wait
from pipshare.rating.values import Scaled, Values


def value(component: Component, known: Known) -> Values:
    """Return lots x point x contract (futures: x tick value / tick size), profit currency."""
    if component.unit != "pips":
        return money_of_points(known, Scaled(np.ones(len(known), np.int64)))
    size = known.of_symbol(known.places.pip_points)
    return money_of_points(known, Scaled(np.maximum(size, 0)), (size <= 0, Wait.NO_PIP_SIZE))
