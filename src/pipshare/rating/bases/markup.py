"""Basis markup: the points that the broker adds, by the feed's gateway price or by the table."""

from __future__ import annotations

import numpy as np

from pipshare.plans.terms import Component
from pipshare.rating.bases.value_parts import in_unit
from pipshare.rating.known import Known
from pipshare.rating.reasons import Wait
from pipshare.rating.values import Scaled, Values


def value(component: Component, known: Known) -> Values:
    """Return the markup's money in the profit currency, or points or pips x lots."""
    points, found = known.dated(lambda s: s.markup, known.trades.markup_points_e8)
    gateway = known.trades.gateway_markup_points_e8
    if gateway is not None:
        told = gateway >= 0
        lift = points.unit.denominator // 10**8
        points = Scaled(np.where(told, gateway * lift, points.num), points.unit)
        found = found | told
    return in_unit(component, known, points, (~found, Wait.NO_MARKUP))
