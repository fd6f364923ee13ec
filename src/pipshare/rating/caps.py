"""Caps: what is left of amounts when their caps are asked, in canonical order.

A cap per order looks at one line. Any other keeps a running total by its key, from block to block
(running.py, totals.py): a line gets min(total after, cap) - min(total before, cap).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.plans.periods import Cap, in_turn
from pipshare.rating.exact import exactly_rounded, scaled
from pipshare.rating.reasons import Reason, Wait

if TYPE_CHECKING:
    from pipshare.rating.work import Work

_E8 = 10**8


def cut(work: Work, rows: Longs) -> None:
    """Cut the amounts of these open rows (`work.orig`) by every cap of the component.

    The narrowest cuts first (plans.periods.in_turn).
    """
    for place, cap in in_turn(work.part.component.caps):
        mine = rows if cap.level is None else rows[work.level[rows] == cap.level]
        mine = mine[work.outcome[mine] == 0]
        if cap.unit == "money":
            mine = mine[work.orig[mine] != 0]  # nothing needs no cap, and no rate for one
        if len(mine):
            _cut(work, mine, place, cap)


def _cut(work: Work, rows: Longs, place: int, cap: Cap) -> None:
    was = work.orig[rows].copy()
    limit = was
    if cap.unit == "money":
        limit, known = limits(work, rows, cap)
        lost = rows[~known]
        work.outcome[lost] = Wait.NO_FX
        work.wallet[lost] = work.currency[lost]
        work.currency[lost] = max(int(work.known.places.codes((cap.currency,))[0]), 0)
        rows, was, limit = rows[known], was[known], limit[known]
    if cap.per != "order":
        assert work.running is not None
        work.running.cap(work, rows, cap, place, limit)
    elif cap.unit == "lots":
        _cut_lots(work, rows, cap)
    else:
        work.orig[rows] = np.minimum(was, limit)
    work.outcome[rows[(work.orig[rows] == 0) & (was != 0)]] = Reason.CAPPED


def _cut_lots(work: Work, rows: Longs, cap: Cap) -> None:
    """Let each line count at most so many lots (x lot factor)."""
    groups, trades = work.known.places.groups, work.known.trades
    group = work.group[rows]
    for place in np.unique(trades.group[group]).tolist():
        factor = groups[place].lot_factor
        mine = np.flatnonzero(trades.group[group] == place)
        most = cap.amount / (Fraction(1) if factor is None else factor) * _E8
        lots = trades.lots_e8[group[mine]]
        over = mine[lots * most.denominator > most.numerator]
        if len(over):
            top = np.full(len(over), most.numerator, np.int64)
            bottom = trades.lots_e8[group[over]] * most.denominator
            work.orig[rows[over]] = scaled(work.orig[rows[over]], top, bottom)[0]


def limits(work: Work, rows: Longs, cap: Cap) -> tuple[Longs, npt.NDArray[np.bool_]]:
    """Return a money cap in the currency of each line, and where it could be converted."""
    whole = exactly_rounded(cap.amount * _E8, None, "")
    code = work.known.places.codes((cap.currency,))[0]
    limit = np.full(len(rows), whole, np.int64)
    base = np.where(code < 0, work.currency[rows], code).astype(np.int32)
    other = np.flatnonzero(base != work.currency[rows])
    known = np.ones(len(rows), np.bool_)
    if len(other):
        group = work.group[rows[other]]
        top, bottom, _, found = work.known.exchange.find(
            base[other], work.currency[rows[other]], work.known.trades.close_utc_ms[group],
            work.known.row[group],
        )  # fmt: skip
        exact = np.full(len(other), 1, np.int64)
        amount = cap.amount * _E8
        limit[other] = scaled(exact * amount.numerator, top, bottom * amount.denominator)[0]
        known[other] = found
    return limit, known
