"""FX rates: what one unit of a currency cost in another at a moment, exactly, and by which row.

Looked for in this order: the pair as recorded; the pair the other way round, inverted; a cent
currency by its hundredth (100 USC = 1 USD), alone or on top of the first two; last a chain through
a third currency, of two rates found so (CHAIN_ID, see FxTable.legs). A rate holds from its moment
until the pair's next one, and never longer than MAX_AGE_MS. Where nothing is found, rating takes
the trade's own rate (DEAL_ID), which is not stored here. Rules: docs/reference/fx.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.errors import BrokenBooks
from pipshare.money import half_even
from pipshare.money.currencies import CENT_CURRENCIES
from pipshare.period import HOUR_MS, Millis

# Daily rates pause for a weekend with holidays around it (Thursday to Tuesday at Easter, Christmas
# to New Year at some central banks); a longer silence means that the feed broke.
MAX_AGE_MS = 7 * 24 * HOUR_MS
CENT_ID = 2_147_483_646  # stands for "a hundredth, by definition" where no row was used
DEAL_ID = 2_147_483_645  # stands for the rate that the trade itself came with; negative = inverted
CHAIN_ID = 2_147_483_644  # stands for the product of two rates through a third currency
PIVOTS = ("USD", "EUR")  # tried in this order, then the entities' own currencies
Side = Literal["mid", "bid", "ask"]
SIDES: tuple[Side, ...] = ("mid", "bid", "ask")
LARGEST = 10**16  # of a rate's numerator and denominator: times 100 they still fit an int64


class FxColumn(NamedTuple):
    """Rates of a column: top / bottom (int64, 0 / 1 where none), id (int32), found (bool)."""

    top: Millis
    bottom: Millis
    id: npt.NDArray[np.int32]
    found: npt.NDArray[np.bool_]


class FxRow(NamedTuple):
    """A recorded rate: from `at_ms` (UTC) on, one unit of base costs `rate` of quote.

    `bid` and `ask` where they were told; where they were not, `rate` stands for both.
    """

    id: int
    base: str
    quote: str
    at_ms: int
    rate: Fraction
    bid: Fraction | None = None
    ask: Fraction | None = None

    def side(self, side: Side) -> Fraction:
        """Return one side of the rate."""
        told = {"mid": self.rate, "bid": self.bid, "ask": self.ask}[side]
        return self.rate if told is None else told


class FxLeg(NamedTuple):
    """One step of a chain: one unit of base costs `rate` of quote, by the row `id`."""

    base: str
    quote: str
    rate: Fraction
    id: int


@dataclass(frozen=True)
class _Pair:
    at_ms: Millis  # ascending, distinct
    id: Millis
    sides: dict[Side, tuple[Millis, Millis]]  # top and bottom of each side


class FxTable:
    """All recorded rates; of two for one pair and moment the one with the higher id holds.

    An id below zero is a row used the other way round. 0 means that both currencies are the
    same, CENT_ID that only the definition of a cent was needed, CHAIN_ID a chain.
    """

    def __init__(self, rows: Iterable[FxRow], pivots: Sequence[str] = PIVOTS) -> None:
        latest: dict[tuple[str, str], dict[int, FxRow]] = {}
        for row in sorted(rows, key=lambda r: r.id):
            if not all(fits(row.side(side)) for side in SIDES):
                raise BrokenBooks("bad_rate", f"FX row {row.id}: {row.rate} is no usable rate")
            latest.setdefault((row.base, row.quote), {})[row.at_ms] = row
        self._pairs = {pair: _pair(list(found.values())) for pair, found in latest.items()}
        self.pivots = tuple(dict.fromkeys(CENT_CURRENCIES.get(one, one) for one in pivots))

    def find(
        self, base: str, quote: str, utc_ms: int, side: Side = "mid"
    ) -> tuple[Fraction, int] | None:
        """Return (rate, id) for a pair at a moment, or None where there is none."""
        return _first(self.find_pair(base, quote, np.array([utc_ms], np.int64), side))

    def find_pair(self, base: str, quote: str, utc_ms: Millis, side: Side = "mid") -> FxColumn:
        """Return the rates of one pair at many moments.

        `side` is that of the pair as it is recorded: with EUR/USD recorded, EUR in USD is x its
        bid, USD in EUR / its bid.
        """
        if base == quote:
            return _constant(1, 1, 0, len(utc_ms))
        main_base, main_quote = CENT_CURRENCIES.get(base, base), CENT_CURRENCIES.get(quote, quote)
        factor = Fraction(100 if main_quote != quote else 1, 100 if main_base != base else 1)
        if main_base == main_quote:
            # By definition: nothing recorded can be more right.
            return _constant(factor.numerator, factor.denominator, CENT_ID, len(utc_ms))
        found = self._recorded(base, quote, utc_ms, side)
        if (main_base, main_quote) != (base, quote):
            main = self._recorded(main_base, main_quote, utc_ms, side)
            found = _either(found, _times(main, factor))
        for pivot in self.pivots:
            if found.found.all():
                break
            chain = self._chain(main_base, pivot, main_quote, utc_ms, side)
            found = _either(found, _times(chain, factor))
        return found

    def legs(
        self, base: str, quote: str, utc_ms: int, side: Side = "mid"
    ) -> tuple[FxLeg, FxLeg] | None:
        """Return the two rates behind a rate with CHAIN_ID, None where there is no chain."""
        base, quote = CENT_CURRENCIES.get(base, base), CENT_CURRENCIES.get(quote, quote)
        for pivot in self.pivots:
            made = [
                FxLeg(one, other, *found)
                for one, other in ((base, pivot), (pivot, quote))
                if pivot not in (base, quote)
                and (found := self._one(one, other, utc_ms, side)) is not None
            ]
            if len(made) == 2:
                return made[0], made[1]
        return None

    def _one(
        self, base: str, quote: str, utc_ms: int, side: Side
    ) -> tuple[Fraction, int] | None:  # fmt: skip
        return _first(self._recorded(base, quote, np.array([utc_ms], np.int64), side))

    def find_column(
        self, base: pl.Series | Sequence[str], quote: pl.Series | Sequence[str], utc_ms: Millis,
        side: Side = "mid",
    ) -> FxColumn:  # fmt: skip
        """Return the rates of many pairs: three columns of one length."""
        pairs = pl.DataFrame({"base": base, "quote": quote}, schema_overrides=dict.fromkeys(
            ("base", "quote"), pl.String))  # fmt: skip
        pairs = pairs.with_columns(pair=pl.struct("base", "quote").rank("dense"))
        distinct = pairs.unique("pair").sort("pair")
        result = _constant(0, 1, 0, len(pairs))
        result.found[:] = False
        if len(distinct) == 1:
            return self.find_pair(distinct["base"][0], distinct["quote"][0], utc_ms, side)
        codes = pairs["pair"].to_numpy()
        for one_base, one_quote, code in distinct.iter_rows():
            rows = np.flatnonzero(codes == code)
            found = self.find_pair(one_base, one_quote, utc_ms[rows], side)
            result.top[rows], result.bottom[rows] = found.top, found.bottom
            result.id[rows], result.found[rows] = found.id, found.found
        return result

    def _recorded(self, base: str, quote: str, utc_ms: Millis, side: Side) -> FxColumn:
        direct = _at(self._pairs.get((base, quote)), utc_ms, side)
        back = _at(self._pairs.get((quote, base)), utc_ms, side)
        inverse = FxColumn(np.where(back.found, back.bottom, 0), np.where(back.found, back.top, 1),
                           -back.id, back.found)  # fmt: skip
        return _either(direct, inverse)

    def _chain(
        self, base: str, pivot: str, quote: str, utc_ms: Millis, side: Side
    ) -> FxColumn:  # fmt: skip
        """Multiply two recorded rates exactly, once for each two rows that meet."""
        none = _at(None, utc_ms, side)
        if pivot in (base, quote):
            return none
        first = self._recorded(base, pivot, utc_ms, side)
        second = self._recorded(pivot, quote, utc_ms, side)
        rows = np.flatnonzero(first.found & second.found)
        if not len(rows):
            return none
        met = np.stack([first.id[rows], second.id[rows]])
        _, where, code = np.unique(met, axis=1, return_index=True, return_inverse=True)
        made = []
        for row in rows[where].tolist():
            top = int(first.top[row]) * int(second.top[row])
            made.append(_shortened(Fraction(top, int(first.bottom[row]) * int(second.bottom[row]))))
        tops, bottoms = (np.array(part, np.int64)[code.ravel()] for part in zip(*made, strict=True))
        none.top[rows], none.bottom[rows] = tops, bottoms
        none.found[rows] = tops > 0
        none.id[rows] = np.where(tops > 0, CHAIN_ID, 0)
        return none


def _first(column: FxColumn) -> tuple[Fraction, int] | None:
    if not column.found[0]:
        return None
    return Fraction(int(column.top[0]), int(column.bottom[0])), int(column.id[0])


def _shortened(rate: Fraction) -> tuple[int, int]:
    """Return (top, bottom) of a rate: exact, or with 16 digits half to even; (0, 1) is none."""
    if fits(rate):
        return rate.numerator, rate.denominator
    bottom = LARGEST
    while bottom > 1 and rate * bottom > LARGEST:
        bottom //= 10
    top = half_even(rate.numerator * bottom, rate.denominator)
    return (top, bottom) if 0 < top <= LARGEST else (0, 1)


def fits(rate: Fraction) -> bool:
    """Tell whether a rate can be used exactly in 64-bit columns: positive, at most 16 digits."""
    return 0 < rate.numerator <= LARGEST and rate.denominator <= LARGEST


def _pair(rows: list[FxRow]) -> _Pair:
    rows.sort(key=lambda r: r.at_ms)
    sides: dict[Side, tuple[Millis, Millis]] = {}
    for side in SIDES:
        told = [row.side(side) for row in rows]
        sides[side] = (
            np.array([rate.numerator for rate in told], np.int64),
            np.array([rate.denominator for rate in told], np.int64),
        )
    moments = np.array([r.at_ms for r in rows], np.int64)
    return _Pair(moments, np.array([r.id for r in rows], np.int64), sides)


def _at(pair: _Pair | None, utc_ms: Millis, side: Side) -> FxColumn:
    if pair is None:
        column = _constant(0, 1, 0, len(utc_ms))
        column.found[:] = False
        return column
    place = np.searchsorted(pair.at_ms, utc_ms, side="right") - 1
    held = np.maximum(place, 0)
    found = (place >= 0) & (utc_ms - pair.at_ms[held] <= MAX_AGE_MS)
    top, bottom = pair.sides[side]
    return FxColumn(
        np.where(found, top[held], 0),
        np.where(found, bottom[held], 1),
        np.where(found, pair.id[held], 0).astype(np.int32),
        found,
    )


def _constant(top: int, bottom: int, id_: int, rows: int) -> FxColumn:
    return FxColumn(
        np.full(rows, top, np.int64), np.full(rows, bottom, np.int64),
        np.full(rows, id_, np.int32), np.ones(rows, np.bool_),
    )  # fmt: skip


def _either(first: FxColumn, second: FxColumn) -> FxColumn:
    held = first.found
    return FxColumn(
        np.where(held, first.top, second.top), np.where(held, first.bottom, second.bottom),
        np.where(held, first.id, second.id), held | second.found,
    )  # fmt: skip


def _times(column: FxColumn, factor: Fraction) -> FxColumn:
    # 1e16 * 100 stays inside 63 bits, so this is exact.
    return column._replace(
        top=column.top * factor.numerator, bottom=column.bottom * factor.denominator
    )
