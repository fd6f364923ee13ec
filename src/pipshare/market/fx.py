"""FX rates: what one unit of a currency cost in another at a moment, exactly, and by which row.

Looked for in this order: the pair as recorded; the pair the other way round, inverted; a cent
currency by its hundredth (100 USC = 1 USD), alone or on top of the first two. Nothing else: no
rate is ever made up from two others. A rate holds from its moment until the next one, and never
longer than MAX_AGE_MS. Where nothing is found, rating takes the trade's own rate (DEAL_ID), which
is not stored here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare.db import ms
from pipshare.errors import BrokenBooks
from pipshare.money import parse_rate
from pipshare.money.currencies import CENT_CURRENCIES
from pipshare.period import HOUR_MS, Millis

# Daily rates pause for a weekend with holidays around it (Thursday to Tuesday at Easter, Christmas
# to New Year at some central banks); a longer silence means that the feed broke.
MAX_AGE_MS = 7 * 24 * HOUR_MS
CENT_ID = 2_147_483_646  # stands for "a hundredth, by definition" where no row was used
DEAL_ID = 2_147_483_645  # stands for the rate that the trade itself came with; negative = inverted
LARGEST = 10**16  # of a rate's numerator and denominator: times 100 they still fit an int64


class FxColumn(NamedTuple):
    """Rates of a column: top / bottom (int64, 0 / 1 where none), id (int32), found (bool)."""

    top: Millis
    bottom: Millis
    id: npt.NDArray[np.int32]
    found: npt.NDArray[np.bool_]


class FxRow(NamedTuple):
    """A recorded rate: from `at_ms` (UTC) on, one unit of base costs `rate` of quote."""

    id: int
    base: str
    quote: str
    at_ms: int
    rate: Fraction


@dataclass(frozen=True)
class _Pair:
    at_ms: Millis  # ascending, distinct
    top: Millis
    bottom: Millis
    id: Millis


class FxTable:
    """All recorded rates; of two for one pair and moment the one with the higher id holds.

    An id below zero is a row used the other way round. 0 means that both currencies are the
    same, CENT_ID that only the definition of a cent was needed.
    """

    def __init__(self, rows: Iterable[FxRow]) -> None:
        latest: dict[tuple[str, str], dict[int, FxRow]] = {}
        for row in sorted(rows, key=lambda r: r.id):
            if not fits(row.rate):
                raise BrokenBooks("bad_rate", f"FX row {row.id}: {row.rate} is no usable rate")
            latest.setdefault((row.base, row.quote), {})[row.at_ms] = row
        self._pairs = {pair: _pair(list(found.values())) for pair, found in latest.items()}

    def find(self, base: str, quote: str, utc_ms: int) -> tuple[Fraction, int] | None:
        """Return (rate, id) for a pair at a moment, or None where there is none."""
        found = self.find_pair(base, quote, np.array([utc_ms], np.int64))
        if not found.found[0]:
            return None
        return Fraction(int(found.top[0]), int(found.bottom[0])), int(found.id[0])

    def find_pair(self, base: str, quote: str, utc_ms: Millis) -> FxColumn:
        """Return the rates of one pair at many moments."""
        if base == quote:
            return _constant(1, 1, 0, len(utc_ms))
        main_base, main_quote = CENT_CURRENCIES.get(base, base), CENT_CURRENCIES.get(quote, quote)
        factor = Fraction(100 if main_quote != quote else 1, 100 if main_base != base else 1)
        if main_base == main_quote:
            # By definition: nothing recorded can be more right.
            return _constant(factor.numerator, factor.denominator, CENT_ID, len(utc_ms))
        found = self._recorded(base, quote, utc_ms)
        if (main_base, main_quote) == (base, quote):
            return found
        return _either(found, _times(self._recorded(main_base, main_quote, utc_ms), factor))

    def find_column(
        self, base: pl.Series | Sequence[str], quote: pl.Series | Sequence[str], utc_ms: Millis
    ) -> FxColumn:
        """Return the rates of many pairs: three columns of one length."""
        pairs = pl.DataFrame({"base": base, "quote": quote}, schema_overrides=dict.fromkeys(
            ("base", "quote"), pl.String))  # fmt: skip
        pairs = pairs.with_columns(pair=pl.struct("base", "quote").rank("dense"))
        distinct = pairs.unique("pair").sort("pair")
        result = _constant(0, 1, 0, len(pairs))
        result.found[:] = False
        if len(distinct) == 1:
            return self.find_pair(distinct["base"][0], distinct["quote"][0], utc_ms)
        codes = pairs["pair"].to_numpy()
        for one_base, one_quote, code in distinct.iter_rows():
            rows = np.flatnonzero(codes == code)
            found = self.find_pair(one_base, one_quote, utc_ms[rows])
            result.top[rows], result.bottom[rows] = found.top, found.bottom
            result.id[rows], result.found[rows] = found.id, found.found
        return result

    def _recorded(self, base: str, quote: str, utc_ms: Millis) -> FxColumn:
        direct = _at(self._pairs.get((base, quote)), utc_ms)
        back = _at(self._pairs.get((quote, base)), utc_ms)
        inverse = FxColumn(np.where(back.found, back.bottom, 0), np.where(back.found, back.top, 1),
                           -back.id, back.found)  # fmt: skip
        return _either(direct, inverse)


def fits(rate: Fraction) -> bool:
    """Tell whether a rate can be used exactly in 64-bit columns: positive, at most 16 digits."""
    return 0 < rate.numerator <= LARGEST and rate.denominator <= LARGEST


def _pair(rows: list[FxRow]) -> _Pair:
    rows.sort(key=lambda r: r.at_ms)
    return _Pair(*(
        np.array(column, np.int64) for column in (
            [r.at_ms for r in rows], [r.rate.numerator for r in rows],
            [r.rate.denominator for r in rows], [r.id for r in rows],
        )
    ))  # fmt: skip


def _at(pair: _Pair | None, utc_ms: Millis) -> FxColumn:
    if pair is None:
        column = _constant(0, 1, 0, len(utc_ms))
        column.found[:] = False
        return column
    place = np.searchsorted(pair.at_ms, utc_ms, side="right") - 1
    held = np.maximum(place, 0)
    found = (place >= 0) & (utc_ms - pair.at_ms[held] <= MAX_AGE_MS)
    return FxColumn(
        np.where(found, pair.top[held], 0),
        np.where(found, pair.bottom[held], 1),
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


_RATES = f"SELECT id, base, quote, {ms('at')}, rate FROM market_fx"


def fx_table(conn: psycopg.Connection[Any]) -> FxTable:
    """Return all recorded rates."""
    exact: dict[str, Fraction] = {}
    rows = []
    for id_, base, quote, at_ms, text in conn.execute(_RATES):
        if text not in exact:
            exact[text] = parse_rate(text)
        rows.append(FxRow(id_, base, quote, at_ms, exact[text]))
    return FxTable(rows)
