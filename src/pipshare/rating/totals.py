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
WINDOW = 18  # bits of a window's number: days for 700 years
_FROM_MONDAY = 3  # 1970-01-01 was a Thursday
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Totals:
    """Sums by key. `add` takes rows in canonical order and tells each the total before it.

    A key is a whole number (`packed`). What is held stands sorted, so that the keys of a block are
    found by searching, all at once.
    """

    def __init__(self) -> None:
        self._keys = np.zeros(0, np.int64)
        self._sums: Column = np.zeros(0, np.int64)

    def add(self, key: Longs, amounts: Column) -> Column:
        """Count these rows; returns the total of its key before each."""
        if not len(amounts):
            return amounts
        order = np.argsort(key, kind="stable")
        sorted_, mine = key[order], amounts[order]
        begins = np.flatnonzero(np.r_[True, sorted_[1:] != sorted_[:-1]])
        names = sorted_[begins]
        at = np.minimum(np.searchsorted(self._keys, names), max(len(self._keys) - 1, 0))
        known = self._keys[at] == names if len(self._keys) else np.zeros(len(names), np.bool_)
        held = np.where(known, self._sums[at], 0) if len(self._keys) else names * 0
        running, after = summed(mine, begins, held)
        before = np.empty(len(mine), running.dtype)
        before[order] = running
        self._hold(names, after, at, known)
        return before

    def _hold(self, names: Longs, sums: Column, at: Longs, known: npt.NDArray[np.bool_]) -> None:
        if sums.dtype == object and self._sums.dtype != object:
            self._sums = self._sums.astype(object)
        self._sums[at[known]] = sums[known]
        keys = np.r_[self._keys, names[~known]]
        order = np.argsort(keys, kind="stable")
        self._keys, self._sums = keys[order], np.r_[self._sums, sums[~known]][order]

    def times(self, factor: int) -> None:
        """Go on in units that are so many times smaller."""
        if _most(self._sums) * factor >= _SAFE:
            self._sums = self._sums.astype(object)
        self._sums = self._sums * factor


class Numbers:
    """Numbers whole numbers of any size from 0, the same one always the same."""

    def __init__(self) -> None:
        self._names = np.zeros(0, np.int64)
        self._numbers = np.zeros(0, np.int64)

    def of(self, names: Longs) -> Longs:
        """Return the number of each; who is new gets the next."""
        used, place = np.unique(names, return_inverse=True)
        at = np.searchsorted(self._names, used)
        known = np.zeros(len(used), np.bool_)
        inside = at < len(self._names)
        known[inside] = self._names[at[inside]] == used[inside]
        found = np.empty(len(used), np.int64)
        found[known] = self._numbers[at[known]]
        found[~known] = len(self._names) + np.arange(int((~known).sum()))
        self._names = np.insert(self._names, at[~known], used[~known])
        self._numbers = np.insert(self._numbers, at[~known], found[~known])
        return found[place]


def packed(*columns: tuple[Longs, int]) -> Longs:
    """Pack columns of whole numbers from 0 into one, each in so many bits (62 in all)."""
    result = np.zeros(len(columns[0][0]), np.int64)
    for column, bits in columns:
        result = (result << bits) | column
    return result


def summed(amounts: Column, begins: Longs, held: Column) -> tuple[Column, Column]:
    """Return the totals before each row, and in the end, of rows that stand by key.

    `begins` says where each key's rows begin, `held` what it had before.
    """
    if amounts.dtype != object and _most(amounts) + _most(held) >= _SAFE:
        amounts = amounts.astype(object)
    running = np.cumsum(amounts)
    offset = held - (running[begins] - amounts[begins])
    length = np.diff(np.r_[begins, len(amounts)])
    before = running - amounts + np.repeat(offset, length)
    return before, running[begins + length - 1] + offset


def _most(amounts: Column) -> int:
    return int(np.abs(amounts).max(initial=0)) * len(amounts)


def ranked(keys: tuple[Longs, ...]) -> tuple[Longs, Longs]:
    """Number the distinct keys: (number of each row's, a row of each number)."""
    code = np.zeros(len(keys[0]), np.int64)
    for key in keys:
        _, rank = np.unique(key, return_inverse=True)
        code = code * (int(rank.max(initial=0)) + 1) + rank
    _, first, number = np.unique(code, return_index=True, return_inverse=True)
    return number.astype(np.int64), first


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
