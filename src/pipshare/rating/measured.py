"""What tiers are measured by: the totals of each payee's windows, and where every trade stands.

Filled by a first pass over the trades, which rates nothing but tells whose lines come to be rated;
asked by the second. Totals are whole numbers of 1 / `unit`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.plans.periods import Tier
from pipshare.rating.totals import WINDOW, Column, packed, ranked, summed

Int32s = npt.NDArray[np.int32]
_PAYEE = 31


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
    trade: list[Int32s] = field(default_factory=list)
    key: list[Longs] = field(default_factory=list)
    adds: list[Column] = field(default_factory=list)
    client: list[Int32s] = field(default_factory=list)

    def add(
        self, trade: Longs, payee: Longs, window: Longs, adds: Column, client: Longs | None
    ) -> None:
        """Count rows: what each trade adds to a payee's window (0 = only that it was there)."""
        self.trade.append(trade.astype(np.int32))
        self.key.append(packed((payee, _PAYEE), (window, WINDOW)))
        self.adds.append(adds)
        if client is not None:
            self.client.append(client.astype(np.int32))

    def close(self, history: History | None) -> None:
        """Work out the totals; nothing is added any more."""
        trade, client = _joined(self.trade, np.int32), _joined(self.client, np.int32)
        key, adds = _joined(self.key, np.int64), _joined(self.adds, np.int64)
        self.trade, self.key, self.adds, self.client = [], [], [], []
        if not bool((trade[1:] >= trade[:-1]).all()):
            order = np.argsort(trade, kind="stable")
            trade, key, adds = trade[order], key[order], adds[order]
            client = client[order] if len(client) else client
        # A stable sort by payee and window leaves the trades of each in their order.
        order = np.argsort(key, kind="stable")
        key, trade = key[order], trade[order]
        # A trade counts once for a payee, however many lines ask for it.
        fresh = np.r_[
            np.full(min(len(key), 1), True), (key[1:] != key[:-1]) | (trade[1:] != trade[:-1])
        ]
        if not fresh.all():
            order, key, trade = order[fresh], key[fresh], trade[fresh]
        adds = adds[order]
        if self.tier.measure == "clients" and len(adds):
            adds = _first_of_each(key, client[order], adds)
        self._close(key, trade, adds)
        self._remember(history)

    def _close(self, key: Longs, trade: Longs, adds: Column) -> None:
        begins = np.flatnonzero(np.r_[np.full(min(len(key), 1), True), key[1:] != key[:-1]])
        self._names = key[begins]
        number = np.repeat(np.arange(len(begins)), np.diff(np.r_[begins, len(key)]))
        self._span = int(trade.max(initial=0)) + 1
        self._code = number * self._span + trade
        self._first = begins
        self._before, finals = summed(adds, begins, np.zeros(len(begins), np.int64))
        self._adds = adds
        payees, windows = self._names >> WINDOW, self._names & (2**WINDOW - 1)
        pairs = zip(payees.tolist(), windows.tolist(), strict=True)
        self.finals: dict[tuple[int, int], int] = dict(zip(pairs, finals.tolist(), strict=True))

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
        if not len(self._code):
            zeros = np.zeros(len(payee), np.int64)
            return zeros, zeros
        name = packed((payee, _PAYEE), (window, WINDOW))
        key = np.minimum(np.searchsorted(self._names, name), len(self._names) - 1)
        known = self._names[key] == name
        wanted = key * self._span + trade
        found = np.searchsorted(self._code, wanted)
        at = np.minimum(found, len(self._code) - 1)
        here = known & (self._code[at] == wanted)
        before = self._before[at]
        after = before + self._adds[at]
        if here.all():
            return before, after
        # Not among those that were counted: the total after the one before, if it is of this key.
        last = np.maximum(found - 1, 0)
        held = known & (found > 0) & (found - 1 >= self._first[key])
        passed = np.where(held, self._before[last] + self._adds[last], 0)
        return np.where(here, before, passed), np.where(here, after, passed)


def _joined(parts: list[npt.NDArray[Any]], kind: type) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _first_of_each(key: Longs, client: Longs, adds: Column) -> Column:
    """Count each client of a payee's window at his first trade only."""
    code, _ = ranked((key, client))
    counted = np.flatnonzero(adds != 0)
    # Rows stand by payee, window and trade: the first of a code is the earliest.
    _, first = np.unique(code[counted], return_index=True)
    result = np.zeros(len(adds), np.int64)
    result[counted[first]] = 1
    return result
