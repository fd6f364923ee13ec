"""What tiers are measured by: the totals of each payee's windows, and where every trade stands.

Filled by a first pass over the trades, which rates nothing but tells whose lines come to be rated;
asked by the second. Totals are whole numbers of 1 / `unit`, and go on from what is held of trades
before these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.plans.periods import Tier
from pipshare.rating.carried import Tally
from pipshare.rating.totals import WINDOW, Column, packed, summed

Int32s = npt.NDArray[np.int32]
_PAYEE = 31
_SAFE = 2**61


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
    """One component's measure. Rows are added in canonical order of trades, in any of levels.

    `tally` holds what was measured of the trades before.
    """

    component_id: int
    tally: Tally
    trade: list[Int32s] = field(default_factory=list)
    key: list[Longs] = field(default_factory=list)
    adds: list[Column] = field(default_factory=list)
    client: list[Int32s] = field(default_factory=list)
    finals: dict[tuple[int, int], int] = field(default_factory=dict)

    def add(
        self, trade: Longs, payee: Longs, window: Longs, adds: Column, client: Longs | None
    ) -> None:
        """Count rows: what each trade adds to a payee's window (0 = only that it was there)."""
        self.trade.append(trade.astype(np.int32))
        self.key.append(packed((payee, _PAYEE), (window, WINDOW)))
        self.adds.append(adds)
        if client is not None:
            self.client.append(client.astype(np.int32))

    @property
    def tier(self) -> Tier:
        return self.tally.tier

    @property
    def unit(self) -> int:
        return self.tally.unit

    def close(self, history: History | None, ahead: Tally | None = None) -> None:
        """Work out the totals; nothing is added any more. `ahead` holds those of whole windows."""
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
            adds = _first_of_each(key, client[order], adds, self.tally)
        self._close(key, trade, adds)
        if ahead is not None:
            scale = self.unit // ahead.unit
            self.finals = {name: total * scale for name, total in ahead.sums.items()}
        self._remember(history)

    def _close(self, key: Longs, trade: Longs, adds: Column) -> None:
        begins = np.flatnonzero(np.r_[np.full(min(len(key), 1), True), key[1:] != key[:-1]])
        self._names = key[begins]
        number = np.repeat(np.arange(len(begins)), np.diff(np.r_[begins, len(key)]))
        self._span = int(trade.max(initial=0)) + 1
        self._code = number * self._span + trade
        self._first = begins
        self._held = self._so_far(self._names)
        self._before, finals = summed(adds, begins, self._held)
        self._adds = adds
        self.tally.sums.update(zip(_pairs(self._names), finals.tolist(), strict=True))
        self.finals = self.tally.sums

    def _so_far(self, names: Longs) -> Column:
        """Return the totals held of some payees' windows."""
        sums = self.tally.sums
        if not sums:
            return np.zeros(len(names), np.int64)
        held = [sums.get(name, 0) for name in _pairs(names)]
        return np.array(held, np.int64 if max(map(abs, held), default=0) < _SAFE else object)

    def _remember(self, history: History | None) -> None:
        if history is None:
            return
        self.finals = dict(self.finals)
        mine = np.flatnonzero(history.component_id == self.component_id)
        for row in mine.tolist():
            name = int(history.partner_id[row]), int(history.window[row])
            told = int(history.measure_e8[row]) * self.unit // 10**8
            self.finals[name] = self.finals.get(name, 0) + told

    def span(self, payee: Longs, window: Longs, trade: Longs) -> tuple[Column, Column]:
        """Return the payee's running total of the window before and after each trade."""
        name = packed((payee, _PAYEE), (window, WINDOW))
        if not len(self._code):
            held = self._of(name)
            return held, held
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
        passed = np.where(known, self._held[key], 0)
        passed = np.where(held, self._before[last] + self._adds[last], passed)
        if self.tally.sums and not known.all():
            passed = np.where(known, passed, self._of(name))
        return np.where(here, before, passed), np.where(here, after, passed)

    @cached_property
    def first(self) -> dict[int, int]:
        """The first window of each payee."""
        found: dict[int, int] = {}
        for payee, window in self.finals:
            found[payee] = min(found.get(payee, window), window)
        return found

    def _of(self, name: Longs) -> Column:
        """Return the totals held where none of the trades given was counted."""
        names, place = np.unique(name, return_inverse=True)
        return self._so_far(names)[place]


def _pairs(names: Longs) -> list[tuple[int, int]]:
    """Return payee and window of keys."""
    payees, windows = names >> WINDOW, names & (2**WINDOW - 1)
    return list(zip(payees.tolist(), windows.tolist(), strict=True))


def _joined(parts: list[npt.NDArray[Any]], kind: type) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _first_of_each(key: Longs, client: Longs, adds: Column, tally: Tally) -> Column:
    """Count each client of a payee's window at his first trade only."""
    code = (tally.people.of(key) << _PAYEE) | client
    counted = np.flatnonzero(adds != 0)
    # Rows stand by payee, window and trade: the first of a code is the earliest.
    new, first = np.unique(code[counted], return_index=True)
    fresh = ~np.isin(new, tally.met)
    result = np.zeros(len(adds), np.int64)
    result[counted[first[fresh]]] = 1
    tally.met = np.concatenate([tally.met, new[fresh]])
    return result
