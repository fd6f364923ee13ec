"""Basis commission: what the client was charged, in the account's currency."""

from __future__ import annotations

from pipshare.plans.terms import Component
from pipshare.rating.bases.value_parts import own_money
from pipshare.rating.known import Known
from pipshare.rating.values import Values


def value(component: Component, known: Known) -> Values:
    """Return the charges of the trade, turned once: a charge is above zero."""
    return own_money(known, component.counts or ("commission",), -1)
