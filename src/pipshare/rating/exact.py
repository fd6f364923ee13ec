"""Columns of exact products: values times one or two fractions, quantised once, half-even.

Rows whose factors do not fit 64 bits are reduced first, and worked out with Python integers when
that is not enough. What does not fit an amount is told by row, so that one bad row stops no other.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from pipshare.errors import BadInput
from pipshare.money.amounts import MAX_E8, half_even
from pipshare.money.columns import muldiv
from pipshare.period import Millis as Longs

Bools = npt.NDArray[np.bool_]
_SAFE = 2**62


def scaled(values: Longs, top: Longs, bottom: Longs) -> tuple[Longs, Bools | None]:
    """Return values x top / bottom, and the rows too large for an amount (None = no row).

    Three int64 columns of one length, bottom > 0. A row that is too large comes back as 0.
    """
    try:
        return muldiv(values, top, bottom), None
    except BadInput:
        return _by_row(values, top, bottom)


def scaled_twice(
    values: Longs, top: Longs, bottom: Longs, fx_top: Longs, fx_bottom: Longs
) -> tuple[Longs, Bools | None]:
    """Return values x top / bottom x fx_top / fx_bottom with one rounding, as `scaled` does."""
    if _fit(top, fx_top) and _fit(bottom, fx_bottom):
        high, low = top * fx_top, bottom * fx_bottom
        if _fit(values, high):
            return scaled(values, high, low)
    return _reduced(values, top, bottom, fx_top, fx_bottom)


def exactly(values: Longs, factors: list[Fraction]) -> tuple[Longs, Bools | None]:
    """Return values x factors for factors that no pair of 64-bit integers can hold."""
    high = np.array([factor.numerator for factor in factors], object)
    low = np.array([factor.denominator for factor in factors], object)
    return _by_row(values, high, low)


def _fit(left: Longs, right: Longs) -> bool:
    if not len(left):
        return True
    return int(np.abs(left).max()) * int(np.abs(right).max()) < _SAFE


def _reduced(
    values: Longs, top: Longs, bottom: Longs, fx_top: Longs, fx_bottom: Longs
) -> tuple[Longs, Bools | None]:
    """Cancel what the three numerators and two denominators share, then multiply again."""
    ups, downs = [values, top, fx_top], [bottom, fx_bottom]
    for i in range(3):
        for j in range(2):
            common = np.maximum(np.gcd(ups[i], downs[j]), 1)
            ups[i], downs[j] = ups[i] // common, downs[j] // common
    value, high, fx_high = ups
    if _fit(high, fx_high) and _fit(*downs):
        return scaled(value, high * fx_high, downs[0] * downs[1])
    large = np.array(high, object) * np.array(fx_high, object)
    return _by_row(value, large, np.array(downs[0], object) * np.array(downs[1], object))


def _by_row(
    values: Longs, top: npt.NDArray[np.object_] | Longs, bottom: npt.NDArray[np.object_] | Longs
) -> tuple[Longs, Bools | None]:
    rows = zip(values.tolist(), top.tolist(), bottom.tolist(), strict=True)
    results = [half_even(value * high, low) for value, high, low in rows]
    large = [abs(result) > MAX_E8 for result in results]
    kept = [0 if too else result for result, too in zip(results, large, strict=True)]
    return np.array(kept, np.int64), np.array(large, np.bool_) if any(large) else None


def rounded(
    values: Longs, top: Longs, bottom: Longs, places: int | None, how: str
) -> tuple[Longs, Bools | None]:
    """Return values x top / bottom in 1e-8, rounded once to so many places, half to even or up.

    None = to eight, half to even. Half up goes away from zero.
    """
    if places is None:
        return scaled(values, top, bottom)
    step = 10 ** (8 - min(places, 8))
    if how == "even" and _fit(bottom, np.full(len(bottom), step, np.int64)):
        whole, large = scaled(values, top, bottom * step)
        if int(np.abs(whole).max(initial=0)) < _SAFE // step:
            return whole * step, large
    rows = zip(values.tolist(), top.tolist(), bottom.tolist(), strict=True)
    results = [_to_step(value * high, low, step, how) for value, high, low in rows]
    large = np.array([abs(result) > MAX_E8 for result in results], np.bool_)
    kept = [0 if too else result for result, too in zip(results, large.tolist(), strict=True)]
    return np.array(kept, np.int64), large if large.any() else None


def exactly_rounded(value: Fraction, places: int | None, how: str) -> int:
    """Return an exact number of 1e-8 as an integer, rounded as `rounded` does."""
    if places is None:
        return half_even(value.numerator, value.denominator)
    return _to_step(value.numerator, value.denominator, 10 ** (8 - min(places, 8)), how)


def _to_step(numerator: int, denominator: int, step: int, how: str) -> int:
    if how == "even":
        return half_even(numerator, denominator * step) * step
    whole = (2 * abs(numerator) + denominator * step) // (2 * denominator * step) * step
    return -whole if numerator < 0 else whole
