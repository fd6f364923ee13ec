"""Column arithmetic equals Fractions, digit by digit, from one unit to what barely fits."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipshare.errors import BadInput
from pipshare.money.amounts import MAX_E8
from pipshare.money.columns import muldiv
from pipshare.rating.exact import exactly, scaled, scaled_twice

Row = tuple[int, int, int]
EDGES = [0, 1, 2, 5, 10**8, 2**31, 2**32 + 1, 10**16, 2**61, 2**62 - 1, 2**62, 2**62 + 1, MAX_E8]
SIGNED = st.one_of(
    st.integers(-MAX_E8, MAX_E8),
    st.integers(-(10**12), 10**12),
    st.sampled_from(EDGES + [-edge for edge in EDGES]),
)
POSITIVE = st.one_of(
    st.integers(1, MAX_E8), st.integers(1, 10**9), st.sampled_from([e for e in EDGES if e])
)
ROWS = st.lists(st.tuples(SIGNED, SIGNED, POSITIVE), max_size=12)


def exact(value: int, *factors: Fraction) -> int:
    """Round a product to an integer, half to even, with nothing but Fraction."""
    product = Fraction(value)
    for factor in factors:
        product *= factor
    return round(product)  # Fraction rounds half to even, exactly


def columns(rows: list[tuple[int, ...]], width: int) -> list[np.ndarray]:
    return list(np.array(rows, np.int64).reshape(-1, width).T.copy())


@given(ROWS)
@example([(1, 1, 2), (3, 1, 2), (-1, 1, 2), (-3, 1, 2), (5, 1, 10), (-5, 1, 10)])
@example([(MAX_E8, MAX_E8, MAX_E8), (MAX_E8, 1, 1), (-MAX_E8, 1, 1)])
@example([(MAX_E8, 2, 4), (2**62, 2, 2**62 + 1), (2**62 + 1, 3, 4)])
@example([])
@settings(deadline=None)
def test_muldiv_equals_fractions(rows: list[Row]) -> None:
    expected = [exact(value, Fraction(top, bottom)) for value, top, bottom in rows]
    kept = [row for row, units in zip(rows, expected, strict=True) if abs(units) <= MAX_E8]
    result = muldiv(*columns(kept, 3))
    assert result.tolist() == [units for units in expected if abs(units) <= MAX_E8]
    assert result.dtype == np.int64


@given(ROWS)
@settings(deadline=None)
def test_what_is_too_large_is_refused_or_told_by_row(rows: list[Row]) -> None:
    expected = [exact(value, Fraction(top, bottom)) for value, top, bottom in rows]
    large = [abs(units) > MAX_E8 for units in expected]
    if any(large):
        with pytest.raises(BadInput, match="larger than an amount"):
            muldiv(*columns(rows, 3))
    result, told = scaled(*columns(rows, 3))
    assert (told.tolist() if told is not None else [False] * len(rows)) == large
    kept = [0 if too else units for units, too in zip(expected, large, strict=True)]
    assert result.tolist() == kept


@given(st.lists(st.tuples(SIGNED, SIGNED, POSITIVE, POSITIVE, POSITIVE), max_size=8))
@example([(150_000_000, 13, 2, 217, 200)])
@example([(150_000_000, 13, 2, 10**8, 108_503_123), (1, 1, 1, 10**18, 10**18 - 1)])
@settings(deadline=None)
def test_two_fractions_are_rounded_once(rows: list[tuple[int, int, int, int, int]]) -> None:
    expected = [exact(v, Fraction(a, b), Fraction(c, d)) for v, a, b, c, d in rows]
    large = [abs(units) > MAX_E8 for units in expected]
    result, told = scaled_twice(*columns(rows, 5))
    assert (told.tolist() if told is not None else [False] * len(rows)) == large
    assert result.tolist() == [0 if too else u for u, too in zip(expected, large, strict=True)]


@given(st.lists(st.tuples(SIGNED, st.fractions(0, 10**6)), max_size=8))
@settings(deadline=None)
def test_factors_of_any_size(rows: list[tuple[int, Fraction]]) -> None:
    expected = [exact(value, factor) for value, factor in rows]
    result, told = exactly(np.array([v for v, _ in rows], np.int64), [f for _, f in rows])
    large = [abs(units) > MAX_E8 for units in expected]
    assert (told.tolist() if told is not None else [False] * len(rows)) == large
    assert result.tolist() == [0 if too else u for u, too in zip(expected, large, strict=True)]
