"""Bases: what a rate multiplies. A basis is one small file; the registry below names it.

A basis is a function (component, known trades) -> Values: the exact value by trade, its currency
and what it waits for. It does not look at rates, levels or conditions.
"""

from __future__ import annotations

from collections.abc import Callable

from pipshare.plans.terms import Component
from pipshare.rating.bases import commission, fixed, lot, markup, notional, points, result, revenue
from pipshare.rating.bases import spread as spread_basis
from pipshare.rating.known import Known
from pipshare.rating.values import Values

Basis = Callable[[Component, Known], Values]
BASES: dict[str, Basis] = {
    "lot": lot.value,
    "points": points.value,
    "spread": spread_basis.value,
    "markup": markup.value,
    "commission": commission.value,
    "profit": result.profit,
    "loss": result.loss,
    "result": result.result,
    "notional": notional.value,
    "revenue": revenue.value,
    "fixed": fixed.value,
    "deposits": fixed.value,  # of events: what is rated are pseudo trades, with the value given
    "earned": fixed.value,
}
# Bases of the client's and the broker's money: nothing is a share of zero or less.
SIGNED = ("commission", "profit", "loss", "result", "revenue")


def value_of(component: Component, known: Known) -> Values:
    """Return the value of a component's basis; of a pseudo trade the value it was given."""
    if known.trades.value_e8 is not None:
        return fixed.given(component, known)
    return BASES[component.basis](component, known)
