"""Basis revenue: what the broker earned, by the book that the account was on at the close.

Market-made: the client's result turned. Passed through: spread (else markup) that was kept, and
what was charged. Never both.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipshare.period import Millis as Longs
from pipshare.plans.terms import Component
from pipshare.rating.bases import markup, spread
from pipshare.rating.bases.value_parts import own_money
from pipshare.rating.columns import MADE
from pipshare.rating.known import Known
from pipshare.rating.reasons import Wait
from pipshare.rating.values import Values

_MADE = ("commission", "fee", "swap", "profit")
_PASSED = ("commission", "swap")


def value(component: Component, known: Known) -> Values:
    """Return the broker's revenue, signed, in the account's currency."""
    book = known.trades.book
    made = np.zeros(len(known), np.bool_) if book is None else book == MADE
    passed = own_money(known, component.counts or _PASSED, -1)
    if not made.all():
        _add_kept(component, known, passed, np.flatnonzero(~made & (passed.outcome == 0)))
    passed.parts = ~made
    if not made.any():
        return passed
    ours = own_money(known, component.counts or _MADE, -1)
    passed.num[made], passed.outcome[made] = 0, ours.outcome[made]
    if passed.unit != ours.unit:
        # Both are brought to what passed has: a charge is in whole 1e-8.
        for row in np.flatnonzero(made).tolist():
            passed.odd[row] = ours.at(row)
    else:
        passed.num[made] = ours.num[made]
    return passed


def _add_kept(component: Component, known: Known, charged: Values, rows: Longs) -> None:
    """Add the spread or markup that was kept, brought into the account's currency."""
    money = replace(component, unit="money")
    kept = spread.value(money, known)
    lost = np.flatnonzero(kept.outcome == Wait.NO_QUOTE)
    if len(lost):
        other = markup.value(money, known)
        for row in lost[other.outcome[lost] != Wait.NO_MARKUP].tolist():
            kept.odd[row], kept.outcome[row] = other.at(row), other.outcome[row]
            kept.currency[row] = other.currency[row]
    charged.outcome[rows] = kept.outcome[rows]
    rows = rows[kept.outcome[rows] == 0]
    # Nothing kept needs no rate.
    odd = [row for row, exact in kept.odd.items() if exact]
    rows = rows[(kept.num[rows] != 0) | np.isin(rows, odd)]
    top, bottom, _, found = known.exchange.find(
        kept.currency[rows], charged.currency[rows], known.trades.close_utc_ms[rows],
        known.row[rows], component.value_fx,
    )  # fmt: skip
    lost = rows[~found]
    charged.lacks_rate(lost, kept.currency[lost], charged.currency[lost])
    kept.times(rows[found], top[found], bottom[found])
    plain = kept.top is None or bool((kept.top[rows] == kept.bottom[rows]).all())  # type: ignore[index]
    whole = kept.unit / charged.unit
    if plain and not kept.odd and whole.denominator == 1:
        charged.num[rows] += kept.num[rows] * whole.numerator
        return
    for row in rows[found].tolist():
        charged.odd[row] = charged.at(row) + kept.at(row)
        charged.num[row] = 0
