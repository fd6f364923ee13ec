"""Exact arithmetic on int64 columns: multiply and divide with one half-even rounding.

Columns stay in 64 bits as long as that is provably exact; the rows where it is not are worked
out one by one with Python integers. Both give the same digits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipshare.errors import BadInput
from pipshare.money.amounts import MAX_E8, half_even

Column = npt.NDArray[np.int64]
_SAFE = 2**62


def muldiv(values: Column, top: Column, bottom: Column) -> Column:
    """Return values * top / bottom, rounded half-even, row by row, exactly.

    Shapes: three int64 columns of one length; bottom > 0. Raises BadInput when a result does not
    fit an amount.
    """
    small = _fits(values, top)
    if small.all():
        return _direct(values, top, bottom)
    result = np.zeros(len(values), np.int64)
    result[small] = _direct(values[small], top[small], bottom[small])
    rest = ~small
    result[rest] = _split(values[rest], top[rest], bottom[rest])
    return result


def _fits(left: Column, right: Column) -> npt.NDArray[np.bool_]:
    """Tell for each row whether left * right stays inside 64 bits, without multiplying."""
    if not len(left):
        return np.ones(0, np.bool_)
    if int(np.abs(left).max()) * int(np.abs(right).max()) < _SAFE:
        return np.ones(len(left), np.bool_)
    return np.abs(left) < _SAFE // np.maximum(np.abs(right), 1)


def _direct(values: Column, top: Column, bottom: Column) -> Column:
    product = values * top
    divisor: Column | np.int64 = bottom
    if len(bottom) and (bottom == bottom[0]).all():
        # By one number numpy divides several times as fast as by a column.
        divisor = np.int64(bottom[0])
        if divisor == 1:
            return product
    quotient: Column = product // divisor
    return _rounded(quotient, product - quotient * divisor, divisor)


def _rounded(quotient: Column, rest: Column, bottom: Column | np.int64) -> Column:
    missing = bottom - rest
    up = (rest > missing) | ((rest == missing) & (quotient & 1 == 1))
    result: Column = quotient + up
    return result


def _split(values: Column, top: Column, bottom: Column) -> Column:
    """Long division: values = whole * bottom + part, so only part * top has to fit."""
    whole = values // bottom
    part = values - whole * bottom
    fits = _fits(bottom, top) & _fits(whole, top)
    result = np.zeros(len(values), np.int64)
    if fits.any():
        inner = part[fits] * top[fits]
        quotient = inner // bottom[fits]
        rest = inner - quotient * bottom[fits]
        result[fits] = _rounded(whole[fits] * top[fits] + quotient, rest, bottom[fits])
    for row in np.flatnonzero(~fits):
        result[row] = _scalar(int(values[row]), int(top[row]), int(bottom[row]))
    return result


def _scalar(value: int, top: int, bottom: int) -> int:
    exact = half_even(value * top, bottom)
    if abs(exact) > MAX_E8:
        raise BadInput("amount_too_large", f"{value} * {top} / {bottom} is larger than an amount")
    return exact
