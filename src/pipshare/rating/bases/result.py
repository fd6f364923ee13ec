"""Bases profit, loss and result: the client's result, or as the broker sees it."""

from __future__ import annotations

from pipshare.plans.terms import Component
from pipshare.rating.bases.value_parts import own_money
from pipshare.rating.known import Known
from pipshare.rating.values import Values


def profit(component: Component, known: Known) -> Values:
    """Return the client's profit, zero where he lost; with a carry his losses are netted."""
    values = own_money(known, component.counts or ("profit",), +1)
    if component.carry is None:
        values.cut_below_zero()
    return values


def loss(component: Component, known: Known) -> Values:
    """Return the client's loss as a number above zero, zero where he won; netted with a carry."""
    values = result(component, known)
    if component.carry is None:
        values.cut_below_zero()
    return values


def result(component: Component, known: Known) -> Values:
    """Return the broker's view of the client's result: his loss is above zero."""
    return own_money(known, component.counts or ("profit",), -1)
