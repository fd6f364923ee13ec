"""Parts: the components of a run's programme versions, and which of them a run rates.

What one trade earns by itself is rated *immediately*; what builds up over a window is rated when
the window's trades are known together. A share `of` another component needs that one, too, though
its lines may not be wanted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from pipshare.plans.book import Book
from pipshare.plans.conditions import EXCLUDED_REASONS, REASONS, Conditions
from pipshare.plans.terms import Component, Programme
from pipshare.rating.columns import COUNTED_BEFORE, TradeColumns
from pipshare.rating.reasons import Reason

Int16s = npt.NDArray[np.int16]
Only = Literal["immediate", "building", "all"]
POTS = ("pot_split", "share_up")  # modes that are priced by the direct IB's rate
_Asked = tuple[Only, frozenset[int] | None, bool]
_chosen: WeakKeyDictionary[Book, dict[_Asked, Parts]] = WeakKeyDictionary()
_building: WeakKeyDictionary[Book, frozenset[int]] = WeakKeyDictionary()
_EXCLUDED = np.isin(np.arange(256), [REASONS[name] for name in EXCLUDED_REASONS])


@dataclass(frozen=True)
class Part:
    """One component of one version. `shown`: its lines are wanted, not only what they are for."""

    version: int
    position: int
    programme: Programme
    component: Component
    component_id: int
    shown: bool = True

    @property
    def exact(self) -> bool:
        """Tell whether the wallet's amount is the exact product, not the rounded original's."""
        component, how = self.component, self.component.rounding
        return (
            component.mode in ("per_level", "override")
            and (how.value, how.amount, how.wallet) == (None, None, None)
            and component.rebate is None
        )


@dataclass(frozen=True)
class Parts:
    """The parts of a run, by version and position; None = not rated in this run."""

    by_version: tuple[tuple[Part | None, ...], ...]

    def at(self, version: int, position: int) -> Part | None:
        """Return the part at a place; None where there is none, or it is not rated."""
        row = self.by_version[version]
        return row[position] if position < len(row) else None

    @cached_property
    def rated(self) -> tuple[Part, ...]:
        """Every part that is rated."""
        return tuple(part for row in self.by_version for part in row if part is not None)

    @cached_property
    def pots(self) -> bool:
        """Tell whether a part splits a pot."""
        return any(part.component.mode in POTS for part in self.rated)

    @cached_property
    def plain(self) -> bool:
        """Tell whether every part is lots x rate, nothing else: the shortest way."""
        return all(is_plain(part) for part in self.rated)

    @cached_property
    def ordered(self) -> bool:
        """Tell whether a part's amounts depend on the order of trades."""
        return any(
            part.component.tier is not None
            or part.component.conditions.hedged is not None
            or any(cap.per != "order" for cap in part.component.caps)
            for part in self.rated
        )

    @cached_property
    def tiered(self) -> bool:
        """Tell whether a part has a tier, which has to be measured first."""
        return any(part.component.tier is not None for part in self.rated)

    @cached_property
    def currencies(self) -> tuple[str, ...]:
        """The currencies that components, caps and tiers name."""
        names: list[str] = []
        for part in self.rated:
            component = part.component
            names += [component.currency, component.spread.cap_currency]
            names += [cap.currency for cap in component.caps]
            names += [component.tier.currency] if component.tier else []
        return tuple(dict.fromkeys(names))


def parts_of(book: Book, only: Only, ids: Collection[int] | None, given: bool) -> Parts:
    """Choose the parts of a run. `ids`: only these components; `given`: values are given.

    Worked out once per book and question: a book may have tens of thousands of rates.
    """
    known = _chosen.setdefault(book, {})
    asked = only, None if ids is None else frozenset(ids), given
    if asked not in known:
        known[asked] = _parts(book, *asked)
    return known[asked]


def _parts(book: Book, only: Only, ids: frozenset[int] | None, given: bool) -> Parts:
    building = building_ids(book)
    rows = []
    for v, version in enumerate(book.versions):
        components = version.programme.components
        wanted = [
            _wanted(c, version.component_ids[i] in building, only, given)
            and (ids is None or version.component_ids[i] in ids)
            for i, c in enumerate(components)
        ]
        needed = _with_needed(components, wanted)
        rows.append(tuple(
            Part(v, i, version.programme, c, version.component_ids[i], wanted[i])
            if needed[i] else None
            for i, c in enumerate(components)
        ))  # fmt: skip
    return Parts(tuple(rows))


def building_ids(book: Book) -> frozenset[int]:
    """Return the components that build up, in any version or through what they are a share of."""
    if book not in _building:
        _building[book] = _building_ids(book)
    return _building[book]


def _building_ids(book: Book) -> frozenset[int]:
    found: set[int] = set()
    for version in book.versions:
        codes: set[str] = set()
        for i, component in enumerate(version.programme.components):
            shares = {rule.of for rule in component.rates if rule.of}
            if component.builds_up or shares & codes:
                codes.add(component.code)
                found.add(version.component_ids[i])
    return frozenset(found)


def by_trade(component: Component) -> bool:
    """Tell whether a component's lines belong to trades, and not to a period or an event."""
    trades = component.per == "trade" and component.basis != "earned"
    return trades and not component.of_clients


def _wanted(component: Component, builds: bool, only: Only, given: bool) -> bool:
    if given:
        return True
    if not by_trade(component):
        return False
    return only == "all" or builds == (only == "building")


def _with_needed(components: tuple[Component, ...], wanted: list[bool]) -> list[bool]:
    """Add what the wanted components take shares of."""
    needed = list(wanted)
    for i in reversed(range(len(components))):
        if needed[i]:
            named = {rule.of for rule in components[i].rates}
            for j, other in enumerate(components):
                needed[j] |= other.code in named and by_trade(other)
    return needed


def is_plain(part: Part) -> bool:
    """Tell whether a part is lots x rate by level, without any condition but the holding time."""
    c, p = part.component, part.programme
    return (
        c.basis == "lot"
        and part.exact
        and part.shown
        and c.conditions == Conditions()
        and c.tier is None
        and not c.caps
        and not c.currency
        and c.wallet_fx == "mid"
        and all(not rule.start and rule.side is None for rule in c.rates)
        and p.qualify is None
        and p.kyc == "ignore"
    )


def barred(trades: TradeColumns) -> Int16s | None:
    """Return why trades fail a condition that holds where a plan says nothing; None = none does."""
    reason, close_by = trades.reason, trades.close_by
    found: Int16s | None = None
    if trades.blocked is not None and trades.blocked.any():
        found = np.where(trades.blocked, Reason.JURISDICTION, 0).astype(np.int16)
    if close_by is not None:
        other = close_by == COUNTED_BEFORE
        if other.any():
            found = np.zeros(len(trades), np.int16) if found is None else found
            found[other] = Reason.CLOSE_BY
    if reason is not None:
        known = (reason >= 0) & (reason < len(_EXCLUDED))
        excluded = known & _EXCLUDED[np.where(known, reason, 0)]
        if excluded.any():
            found = np.zeros(len(trades), np.int16) if found is None else found
            found[excluded] = Reason.EXCLUDED_REASON
    return found
