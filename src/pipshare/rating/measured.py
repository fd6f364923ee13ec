"""What tiers are measured by: the totals of each payee's windows, and where every trade stands.

Filled by a first pass over the trades, which rates nothing but tells whose lines come to be rated;
asked by the second. Totals are whole numbers of 1 / `unit`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipshare.period import Millis as Longs
from pipshare.plans.periods import Tier
from pipshare.rating.totals import Column, ranked, summed


@dataclass(frozen=True)
class History:
    """Final measures of earlier windows, where the trades of those windows are not given.

    Columns: component id, partner id, the window's number (totals.windows), the measure in 1e-8.
    """

    component_id: Longs
    partner_id: Longs
    window: Longs
    measure_e8: Longs


def unit_of(tier: Tier) -> str:
    """Return the window that a tier measures; a rolling one goes by its unit."""
    return tier.unit if tier.window == "rolling" else tier.window


@dataclass
class Measured:
    """One component's measure. Rows are added in canonical order of trades, in any of levels."""

    component_id: int
    tier: Tier
    unit: int
    trade: list[Longs] = field(default_factory=list)
    payee: list[Longs] = field(default_factory=list)
    window: list[Longs] = field(default_factory=list)
    adds: list[Column] = field(default_factory=list)
    client: list[Longs] = field(default_factory=list)

    def add(self, trade: Longs, payee: Longs, window: Longs, adds: Column, client: Longs) -> None:
        """Count rows: what each trade adds to a payee's window (0 = only that it was there)."""
        self.trade.append(trade)
        self.payee.append(payee)
        self.window.append(window)
        self.adds.append(adds)
        self.client.append(client)

    def close(self, history: History | None) -> None:
        """Work out the totals; nothing is added any more."""
        trade, payee, window, client = (
            np.concatenate(one) if one else np.zeros(0, np.int64)
            for one in (self.trade, self.payee, self.window, self.client)
        )
        adds = np.concatenate(self.adds) if self.adds else np.zeros(0, np.int64)
        # A trade counts once for a payee, however many lines ask for it.
        order = np.lexsort((trade, window, payee))
        keys = (payee[order], window[order], trade[order])
        fresh = np.ones(len(order), np.bool_)
        fresh[1:] = (
            (keys[0][1:] != keys[0][:-1])
            | (keys[1][1:] != keys[1][:-1])
            | (keys[2][1:] != keys[2][:-1])
        )
        order = order[fresh]
        trade, payee, window = trade[order], payee[order], window[order]
        adds, client = adds[order], client[order]
        if self.tier.measure == "clients" and len(adds):
            adds = _first_of_each(payee, window, client, adds)
        self._close(trade, payee, window, adds)
        self._remember(history)

    def _close(self, trade: Longs, payee: Longs, window: Longs, adds: Column) -> None:
        begins = np.flatnonzero(
            np.r_[len(trade) > 0, (payee[1:] != payee[:-1]) | (window[1:] != window[:-1])]
        )
        self.payees, self.windows = payee[begins], window[begins]
        key = np.repeat(np.arange(len(begins)), np.diff(np.r_[begins, len(trade)]))
        self._span = int(trade.max(initial=0)) + 1
        self._code = key * self._span + trade
        self._first = begins
        before, finals = summed(key, adds, [0] * len(begins)) if len(adds) else (adds, [])
        self._before, self._after = before, before + adds
        self.finals: dict[tuple[int, int], int] = dict(
            zip(zip(self.payees.tolist(), self.windows.tolist(), strict=True), finals, strict=True)
        )
        self._keys = {name: k for k, name in enumerate(self.finals)}

    def _remember(self, history: History | None) -> None:
        if history is None:
            return
        mine = np.flatnonzero(history.component_id == self.component_id)
        for row in mine.tolist():
            name = int(history.partner_id[row]), int(history.window[row])
            told = int(history.measure_e8[row]) * self.unit // 10**8
            self.finals[name] = self.finals.get(name, 0) + told

    def span(self, payee: Longs, window: Longs, trade: Longs) -> tuple[Column, Column]:
        """Return the payee's running total of the window before and after each trade."""
        zeros = np.zeros(len(payee), self._before.dtype)
        if not len(self._code):
            return zeros, zeros
        code, first = ranked((payee, window))
        names = zip(payee[first].tolist(), window[first].tolist(), strict=True)
        key = np.array([self._keys.get(name, -1) for name in names], np.int64)[code]
        wanted = key * self._span + trade
        at = np.minimum(np.searchsorted(self._code, wanted), len(self._code) - 1)
        here = (key >= 0) & (self._code[at] == wanted)
        # Not among those that were counted: the total of the one before, if it is of this key.
        last = np.searchsorted(self._code, wanted) - 1
        held = (key >= 0) & (last >= 0) & (last >= self._first[np.maximum(key, 0)])
        passed = np.where(held, self._after[np.maximum(last, 0)], zeros)
        before = np.where(here, self._before[at], passed)
        return before, np.where(here, self._after[at], passed)


def _first_of_each(payee: Longs, window: Longs, client: Longs, adds: Column) -> Column:
    """Count each client of a payee's window at his first trade only."""
    code, _ = ranked((payee, window, client))
    counted = np.flatnonzero(adds != 0)
    # Rows stand by payee, window and trade: the first of a code is the earliest.
    _, first = np.unique(code[counted], return_index=True)
    result = np.zeros(len(adds), np.int64)
    result[counted[first]] = 1
    return result
