"""The value of a basis, trade by trade, exact: whole numbers in columns over one unit.

A value is `num` x `unit`, times the row's own fraction `top` / `bottom` where there is one (an
exchange rate, a part that counts). Numbers are made small before they are multiplied, by what all
rows have in common; a row that does not fit 64 bits all the same is kept as a Fraction in `odd`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.rating.reasons import Wait

Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Ratio = tuple[Longs, Longs]
_SAFE = 2**62
RATES_OWN = -1  # a currency: that of the rate


@dataclass(frozen=True)
class Scaled:
    """A column of exact numbers: num x unit."""

    num: Longs
    unit: Fraction = Fraction(1)

    def strip(self) -> Scaled:
        """Take out of the numbers what they all have in common."""
        common = int(np.gcd.reduce(self.num)) if len(self.num) else 0
        return self if common < 2 else Scaled(self.num // common, self.unit * common)

    def fractions(self, rows: Longs) -> list[Fraction]:
        """Return these rows as exact fractions."""
        return [one * self.unit for one in self.num[rows].tolist()]


@dataclass
class Values:
    """The value of a basis by row; `outcome` is 0, or the Reason or Wait that stands in its way.

    `currency` is a code of the run's currencies, RATES_OWN where the rate has the currency. Rows in
    `odd` have a `num` of 0 and no part in `top` and `bottom`. `parts`: added up of several kinds.
    `nets`: the part of the volume that counts. `no_rate`: the pair that a row waits for.
    """

    num: Longs
    unit: Fraction
    currency: Int32s
    outcome: Int16s
    top: Longs | None = None
    bottom: Longs | None = None
    odd: dict[int, Fraction] = field(default_factory=dict)
    parts: Bools | None = None
    nets: Ratio | None = None
    no_rate: tuple[Int32s, Int32s] | None = None

    def copy(self) -> Values:
        """Return the same values, to be changed apart from these."""
        top, bottom = self.top, self.bottom
        return replace(
            self, num=self.num.copy(), outcome=self.outcome.copy(), odd=dict(self.odd),
            top=None if top is None else top.copy(),
            bottom=None if bottom is None else bottom.copy(),
        )  # fmt: skip

    def lacks_rate(self, rows: Longs, base: npt.NDArray[Any], quote: npt.NDArray[Any]) -> None:
        """Let rows wait for the exchange rate of a pair."""
        if not len(rows):
            return
        if self.no_rate is None:
            zeros = np.zeros(len(self.num), np.int32)
            self.no_rate = (zeros, zeros.copy())
        self.no_rate[0][rows], self.no_rate[1][rows] = base, quote
        self.outcome[rows] = Wait.NO_FX

    def net(self, rows: Longs, top: Longs, bottom: Longs) -> None:
        """Remember which part of the volume of these rows counts beside what hedges it."""
        ones = np.ones(len(self.num), np.int64)
        self.nets = (ones.copy(), ones) if self.nets is None else self.nets
        self.nets[0][rows], self.nets[1][rows] = top, bottom

    def netted(self, lots: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the lots that count; a part of them is always a whole number."""
        return lots if self.nets is None else lots * self.nets[0] // self.nets[1]

    @property
    def parted(self) -> Bools:
        """Tell the rows that were added up of several kinds of money."""
        return np.zeros(len(self.num), np.bool_) if self.parts is None else self.parts

    def at(self, row: int) -> Fraction:
        """Return the exact value of one row."""
        if row in self.odd:
            return self.odd[row]
        exact = int(self.num[row]) * self.unit
        if self.top is not None and self.bottom is not None:
            exact *= Fraction(int(self.top[row]), int(self.bottom[row]))
        return exact

    def times(self, rows: Longs, top: Longs, bottom: Longs) -> None:
        """Multiply these rows by a fraction of their own."""
        if not len(rows):
            return
        if self.top is None or self.bottom is None:
            self.top, self.bottom = (
                np.ones(len(self.num), np.int64),
                np.ones(len(self.num), np.int64),
            )
        high, low, bad = multiplied((self.top[rows], self.bottom[rows]), (top, bottom))
        for place in np.flatnonzero(bad).tolist() if bad is not None else ():
            row = int(rows[place])
            self.odd[row] = self.at(row) * Fraction(int(top[place]), int(bottom[place]))
            high[place], low[place], self.num[row] = 1, 1, 0
        if self.odd:
            spots = {int(row): place for place, row in enumerate(rows.tolist())}
            done = set() if bad is None else set(rows[bad].tolist())
            for row in self.odd.keys() & spots.keys() - done:
                place = spots[row]
                self.odd[row] *= Fraction(int(top[place]), int(bottom[place]))
        self.top[rows], self.bottom[rows] = high, low

    def times_exactly(self, rows: Longs, factors: list[Fraction]) -> None:
        """Multiply these rows by fractions of their own that may not fit 64 bits."""
        small = [place for place, one in enumerate(factors)
                 if max(one.numerator, one.denominator) < _SAFE]  # fmt: skip
        self.times(
            rows[small], np.array([factors[place].numerator for place in small], np.int64),
            np.array([factors[place].denominator for place in small], np.int64),
        )  # fmt: skip
        for place in sorted(set(range(len(factors))) - set(small)):
            row = int(rows[place])
            self.odd[row], self.num[row] = self.at(row) * factors[place], 0
            if self.top is not None and self.bottom is not None:
                self.top[row] = self.bottom[row] = 1

    def signs(self) -> npt.NDArray[np.int8]:
        """Return -1, 0 or 1 by row."""
        signs = np.sign(self.num).astype(np.int8)
        if self.top is not None:
            signs = (signs * np.sign(self.top)).astype(np.int8)
        for row, exact in self.odd.items():
            signs[row] = (exact > 0) - (exact < 0)
        return signs

    def cut_below_zero(self) -> None:
        """Let nothing be less than zero."""
        negative = self.signs() < 0
        self.num[negative] = 0
        for row in np.flatnonzero(negative).tolist():
            self.odd.pop(row, None)


def product(*columns: Scaled) -> tuple[Longs, Fraction, dict[int, Fraction]]:
    """Multiply columns row by row: (numbers, unit, the rows that do not fit as fractions)."""
    small = [column.strip() for column in columns]
    unit, num = small[0].unit, small[0].num
    bad = np.zeros(len(num), np.bool_)
    for other in small[1:]:
        unit *= other.unit
        if not _fit(num, other.num):
            fits = np.abs(num) < _SAFE // np.maximum(np.abs(other.num), 1)
            bad |= ~fits
            num = np.where(fits, num, 0)
        num = num * other.num
    rows = np.flatnonzero(bad)
    odd: dict[int, Fraction] = {}
    for row in rows.tolist():
        exact = Fraction(1)
        for column in columns:
            exact *= int(column.num[row]) * column.unit
        odd[row], num[row] = exact, 0
    return num, unit, odd


def multiplied(one: Ratio, other: Ratio) -> tuple[Longs, Longs, Bools | None]:
    """Multiply fractions row by row; tell the rows that do not fit 64 bits (None = all do)."""
    (top, bottom), (tops, bottoms) = one, other
    if _fit(top, tops) and _fit(bottom, bottoms):
        return top * tops, bottom * bottoms, None
    left, right = np.maximum(np.gcd(top, bottoms), 1), np.maximum(np.gcd(tops, bottom), 1)
    top, bottoms, tops, bottom = top // left, bottoms // left, tops // right, bottom // right
    fits = np.abs(top) < _SAFE // np.maximum(np.abs(tops), 1)
    fits &= bottom < _SAFE // np.maximum(bottoms, 1)
    if fits.all():
        return top * tops, bottom * bottoms, None
    return np.where(fits, top * tops, 0), np.where(fits, bottom * bottoms, 1), ~fits


def _fit(left: Longs, right: Longs) -> bool:
    return not len(left) or int(np.abs(left).max()) * int(np.abs(right).max()) < _SAFE
