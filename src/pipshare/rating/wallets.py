"""Wallets: what lines earn, brought into the payees' currencies at the close."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipshare.money.amounts import MAX_E8
from pipshare.period import Millis as Longs
from pipshare.rating.exact import exactly_rounded, rounded
from pipshare.rating.reasons import Wait
from pipshare.rating.values import multiplied

if TYPE_CHECKING:
    from pipshare.rating.work import Work

Bools = npt.NDArray[np.bool_]


def into_wallets(work: Work, rows: Longs, exact: bool, exact_rows: Bools | None = None) -> None:
    """Convert into the payees' wallets: one rounding, of the exact product where that is."""
    how = work.part.component.rounding
    spots = work.spots(rows)
    if how.wallet is None:
        work.amount[spots] = work.orig[spots]
    else:
        ones = np.ones(len(rows), np.int64)
        work.amount[spots], _ = rounded(work.orig[spots], ones, ones, how.wallet, how.how)
    foreign = np.flatnonzero(work.currency[spots] != work.wallet[spots])
    if not len(foreign):
        return
    rows = rows[foreign]
    pays = work.orig[rows] != 0
    fine = np.full(len(rows), exact)
    if exact_rows is not None:
        fine &= exact_rows[foreign]
    if exact and work.x_num is not None:
        pays |= fine & (work.x_num[rows] != 0) & (work.x_top[rows] != 0)
        if work.x_odd:
            pays |= fine & np.isin(rows, [r for r, x in work.x_odd.items() if x])
    turned = np.flatnonzero(pays)
    if len(turned):
        _convert(work, rows[turned], fine[turned])


def _convert(work: Work, rows: Longs, fine: Bools) -> None:
    component, known = work.part.component, work.known
    group = work.group[rows]
    top, bottom, number, found = known.exchange.find(
        work.currency[rows], work.wallet[rows], known.trades.close_utc_ms[group],
        known.row[group], component.wallet_fx,
    )  # fmt: skip
    work.outcome[rows[~found]] = Wait.NO_FX
    rows, fine, top, bottom = rows[found], fine[found], top[found], bottom[found]
    work.fx_id[rows] = number[found]
    num = work.orig[rows]
    high, low = top, bottom
    bad = np.zeros(len(rows), np.bool_)
    if fine.any() and work.x_num is not None:
        num = np.where(fine, work.x_num[rows], num)
        ones = np.ones(len(rows), np.int64)
        x_top = np.where(fine, work.x_top[rows], ones)
        x_bottom = np.where(fine, work.x_bottom[rows], ones)
        high, low, over = multiplied((x_top, x_bottom), (top, bottom))
        bad = bad if over is None else over
        if work.x_odd:
            bad = bad | (fine & np.isin(rows, list(work.x_odd)))
    how = component.rounding
    amounts, large = rounded(num, high, low, how.wallet, how.how)
    for i in np.flatnonzero(bad).tolist():
        row, fx = int(rows[i]), Fraction(int(top[i]), int(bottom[i]))
        exact = work.x_odd.get(row)
        if exact is None:
            exact = int(num[i]) * Fraction(int(work.x_top[row]), int(work.x_bottom[row]))
        units = exactly_rounded(exact * fx, how.wallet, how.how)
        amounts[i] = units if abs(units) <= MAX_E8 else 0
        if abs(units) > MAX_E8:
            large = np.zeros(len(rows), np.bool_) if large is None else large
            large[i] = True
    work.amount[rows] = amounts
    if large is not None:
        work.outcome[rows[large]] = Wait.TOO_LARGE
