"""Prices: a rule together with an account group's lot factor, as exact fractions in columns.

A *price* is what the kernel multiplies lots with. Price 0 is the blank one (pays nothing, for
lines that are settled or wait already), 1 stands for unpriced, 2 for a lot factor nobody has said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.rating.places import GroupPlace, repeat_ranges
from pipshare.rating.reasons import Wait
from pipshare.rating.rules import Rules, Starts
from pipshare.rating.sheets import Cells

BLANK, IS_UNPRICED, IS_UNFACTORED, FIRST = 0, 1, 2, 3
_LARGEST = 2**62
_WIDEST_COMMON = 10**12


@dataclass(frozen=True)
class Prices:
    """Columns by price. The factor (lot factor x rate, or a share) is top / bottom, bottom > 0.

    `of` is the component a share is taken from, -1 for a price per lot. `outcome` is 0, or the
    Wait of prices 1 and 2. `exact` holds the factors that do not fit 64 bits, by price; their
    top / bottom is 0 / 1. `common_top` / `common` is the same factor over one denominator, with 0
    for shares, `common_most` the largest of them; `common` 0 = there is none small enough.
    `nothing` tells the prices that are 0 in every band and no share, None = there is none: they
    pay nothing whatever is multiplied, and wait for nothing. `named` tells the prices that have a
    currency of their own.

    `bands` [price, n] are the prices of the bands of a price, itself first, -1 where there are no
    more, and `starts` [price] says which of `band_starts` (their starts, see rules.Starts) they
    have. None where no rate has bands: then every price holds from 0 on.
    """

    top: Longs
    bottom: Longs
    currency: npt.NDArray[np.int32]
    rate_id: npt.NDArray[np.int32]
    of: npt.NDArray[np.int32]
    outcome: npt.NDArray[np.int16]
    exact: dict[int, Fraction]
    common_top: Longs
    common_most: int
    common: int
    named: npt.NDArray[np.bool_]
    nothing: npt.NDArray[np.bool_] | None
    bands: Longs | None = None
    starts: Longs | None = None
    band_starts: tuple[Starts, ...] = ()


def price(
    rules: Rules, cells: Cells, groups: Sequence[GroupPlace], currencies: Longs
) -> tuple[Prices, Longs]:
    """Return the prices, and cells [sheet, group x symbol] of price numbers.

    `currencies` maps the rules' currency codes to the run's.
    """
    factors = sorted({g.lot_factor for g in groups if g.lot_factor is not None}) or [Fraction(1)]
    place = [-1 if g.lot_factor is None else factors.index(g.lot_factor) for g in groups]
    factor = np.array(place, np.int64)[None, :, None]
    row = np.maximum(cells, 0)
    pair = row * np.int64(len(factors)) + np.maximum(factor, 0)
    used = np.flatnonzero(np.bincount(pair[cells >= 0]))
    if rules.have_bands:
        used = _with_bands(rules, used, len(factors))
        pair_most = int(max(pair.max(initial=0), used.max(initial=0)))
    else:
        pair_most = int(pair.max(initial=0))
    number = np.zeros(pair_most + 1, np.int64)
    number[used] = FIRST + np.arange(len(used))
    result = number[pair]
    by_lots = np.r_[(rules.factored == 1) & ~rules.nothing, False]
    result[(factor < 0) & by_lots[row]] = IS_UNFACTORED
    result[cells < 0] = IS_UNPRICED
    result[0] = BLANK
    rows, nth = np.divmod(used, len(factors))
    made = _columns(rules, rows, nth, factors, currencies)
    if rules.have_bands:
        made = replace(made, **_banded(rules, rows, nth, number, len(factors)))
    return made, result.reshape(len(cells), -1)


def _with_bands(rules: Rules, used: Longs, factors: int) -> Longs:
    """Add the further bands of the rates that are used."""
    row, nth = np.divmod(used, factors)
    who, place = repeat_ranges(rules.bands[row])
    return np.unique((row[who] + place) * factors + nth[who])


def _banded(rules: Rules, row: Longs, nth: Longs, number: Longs, factors: int) -> dict[str, Any]:
    """Return the columns that say which bands a price has."""
    count = len(row) + FIRST
    wide = int(rules.bands[row].max(initial=1))
    bands = np.full((count, wide), -1, np.int64)
    bands[:, 0] = np.arange(count)
    starts = np.zeros(count, np.int64)
    known: dict[Starts, int] = {((Fraction(0),),): 0}
    for i, (one, factor) in enumerate(zip(row.tolist(), nth.tolist(), strict=True)):
        if rules.band[one]:
            continue
        many = int(rules.bands[one])
        starts[FIRST + i] = known.setdefault(rules.starts[one], len(known))
        bands[FIRST + i, :many] = number[(one + np.arange(many)) * factors + factor]
    return {"bands": bands, "starts": starts, "band_starts": tuple(known)}


def _columns(
    rules: Rules, row: Longs, nth: Longs, factors: Sequence[Fraction], currencies: Longs
) -> Prices:
    share = rules.of[row] >= 0
    lots = rules.factored[row] == 1
    top, bottom, exact = _factors(rules, row, np.where(lots, nth, -1), factors)
    lead = np.zeros(FIRST, np.int64)
    top, bottom = np.r_[lead, top], np.r_[lead + 1, bottom]
    is_share = np.r_[lead != 0, share]
    common, common_top = over_one(
        np.where(is_share, 0, top), np.where(is_share, 1, bottom), _WIDEST_COMMON
    )
    outcome = np.zeros(len(top), np.int16)
    outcome[[IS_UNPRICED, IS_UNFACTORED]] = Wait.UNPRICED, Wait.NO_LOT_FACTOR
    currency = currencies[rules.currency[row]] if len(row) else lead[:0]
    nothing = np.r_[lead != 0, rules.nothing[row]]
    unnamed = rules.currencies.get("", -1)
    return Prices(
        top=top,
        bottom=bottom,
        currency=np.r_[lead, currency].astype(np.int32),
        rate_id=np.r_[lead, rules.rate_id[row]].astype(np.int32),
        of=np.r_[lead - 1, rules.of[row]].astype(np.int32),
        outcome=outcome,
        exact=exact,
        common_top=common_top,
        common_most=int(np.abs(common_top).max(initial=0)),
        common=common,
        named=np.r_[lead != 0, rules.currency[row] != unnamed],
        nothing=nothing if nothing.any() else None,
    )


def _factors(
    rules: Rules, row: Longs, nth: Longs, factors: Sequence[Fraction]
) -> tuple[Longs, Longs, dict[int, Fraction]]:
    """Multiply each rate by its lot factor (the nth), in lowest terms; -1 = as it is."""
    top, bottom = rules.top[row], rules.bottom[row]
    exact: dict[int, Fraction] = {}
    for k, factor in enumerate(factors):
        if factor == 1:
            continue
        mine = np.flatnonzero(nth == k)
        most = int(top[mine].max(initial=1)), int(bottom[mine].max(initial=1))
        if max(most[0] * factor.numerator, most[1] * factor.denominator) < _LARGEST:
            high, low = top[mine] * factor.numerator, bottom[mine] * factor.denominator
            divisor = np.maximum(np.gcd(high, low), 1)
            top[mine], bottom[mine] = high // divisor, low // divisor
            continue
        for i in mine.tolist():
            product = Fraction(int(top[i]), int(bottom[i])) * factor
            if max(abs(product.numerator), product.denominator) < _LARGEST:
                top[i], bottom[i] = product.numerator, product.denominator
            else:
                top[i], bottom[i] = 0, 1
                exact[FIRST + i] = product
    return top, bottom, exact


def over_one(top: Longs, bottom: Longs, widest: int) -> tuple[int, Longs]:
    """Bring all factors over one denominator, `widest` at most: (0, zeros) when there is none."""
    shared = 1
    for one in np.unique(bottom).tolist():
        shared = lcm(shared, one)
        if shared > widest:
            return 0, np.zeros(len(top), np.int64)
    if int(np.abs(top).max(initial=0)) * shared >= _LARGEST:
        pairs = zip(top.tolist(), bottom.tolist(), strict=True)
        if any(abs(t) * (shared // b) >= _LARGEST for t, b in pairs):
            return 0, np.zeros(len(top), np.int64)
    return shared, top * (shared // bottom)
