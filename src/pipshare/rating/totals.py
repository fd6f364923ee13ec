"""Running totals by key over columns in canonical order, carried on from block to block."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from pipshare.period import HOUR_MS, Clock
from pipshare.period import Millis as Longs
from pipshare.rating.known import Known

Column = npt.NDArray[Any]  # int64, or Python integers where 64 bits might not be enough
_SAFE = 2**61
_FROM_MONDAY = 3  # 1970-01-01 was a Thursday
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Totals:
    """Sums by key. `add` takes rows in canonical order and tells each the total before it."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, ...], int] = {}

    def add(self, keys: tuple[Longs, ...], amounts: Column) -> Column:
        """Count these rows; returns the total of its key before each."""
        if not len(amounts):
            return amounts
        code, first = ranked(keys)
        names = list(zip(*(key[first].tolist() for key in keys), strict=True))
        held = [self._held.get(name, 0) for name in names]
        before, after = summed(code, amounts, held)
        self._held.update(zip(names, after, strict=True))
        return before


def ranked(keys: tuple[Longs, ...]) -> tuple[Longs, Longs]:
    """Number the distinct keys: (number of each row's, a row of each number)."""
    code = np.zeros(len(keys[0]), np.int64)
    for key in keys:
        _, rank = np.unique(key, return_inverse=True)
        code = code * (int(rank.max(initial=0)) + 1) + rank
        _, code = np.unique(code, return_inverse=True)
    _, first, number = np.unique(code, return_index=True, return_inverse=True)
    return number.astype(np.int64), first


def summed(code: Longs, amounts: Column, held: list[int]) -> tuple[Column, list[int]]:
    """Return the total before each row (of those with its code), and the totals in the end."""
    order = np.argsort(code, kind="stable")
    sorted_, mine = code[order], amounts[order]
    if mine.dtype != object and _most(mine, held) >= _SAFE:
        mine = mine.astype(object)
    running = np.cumsum(mine)
    begins = np.flatnonzero(np.r_[True, sorted_[1:] != sorted_[:-1]])
    offset = np.array(held, mine.dtype) - (running[begins] - mine[begins])
    length = np.diff(np.r_[begins, len(sorted_)])
    before = np.empty(len(mine), mine.dtype)
    before[order] = running - mine + np.repeat(offset, length)
    ends = begins + length - 1
    return before, (running[ends] + offset).tolist()


def _most(amounts: Column, held: list[int]) -> int:
    return int(np.abs(amounts).max()) * len(amounts) + max(map(abs, held), default=0)


def lots_in_units(known: Known, unit: int) -> Column:
    """Return standard lots (x lot factor, 1 where nobody has said it) in 1 / (1e8 x unit)."""
    factors = [
        int((Fraction(1) if g.lot_factor is None else g.lot_factor) * unit)
        for g in known.places.groups
    ]
    lots = known.trades.lots_e8
    if int(np.abs(lots).max(initial=0)) * max(factors, default=1) < _SAFE:
        return np.asarray(lots * np.array(factors, np.int64)[known.trades.group])
    return np.asarray(lots.astype(object) * np.array(factors, object)[known.trades.group])


def lots_unit(known: Known) -> int:
    """Return the least number by which every lot factor becomes a whole one."""
    return lcm(*((g.lot_factor or Fraction(1)).denominator for g in known.places.groups), 1)


def windows(utc_ms: Longs, unit: str, clock: Clock) -> Longs:
    """Return the number of the window that each moment lies in, by the broker's own time.

    Days, weeks from Monday, months, quarters, years; a life has one window, 0. Neighbours differ by
    one.
    """
    if unit == "life":
        return np.zeros(len(utc_ms), np.int64)
    day = clock.from_utc(utc_ms) // (24 * HOUR_MS)
    if unit == "day":
        return day
    if unit == "week":
        return (day + _FROM_MONDAY) // 7
    months = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.asarray(months // _MONTHS[unit], np.int64)
