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
    several = np.zeros(len(known), np.bool_)
    for end in ends:
        measured, found, of_deals = _at(known, asked, end, usual.num, has_usual, common)
        sums = known.trades.open_spread_e16
        if end == "open" and sums is not None:
            several = of_deals & (sums > 0) & (known.trades.lots_e8 > 0)
            measured = np.where(several, 0, measured)
        total += measured
        quoted &= found
    missing = [(digits < 0, Wait.NO_CONTRACT), (~quoted, Wait.NO_QUOTE)]
    points = Scaled(total, Fraction(1, common * len(ends)))
    counted = _capped(points, asked)
    if asked.guard:
        missing.append((~has_usual, Wait.NO_TYPICAL_SPREAD))
    rows = np.flatnonzero(several & quoted)
    exact = _of_several(known, asked, rows, points, usual)
    counted.num[rows] = counted.unit.denominator  # one point
    values = in_unit(component, known, counted, *missing)
    if asked.guard:
        above = has_usual & quoted & (total > usual.num * len(ends))
        above[rows] = False
        at = np.flatnonzero(above)
        values.times(at, usual.num[at] * len(ends), total[at])
    values.times_exactly(rows, exact)
    return values


def _of_several(
    known: Known, asked: Spread, rows: Longs, others: Scaled, usual: Scaled
) -> list[Fraction]:
    """Return the exact points of trades that several deals opened, as they count.

    `others` has the part of the other end. Row by row: a mean by lots need not be a decimal.
    """
    sums = known.trades.open_spread_e16
    part = 1 if asked.measured == "open" else 2
    found = []
    for row, other in zip(rows.tolist(), others.fractions(rows), strict=True):
        assert sums is not None
        mean = Fraction(int(sums[row]), 10**8 * int(known.trades.lots_e8[row]))
        points = mean * 10 ** int(known.digits[row]) / part + other
        counted = points if asked.cap_points is None else min(points, asked.cap_points)
        average = int(usual.num[row]) * usual.unit
        if asked.guard and points > average:
            counted = counted * average / points
        found.append(counted)
    return found


def _at(
    known: Known, asked: Spread, end: str, usual: Longs, has_usual: Bools, common: int
) -> tuple[Longs, Bools, Bools]:
    """Return the spread in points (in 1 / common) at one end, where there is a good quote, and
    where it is that of the deals."""
    bid, ask, source = known.quoted(end)
    good = (bid > 0) & (ask >= bid)
    # Quotes are given to 1e-8: points are (ask - bid) x 10^digits / 1e8, and common is a whole
    # multiple of 1e8.
    scales = 10 ** np.clip(known.places.digits, 0, 9) * (common // 10**8)
    width = ask - bid
    # A spread of more points than 64 bits hold is no spread.
    good &= width < known.of_symbol(2**62 // np.maximum(scales, 1))
    quoted = np.where(good, width, 0) * known.of_symbol(scales)
    points, found = np.zeros(len(known), np.int64), np.zeros(len(known), np.bool_)
    of_deals = np.zeros(len(known), np.bool_)
    for name in asked.quotes:
        if name == "typical":
            now, these = ~found & has_usual, usual
        else:
            now, these = ~found & good & (source == QUOTE_SOURCES.index(name)), quoted
        if name == "deal":
            of_deals = now & (known.digits >= 0)
        points = np.where(now, these, points)
        found |= now
        if found.all():
            break
    return points, found, of_deals


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
    open_ = (values.outcome == 0) & (values.currency >= 0)
    factored = np.array([one.lot_factor is not None for one in groups], np.bool_)
    values.outcome[open_ & ~factored[known.trades.group]] = Wait.NO_LOT_FACTOR
    rows = np.flatnonzero(open_ & factored[known.trades.group])
    tops, bottoms, _, found = known.exchange.find(
        cap[rows], values.currency[rows], known.trades.close_utc_ms[rows], known.row[rows], side
    )
    lost = rows[~found]
    values.lacks_rate(lost, cap[lost], values.currency[lost])
    for place in np.flatnonzero(found).tolist():
        row = int(rows[place])
        factor = groups[int(known.trades.group[row])].lot_factor
        assert factor is not None
        rate = Fraction(int(tops[place]), int(bottoms[place]))
        lots = Fraction(int(known.trades.lots_e8[row]), 10**8) * factor
        most = asked.cap_per_lot * lots * rate
        if values.at(row) > most:
            values.odd[row], values.num[row] = most, 0
            if values.top is not None and values.bottom is not None:
                values.top[row] = values.bottom[row] = 1
