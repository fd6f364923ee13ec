"""Rate sheets: which rule prices each symbol in each account group, as one dense table.

A sheet belongs to a version, component, card and level; sheets that the same tiers make up are
one. Rules are written into their tier from the lowest rank to the highest, whole ranks at a time,
and a sheet takes from its tiers the first that has an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.plans.terms import ANY_CARD
from pipshare.rating.places import (
    GroupPlace,
    Lists,
    SymbolPlace,
    groups_of,
    repeat_ranges,
    symbols_of,
)
from pipshare.rating.rules import ANY_LEVEL, NO_SYMBOL, Earning, Rules

UNTOUCHED, UNPRICED = -2, -1
Cells = npt.NDArray[np.int32]


class Sheets:
    """The sheets that a run needs, numbered from 1 as they are asked for; 0 is the blank sheet."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._numbers: dict[tuple[int, ...], int] = {}
        self.have_shares = bool((rules.of >= 0).any())

    def find(self, version: int, component: int, card: str, level: int) -> tuple[int, Earning]:
        """Return the sheet that prices a level, and what it can give; 0 = it earns nothing."""
        cards = (card,) if card == ANY_CARD else (card, ANY_CARD)
        keys = [(version, component, c, n) for c in cards for n in (level, ANY_LEVEL)]
        tiers = tuple(self._rules.tiers[key] for key in keys if key in self._rules.tiers)
        can = Earning()
        for tier in tiers:
            can.add(self._rules.earnings[tier])
        if not tiers:
            return 0, can
        return self._numbers.setdefault(tiers, len(self._numbers) + 1), can

    def only(self, version: int, component: int, card: str) -> int | None:
        """Return the sheet of a card's rates for every level, without those for any card."""
        tier = self._rules.tiers.get((version, component, card, ANY_LEVEL))
        if tier is None:
            return None
        return self._numbers.setdefault((tier,), len(self._numbers) + 1)

    def find_any(self, version: int, component: int, level: int) -> Earning:
        """Return what a level can give under any card: for a partner without terms."""
        can = Earning()
        for n in (level, ANY_LEVEL):
            can.add(self._rules.any_card.get((version, component, n), Earning()))
        return can

    def cells(self, symbols: Sequence[SymbolPlace], groups: Sequence[GroupPlace]) -> Cells:
        """Return rule rows by [sheet, group, symbol]: UNTOUCHED or UNPRICED where none fits."""
        shape = (len(self._numbers) + 1, len(groups), len(symbols))
        cells = np.full(shape, UNTOUCHED, np.int32)
        used = np.unique(np.array([t for key in self._numbers for t in key], np.int64))
        tiers = _tier_cells(self._rules, used, symbols, groups)
        for depth in range(4):
            pairs = [(sheet, key[depth]) for key, sheet in self._numbers.items()
                     if depth < len(key)]  # fmt: skip
            if pairs:
                sheet, tier = np.array(pairs, np.int64).T
                own = cells[sheet]
                answer = tiers[np.searchsorted(used, tier)]
                cells[sheet] = np.where(own == UNTOUCHED, answer, own)
        return cells


def _tier_cells(
    rules: Rules, used: Longs, symbols: Sequence[SymbolPlace], groups: Sequence[GroupPlace]
) -> Cells:
    """Fill the tiers `used`. Rules of one rank never meet in a cell: plans refuse an overlap."""
    table = np.full((len(used), len(groups), len(symbols)), UNTOUCHED, np.int32)
    rows = rules.of_tiers(used)
    if not len(rows):
        return table
    in_groups = groups_of(list(rules.scopes), groups)
    with_symbols = symbols_of(list(rules.symbols), symbols)
    unknown = [s for s, symbol in enumerate(symbols) if not symbol.known]
    # A rule for a symbol or symbol group might be meant for a symbol nobody has described yet.
    doubtful = Lists.of([[] if kind == NO_SYMBOL else unknown for kind, _ in rules.symbols])
    rank = (rules.scope_rank[rows] * 4 + rules.symbol_rank[rows]) * 2 + rules.country_rank[rows]
    order = np.argsort(rank, kind="stable")
    edges = np.flatnonzero(np.r_[True, np.diff(rank[order]) != 0, True])
    for start, end in pairwise(edges.tolist()):
        some = rows[order[start:end]]
        tier = np.searchsorted(used, rules.tier[some])
        if unknown:
            who, g, s = _fitting(rules, some, in_groups, doubtful)
            table[tier[who], g, s] = UNPRICED
        who, g, s = _fitting(rules, some, in_groups, with_symbols)
        table[tier[who], g, s] = some[who]
    return table


def _fitting(
    rules: Rules, rows: Longs, groups: Lists, symbols: Lists
) -> tuple[Longs, Longs, Longs]:
    """Return (place in rows, group, symbol) for each cell that each of the rules fits."""
    scope, symbol = rules.scope[rows], rules.symbol[rows]
    wide = symbols.length[symbol]
    who, place = repeat_ranges(groups.length[scope] * wide)
    across = np.maximum(wide[who], 1)
    group = groups.flat[groups.first[scope[who]] + place // across]
    return who, group, symbols.flat[symbols.first[symbol[who]] + place % across]
