"""Cards: which sheet prices the partners of one level, and what share of a pot they take.

A level has a line where a rate fits his card. In modes that split, a level above the direct IB has
a line where he has a split, and the sheet of a pot is the direct IB's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.plans.terms import ANY_CARD, Component
from pipshare.rating.parts import POTS, Parts
from pipshare.rating.rules import Earning, TermsColumns
from pipshare.rating.sheets import Sheets

NO_TERMS, NO_LINE = -2, -1
_NONE, _RATES, _CHILD, _POT = 0, 1, 2, 3  # what a line is priced by
_SPLITS = (*POTS, "percent_of_child")
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Level:
    """What the partners of a level get, by [row, component position].

    `sheet`: -1 = no line, 0 = a line without a price of its own. `top` / `bottom`: his split.
    `rank`: his place among the component's ranks, -1 = none.
    """

    sheet: Longs
    top: Longs
    bottom: Longs
    rank: Longs


class Cards:
    """The cards with which partners of one level take part in what their direct IBs decided."""

    def __init__(self, said: TermsColumns, terms: Longs, version: Longs, parts: Parts) -> None:
        self.names, self.version, self.parts = said.cards, version, parts
        own = said.programme[terms]
        outside = np.where(said.pays_others[version] & (own >= 0), 0, NO_LINE)
        inside = np.where(own == said.of_version[version], said.card[terms], outside)
        self.code = np.where(terms < 0, NO_TERMS, inside)

    def at(self, level: int, sheets: Sheets, width: int, below: Bools, direct: Longs) -> Level:
        """Return what the level gets.

        `below` tells which components the level below earns in: without one a share is nothing.
        `direct` holds the sheets of the direct IBs (-1 none), which a pot is priced by.
        """
        codes = len(self.names) - NO_TERMS
        pairs, row = np.unique(self.version * codes + self.code - NO_TERMS, return_inverse=True)
        shape = (len(pairs), width)
        sheet, kind = np.full(shape, -1, np.int64), np.full(shape, _RATES, np.int8)
        top, bottom = np.zeros(shape, np.int64), np.ones(shape, np.int64)
        rank, fixed = np.full(shape, -1, np.int64), np.zeros(shape, np.bool_)
        shares = np.zeros((len(pairs), width, width), np.bool_)
        splits = False
        for i, pair in enumerate(pairs.tolist()):
            version, code = pair // codes, pair % codes + NO_TERMS
            if code == NO_LINE:
                continue
            find = self._finder(version, code, level, sheets)
            for position in range(width):
                part = self.parts.at(version, position)
                if part is None or level in part.component.skip_levels:
                    continue
                card = None if code == NO_TERMS else self.names[code]
                if part.component.mode in _SPLITS:
                    splits = True
                    kind[i, position], share = _kind(part.component, card, level)
                    share = Fraction(0) if card is None else share
                    top[i, position], bottom[i, position] = share.numerator, share.denominator
                if part.component.mode == "rank":
                    number, can, rank[i, position] = _rank(part.component, card, version, position,
                                                           sheets)  # fmt: skip
                elif kind[i, position] == _CHILD:
                    number, can = 0, Earning(True)
                else:
                    number, can = find(position)
                if can.fixed or can.shares:
                    sheet[i, position], fixed[i, position] = number, can.fixed
                    shares[i, position, sorted(can.shares)] = True
        can_earn = fixed[row]
        if shares.any():
            can_earn |= (shares[row] & below[:, None, :]).any(axis=2)
        if not splits:
            nothing, whole = np.broadcast_to(0, can_earn.shape), np.broadcast_to(1, can_earn.shape)
            ranks = rank[row] if (rank >= 0).any() else nothing - 1
            return Level(np.where(can_earn, sheet[row], -1), nothing, whole, ranks)
        way = kind[row]
        can_earn = np.where(way == _CHILD, below, can_earn & (way != _NONE))
        can_earn = np.where(way == _POT, direct >= 0, can_earn)
        found = np.where(way == _POT, direct, sheet[row])
        if level > 1:
            found = np.where((way == _POT) & (self.code == NO_TERMS)[:, None], 0, found)
        return Level(np.where(can_earn, found, -1), top[row], bottom[row], rank[row])

    def pots(self, sheets: Sheets, width: int) -> Longs:
        """Return the sheets that price the direct IBs by their cards, by [row, position]."""
        found = np.full((len(self.version), width), -1, np.int64)
        if not self.parts.pots:
            return found
        pairs, row = np.unique(self.version * len(self.names) + np.maximum(self.code, 0),
                               return_inverse=True)  # fmt: skip
        table = np.full((len(pairs), width), -1, np.int64)
        for i, pair in enumerate(pairs.tolist()):
            version, code = divmod(pair, len(self.names))
            for position in range(width):
                part = self.parts.at(version, position)
                if part is not None and part.component.mode in POTS:
                    number, can = sheets.find(version, position, self.names[code], 1)
                    table[i, position] = number if can.fixed else -1
        return np.where((self.code >= 0)[:, None], table[row], found)

    def _finder(
        self, version: int, code: int, level: int, sheets: Sheets
    ) -> Callable[[int], tuple[int, Earning]]:
        if code == NO_TERMS:
            return lambda position: (0, sheets.find_any(version, position, level))
        return lambda position: sheets.find(version, position, self.names[code], level)


def _kind(component: Component, card: str | None, level: int) -> tuple[int, Fraction]:
    """Return what prices a level in a component's mode, and its split; card None = no terms."""
    if component.mode == "share_up":
        return _POT, _split(component, card, level) or Fraction(0)
    share = _split(component, card, level)
    if component.mode == "pot_split":
        return (_NONE if share is None else _POT), share or Fraction(0)
    if component.mode == "percent_of_child" and level > 1:
        return (_NONE if share is None else _CHILD), share or Fraction(0)
    return _RATES, Fraction(0)


def _split(component: Component, card: str | None, level: int) -> Fraction | None:
    """Find the split of a card and level: the card before "*", then the level before any."""
    found = {(split.card, split.level): split.share for split in component.splits}
    if card is None:
        fits = [share for (_, n), share in found.items() if n in (level, None)]
        return fits[0] if fits else None
    for key in ((card, level), (card, None), (ANY_CARD, level), (ANY_CARD, None)):
        if key in found:
            return found[key]
    return None


def _rank(
    component: Component, card: str | None, version: int, position: int, sheets: Sheets
) -> tuple[int, Earning, int]:
    """Return the sheet, what it gives and the rank of a card; without terms any rank's."""
    if card is None:
        return 0, Earning(bool(component.ranks)), -1
    if card not in component.ranks:
        return 0, Earning(), -1
    rank = component.ranks.index(card)
    # The rates of all ranks up to his are added: their sheets have to be there, too.
    numbers = [sheets.only(version, position, name) for name in component.ranks[: rank + 1]]
    return numbers[-1] or 0, Earning(True), rank
