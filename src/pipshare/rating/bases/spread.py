"""Basis spread: the spread at the opening, the closing or both, from the first good quote."""

from __future__ import annotations

from fractions import Fraction
from math import lcm

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.plans.terms import Component, FxSide, Spread
from pipshare.rating.bases.value_parts import in_unit
from pipshare.rating.columns import QUOTE_SOURCES
from pipshare.rating.known import Known
from pipshare.rating.reasons import Wait
from pipshare.rating.values import Scaled, Values

Bools = npt.NDArray[np.bool_]


def value(component: Component, known: Known) -> Values:
    """Return the spread's money in the profit currency, or points or pips x lots."""
    asked = component.spread
    digits = known.digits
    ends = {"open": ("open",), "close": ("close",)}.get(asked.measured, ("open", "close"))
    usual, has_usual = known.dated(lambda s: s.typical, known.trades.typical_points_e8)
    common = usual.unit.denominator
    total = np.zeros(len(known), np.int64)
    quoted = np.ones(len(known), np.bool_)
    for end in ends:
        measured, found = _at(known, asked, end, usual.num, has_usual, common)
        total += measured
        quoted &= found
    missing = [(digits < 0, Wait.NO_CONTRACT), (~quoted, Wait.NO_QUOTE)]
    points = Scaled(total, Fraction(1, common * len(ends)))
    counted = _capped(points, asked)
    if asked.guard:
        missing.append((~has_usual, Wait.NO_TYPICAL_SPREAD))
    values = in_unit(component, known, counted, *missing)
    if asked.guard:
        above = np.flatnonzero(has_usual & quoted & (total > usual.num * len(ends)))
        values.times(above, usual.num[above] * len(ends), total[above])
    return values


def _at(
    known: Known, asked: Spread, end: str, usual: Longs, has_usual: Bools, common: int
) -> tuple[Longs, Bools]:
    """Return the spread in points (in 1 / common) at one end, and where there is a good quote."""
    bid, ask, source = known.quoted(end)
    good = (bid > 0) & (ask >= bid)
    # Quotes are given to 1e-8: points are (ask - bid) x 10^digits / 1e8, and common is a whole
    # multiple of 1e8.
    width = np.where(good, ask - bid, 0)
    scale = 10 ** np.clip(known.digits, 0, 9) * (common // 10**8)
    points, found = np.zeros(len(known), np.int64), np.zeros(len(known), np.bool_)
    for name in asked.quotes:
        if name == "typical":
            now, these = ~found & has_usual, usual
        else:
            now = ~found & good & (source == QUOTE_SOURCES.index(name))
            # A spread of more points than that is no spread; and it would not fit.
            now &= width < 2**62 // np.maximum(scale, 1)
            these = np.where(now, width, 0) * scale
        points = np.where(now, these, points)
        found |= now
    return points, found


def _capped(points: Scaled, asked: Spread) -> Scaled:
    if asked.cap_points is None:
        return points
    common = lcm(asked.cap_points.denominator, points.unit.denominator)
    lift = common // points.unit.denominator
    cap = int(asked.cap_points * common)
    small = np.minimum(points.num, cap // lift + 1) * lift
    return Scaled(np.minimum(small, cap), Fraction(1, common))


def cap_per_lot(asked: Spread, known: Known, values: Values, side: FxSide) -> None:
    """Let the money count at most so much per lot: row by row, as plans seldom ask for it."""
    assert asked.cap_per_lot is not None
    groups = known.places.groups
    code = int(known.places.codes((asked.cap_currency,))[0])
    cap = values.currency if code < 0 else np.full(len(known), code, np.int32)
    rows = np.flatnonzero((values.outcome == 0) & (values.currency >= 0))
    tops, bottoms, _, found = known.exchange.find(
        cap[rows], values.currency[rows], known.trades.close_utc_ms[rows], known.row[rows], side
    )
    lost = rows[~found]
    values.lacks_rate(lost, cap[lost], values.currency[lost])
    for place in np.flatnonzero(found).tolist():
        row = int(rows[place])
        factor = groups[int(known.trades.group[row])].lot_factor
        if factor is None:
            values.outcome[row] = Wait.NO_LOT_FACTOR
            continue
        rate = Fraction(int(tops[place]), int(bottoms[place]))
        lots = Fraction(int(known.trades.lots_e8[row]), 10**8) * factor
        most = asked.cap_per_lot * lots * rate
        if values.at(row) > most:
            values.odd[row], values.num[row] = most, 0
            if values.top is not None and values.bottom is not None:
                values.top[row] = values.bottom[row] = 1
