"""Bands: which band of a rate a measure is in, and what several bands give for one trade."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor, lcm
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.plans.periods import Tier
from pipshare.rating.carried import looks_ahead
from pipshare.rating.measured import Measured
from pipshare.rating.reasons import Reason
from pipshare.rating.rules import Starts
from pipshare.rating.totals import Column, ranked

if TYPE_CHECKING:
    from pipshare.rating.work import Gross, Work

COUNTED = ("trades", "clients", "conversions")  # measures that go in whole steps


def rate_bands(
    work: Work, measured: Measured, at: Longs, price: Longs, stop: npt.NDArray[np.int16],
    payee: Longs, window: Longs, trade: Longs,
) -> Gross:  # fmt: skip
    """Return the gross of rows whose rate goes by a tier; `payee` is whose measure counts."""
    tier = measured.tier
    if looks_ahead(tier):
        place = _held(work, measured, price, payee, window)
        return _at_bands(work, at, price, stop, place)
    before, after = measured.span(payee, window, trade)
    earlier = _rolled(measured, payee, window)
    if earlier is not None:
        before, after = before + earlier, after + earlier
    if tier.method == "ladder":
        return _steps(work, measured, at, price, stop, (before, after))
    return _marginal(work, measured, at, price, stop, (before, after))


def band_of(starts: Sequence[Fraction], total: int, unit: int, boundary: str) -> int:
    """Return the place of the band that a total (in 1 / unit) is in, -1 below the first."""
    reached = -1
    for place, start in enumerate(starts):
        if start <= 0 or start * unit < total or (start * unit == total and boundary == "from"):
            reached = place
    return reached


def _divisor(measured: Measured) -> int:
    """Return what a total's unit is, with the length that an average divides by."""
    tier = measured.tier
    rolls = tier.length if tier.window == "rolling" and tier.average else 1
    return measured.unit * rolls


def _rolled(measured: Measured, payee: Longs, window: Longs) -> Column | None:
    """Return what the windows before add to a rolling tier."""
    tier = measured.tier
    if tier.window != "rolling" or tier.length < 2:
        return None
    code, first = ranked((payee, window))
    sums = [
        sum(measured.finals.get((who, now - back), 0) for back in range(1, tier.length))
        for who, now in zip(payee[first].tolist(), window[first].tolist(), strict=True)
    ]
    kind = np.int64 if max(map(abs, sums), default=0) < 2**61 else object
    return np.array(sums, kind)[code]


def _band_column(starts: Sequence[Fraction], total: Column, unit: int, boundary: str) -> Longs:
    """Return band_of for a column."""
    if boundary == "from":
        edges = np.array([ceil(start * unit) for start in starts], total.dtype)
        place = np.searchsorted(edges, total, side="right") - 1
    else:
        edges = np.array([floor(start * unit) for start in starts], total.dtype)
        place = np.searchsorted(edges, total, side="left") - 1
    return np.maximum(place, 0) if starts[0] <= 0 else place


def _held(
    work: Work, measured: Measured, price: Longs, payee: Longs, window: Longs
) -> Longs:  # fmt: skip
    """Return the band that each row's whole window is rated at."""
    prices = work.block.tables.prices
    assert prices.starts is not None
    sets = prices.starts[price]
    code, first = ranked((payee, window, sets))
    places = [
        _of_sides(measured, prices.band_starts[which], who, now)
        for who, now, which in zip(
            payee[first].tolist(), window[first].tolist(), sets[first].tolist(), strict=True
        )
    ]
    return np.array(places, np.int64)[code]


def _of_sides(measured: Measured, starts: Starts, who: int, window: int) -> int:
    """Return the band of a rate held in one window; of two sides each holds one of its own."""
    place = 0
    for side in starts:
        place = place * (len(side) + 1) + _window_band(measured, side, who, window) + 1
    return place - 1


def _window_band(measured: Measured, starts: Sequence[Fraction], who: int, window: int) -> int:
    """Return the band held in one window, by its own measure or that of the window before."""
    tier, unit = measured.tier, _divisor(measured)
    window -= tier.applies == "following"
    if tier.promotion == "free" and not tier.grace:
        return band_of(starts, _final(measured, who, window), unit, tier.boundary)
    first = measured.first.get(who, window + 1)
    measures = [_final(measured, who, w) for w in range(first, window + 1)]
    return _promoted(starts, tier, measures, unit)


def _promoted(starts: Sequence[Fraction], tier: Tier, totals: Sequence[int], unit: int) -> int:
    """Go through consecutive windows: at most one band up, demoted only after the grace."""
    held, below = band_of(starts, 0, unit, tier.boundary), 0
    for total in totals:
        reached = band_of(starts, total, unit, tier.boundary)
        if reached >= held:
            below = 0
            held = min(reached, held + 1) if tier.promotion == "stepwise" else reached
        else:
            below += 1
            if below > tier.grace:
                held, below = reached, 0
    return held


def _final(measured: Measured, who: int, window: int) -> int:
    length = measured.tier.length if measured.tier.window == "rolling" else 1
    return sum(measured.finals.get((who, window - back), 0) for back in range(length))


def _at_bands(
    work: Work, at: Longs, price: Longs, stop: npt.NDArray[np.int16], place: Longs
) -> Gross:
    """Rate each row at its band; below the first it is nothing."""
    bands = work.block.tables.prices.bands
    assert bands is not None
    below = place < 0
    stop[below & (stop == 0)] = Reason.BELOW_FIRST_BAND
    taken = bands[price, np.maximum(place, 0)]
    gross = work.product(at, work.group[at], np.where(taken < 0, price, taken), stop)
    gross.price = price
    return gross


def _marginal(
    work: Work, measured: Measured, at: Longs, price: Longs, stop: npt.NDArray[np.int16],
    span: tuple[Column, Column],
) -> Gross:  # fmt: skip
    """Rate each row at the bands that it moved the total through."""
    prices, tier, unit = work.block.tables.prices, measured.tier, _divisor(measured)
    assert prices.starts is not None
    before, after = span
    low, high = np.minimum(before, after), np.maximum(before, after)
    whole = (before == after) | (tier.measure in COUNTED)
    place = np.zeros(len(at), np.int64)
    first = np.zeros(len(at), np.int64)
    sets = prices.starts[price]
    for one in np.unique(sets).tolist():
        rows, (starts,) = np.flatnonzero(sets == one), prices.band_starts[one]
        there = _band_column(starts, after[rows], unit, tier.boundary)
        lowest = _band_column(starts, low[rows], unit, "from")
        highest = _band_column(starts, high[rows], unit, "above")
        place[rows] = np.where(whole[rows], there, highest)
        first[rows] = np.where(whole[rows], there, lowest)
    crossing = np.flatnonzero((first != place) & (stop == 0))
    gross = _at_bands(work, at, price, stop, place)
    group = work.group[at]
    for i in crossing.tolist():
        (starts,) = prices.band_starts[int(sets[i])]
        rate = _mixed(work, int(price[i]), starts, int(low[i]), int(high[i]), unit)
        exact = work.values.at(int(group[i])) * rate * 10**8
        gross.e8[i], _ = work.odd_row(int(at[i]), exact)
    return gross


def _mixed(
    work: Work, price: int, starts: Sequence[Fraction], low: int, high: int, unit: int
) -> Fraction:
    """Return the mean rate of what lies between two totals, each band at its own."""
    bands = work.block.tables.prices.bands
    assert bands is not None
    top, bottom = 0, 1
    # All edges and totals over one denominator, so that parts are whole numbers.
    scale = lcm(*((start * unit).denominator for start in starts))
    edges = [int(start * unit * scale) for start in starts]
    low, high = low * scale, high * scale
    for place, edge in enumerate(edges):
        end = edges[place + 1] if place + 1 < len(edges) else max(high, edge)
        start = min(low, edge) if place == 0 and edge <= 0 else edge
        part = min(high, end) - max(low, start)
        if part > 0:
            rate = work.rate_of(int(bands[price, place]))
            top = top * rate.denominator + rate.numerator * part * bottom
            bottom *= rate.denominator
    return Fraction(top, bottom * (high - low))


def _steps(
    work: Work, measured: Measured, at: Longs, price: Longs, stop: npt.NDArray[np.int16],
    span: tuple[Column, Column],
) -> Gross:  # fmt: skip
    """Ladder: what is due in all at the step reached, less what was due before."""
    prices, tier, unit = work.block.tables.prices, measured.tier, _divisor(measured)
    assert prices.starts is not None
    assert prices.bands is not None
    gross = work.product(at, work.group[at], price, stop)
    for i in np.flatnonzero(stop == 0).tolist():
        (starts,), bands = prices.band_starts[int(prices.starts[price[i]])], prices.bands[price[i]]
        due = _due(work, bands, band_of(starts, int(span[1][i]), unit, tier.boundary))
        paid = Fraction(0)
        if span[0][i] != 0:
            paid = _due(work, bands, band_of(starts, int(span[0][i]), unit, tier.boundary))
        if due == paid:
            stop[i] = Reason.NOTHING_LEFT if due else Reason.BELOW_FIRST_BAND
        gross.e8[i], _ = work.odd_row(int(at[i]), (due - paid) * 10**8)
    return gross


def rate_steps(work: Work, at: Longs, price: Longs, stop: npt.NDArray[np.int16]) -> Gross:
    """Rate rows that say from which step of a client's ladder to which: what is due in all at the
    one less what is due at the other.

    Steps are those of all rates of the component; a rate of its own (of a country) has those of
    them at which its bands begin.
    """
    prices, trades, group = work.block.tables.prices, work.known.trades, work.group[at]
    assert prices.starts is not None
    assert prices.bands is not None
    assert trades.step_from is not None
    assert trades.step_to is not None
    every = sorted({rule.start for rule in work.part.component.rates})
    gross = work.product(at, group, price, stop)
    for i in np.flatnonzero(stop == 0).tolist():
        (starts,), bands = prices.band_starts[int(prices.starts[price[i]])], prices.bands[price[i]]
        due, paid = (
            _due(work, bands, sum(one <= every[step - 1] for one in starts) - 1 if step else -1)
            for step in (int(trades.step_to[group[i]]), int(trades.step_from[group[i]]))
        )
        gross.e8[i], _ = work.odd_row(int(at[i]), (due - paid) * 10**8)
    return gross


def _due(work: Work, bands: Longs, place: int) -> Fraction:
    return work.rate_of(int(bands[place])) if place >= 0 else Fraction(0)
