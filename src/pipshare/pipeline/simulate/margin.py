"""The broker's margin: revenue of trades by the account's book, and amounts in one currency."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.period import Millis as Longs
from pipshare.pipeline.run import Run
from pipshare.plans.terms import Component
from pipshare.rating.bases import BASES
from pipshare.rating.exact import scaled
from pipshare.rating.exchange import Exchange
from pipshare.rating.known import Known, Places
from pipshare.rating.placed import Placed
from pipshare.rating.reasons import Wait
from pipshare.rating.weigh import weighed

_REVENUE = Component("", "revenue", "per_level", None, ())
_UNIT = Fraction(1, 10**8)


@dataclass
class Revenue:
    """What the broker earned by an entity's trades, 1e-8; trades of which nobody can tell."""

    e8: int = 0
    unknown: Counter[str] = field(default_factory=Counter)

    def add(self, made: Placed, run: Run, currency: str) -> None:
        """Add the revenue of some trades in a currency; cancelled ones have none."""
        trades = made.trades
        if trades.cancelled is not None:
            made = made.taken(~trades.cancelled)
            trades = made.trades
        if not len(trades):
            return
        names = [currency, *trades.account_currencies, *(one.currency for one in made.symbols),
                 *(one.currency for one in made.groups)]  # fmt: skip
        distinct = tuple(name for name in dict.fromkeys(names) if name)
        places = Places(made.symbols, made.groups, distinct)
        rows = np.arange(len(trades))
        known = Known(trades, places, Exchange(run.fx, trades.own, distinct), rows)
        values = BASES["revenue"](_REVENUE, known)
        unclear, pair = np.zeros(len(trades), np.int16), [""] * len(trades)
        target = np.zeros(len(trades), np.int32)
        e8 = weighed(values, target, known, unclear, pair)
        self.e8 += _sum(e8)
        for code, count in zip(*np.unique(unclear[unclear != 0], return_counts=True), strict=True):
            self.unknown[Wait(int(code)).word] += int(count)


def in_currency(
    run: Run, wallet: pl.Series, amount_e8: Longs, moment_ms: Longs, currency: str,
    own: Any = None, rows: Longs | None = None,
) -> tuple[int, int]:  # fmt: skip
    """Return the sum of amounts in a currency by the rates of their moments, and how many have
    none. `own`: the trades' own rates, of the trades at `rows`."""
    names = tuple(dict.fromkeys([currency, *wallet.unique(maintain_order=True)]))
    codes = {name: code for code, name in enumerate(names)}
    base: npt.NDArray[np.int32] = wallet.replace_strict(codes, return_dtype=pl.Int32).to_numpy()
    exchange = Exchange(run.fx, own, names)
    trades = np.zeros(len(base), np.int64) if rows is None else rows
    target = np.zeros(len(base), np.int32)
    top, bottom, _, found = exchange.find(base, target, moment_ms, trades)
    turned, _ = scaled(amount_e8[found], top[found], bottom[found])
    return _sum(turned), int((~found & (amount_e8 != 0)).sum())


def _sum(values: Longs) -> int:
    """Return an exact sum, which may be larger than 64 bits."""
    high, low = values >> 32, values & 0xFFFFFFFF
    return (int(high.sum()) << 32) + int(low.sum())
