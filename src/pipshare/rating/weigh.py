"""Money of several kinds brought into one currency at the close: 1e-8, half to even."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipshare.money.amounts import MAX_E8, half_even
from pipshare.period import Millis as Longs
from pipshare.rating.exact import scaled
from pipshare.rating.known import Known
from pipshare.rating.reasons import Wait
from pipshare.rating.values import Values, multiplied

Bools = npt.NDArray[np.bool_]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
MOST = MAX_E8 // 8  # the largest part that is weighed: several of them can be added
_SAFE = 2**62


def weighed(
    values: Values, currency: Int32s, known: Known, unclear: Int16s, pair: list[str]
) -> Longs:
    """Return the values in these currencies (by row) in 1e-8, 0 where something is missing.

    What is missing is put into `unclear` where nothing is yet, and for NO_FX its pair into `pair`.
    Changes `values`.
    """
    fresh = (values.outcome != 0) & (unclear == 0)
    unclear[fresh] = values.outcome[fresh]
    foreign = (values.outcome == 0) & (values.currency != currency) & (values.signs() != 0)
    rows = np.flatnonzero(foreign)
    top, bottom, _, found = known.exchange.find(
        values.currency[rows], currency[rows], known.trades.close_utc_ms[rows], known.row[rows]
    )
    names = known.places.names
    for row in rows[~found].tolist():
        if not unclear[row]:
            unclear[row] = Wait.NO_FX
            pair[row] = f"{names[values.currency[row]]}/{names[currency[row]]}"
    values.times(rows[found], top[found], bottom[found])
    e8, large = _quantised(values)
    unclear[large & (unclear == 0)] = Wait.TOO_LARGE
    lost = (values.outcome != 0) | large
    lost[rows[~found]] = True
    e8[lost] = 0
    return e8


def _quantised(values: Values) -> tuple[Longs, Bools]:
    """Return values in 1e-8, and the rows too large to be weighed."""
    count, unit = len(values.num), values.unit * 10**8
    ones = np.ones(count, np.int64)
    held = (ones if values.top is None else values.top,
            ones if values.bottom is None else values.bottom)  # fmt: skip
    odd = np.zeros(count, np.bool_)
    odd[list(values.odd)] = True
    if max(unit.numerator, unit.denominator) >= _SAFE:
        odd[:] = True
        high, low = held
    else:
        high, low, bad = multiplied(held, (ones * unit.numerator, ones * unit.denominator))
        odd = odd if bad is None else odd | bad
    e8, over = scaled(values.num, high, low)
    large = np.zeros(count, np.bool_) if over is None else over
    for row in np.flatnonzero(odd).tolist():
        exact = values.at(row) * 10**8
        units = half_even(exact.numerator, exact.denominator)
        large[row] = abs(units) > MAX_E8
        e8[row] = 0 if large[row] else units
    return e8, large | (np.abs(e8) > MOST)
