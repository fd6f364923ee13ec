"""Slots: the lines that the trades of a deal get, as columns, before any trade is looked at.

Who decides: the direct IB's terms name the programme; partners above are paid by it with their
own card if they are in it too. What a slot already knows to be settled (terminated, before
go-live) or waiting (no terms) it carries as its outcome.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.plans.book import Book, Version
from pipshare.rating.cards import NO_TERMS, Cards
from pipshare.rating.deals import Stretches
from pipshare.rating.parts import Parts
from pipshare.rating.payees import SUSPENDED, TERMINATED, Payees
from pipshare.rating.reasons import Reason, Wait
from pipshare.rating.rules import TermsColumns
from pipshare.rating.sheets import Sheets

WHOLE = -1  # the component of a slot that stands for the whole trade
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Slots:
    """Columns by slot; `first` and `count` say by deal where its slots stand.

    `sheet` prices the line (0 = blank); `outcome` is 0, a Reason or a Wait that holds whatever
    the trade; `own_client` is the client whose trades pay this partner nothing, -1 none;
    `min_hold_ms` 0 = none; `needs_opening`: an unknown opening makes the line wait. `position` is
    the component's place in its programme, WHOLE for a whole trade that waits. `at` finds slots
    by [deal, position, level - 1], -1 none; it is there only if some rule is a share. `top` /
    `bottom` is the level's split, `rank` its place among the component's ranks, -1 none. `decides`:
    the version that decides a deal's trades, -1 = none.
    """

    first: Longs
    count: Longs
    deal: Longs
    position: Longs
    level: npt.NDArray[np.int16]
    component_id: npt.NDArray[np.int32]
    partner_id: npt.NDArray[np.int32]
    wallet: npt.NDArray[np.int32]
    sheet: Longs
    outcome: npt.NDArray[np.int16]
    held: Bools
    own_client: Longs
    min_hold_ms: Longs
    needs_opening: Bools
    version: Longs
    at: npt.NDArray[np.int32] | None
    top: Longs
    bottom: Longs
    rank: Longs
    decides: Longs

    @cached_property
    def widest(self) -> int:
        """One more than the last place of a component in any programme."""
        return int(self.position.max(initial=0)) + 1

    @cached_property
    def part(self) -> Longs:
        """The part of each slot as one number, version x widest + position, -1 for WHOLE."""
        return np.where(self.position < 0, -1, self.version * self.widest + self.position)


@dataclass
class _Draft:
    """Slots as they are found, level by level: parallel lists of columns."""

    parts: dict[str, list[Longs]] = field(default_factory=dict)

    def add(self, **columns: Longs) -> None:
        for name, column in columns.items():
            self.parts.setdefault(name, []).append(np.asarray(column, np.int64))

    def column(self, name: str) -> Longs:
        parts = self.parts.get(name)
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def slots(
    found: Stretches,
    book: Book,
    said: TermsColumns,
    payees: Payees,
    sheets: Sheets,
    parts: Parts,
) -> Slots:
    """Return the slots of every stretch."""
    draft = _Draft()
    version = _deciding_versions(found, book, said, payees, draft)
    programmes = _VersionColumns(book.versions)
    before = np.zeros((len(version), programmes.widest), np.bool_)
    direct = np.full(before.shape, -1, np.int64)
    for level in range(1, found.members.shape[1] + 1):
        place = found.members[found.chain, level - 1]
        deep = programmes.depth[version] if len(book.versions) else version
        rows = np.flatnonzero((place >= 0) & (version >= 0) & (level <= deep))
        earning = np.zeros_like(before)
        if len(rows):
            terms = book.terms_at(payees.ids[place[rows]], found.start_ms[rows])
            cards = Cards(said, terms, version[rows], parts)
            if level == 1:
                direct[rows] = cards.pots(sheets, programmes.widest)
            got = cards.at(level, sheets, programmes.widest, before[rows], direct[rows])
            earning[rows] = got.sheet >= 0
            r, position = np.nonzero(got.sheet >= 0)
            draft.add(
                deal=rows[r], position=position, level=np.full(len(r), level),
                place=place[rows][r], version=version[rows][r],
                sheet=got.sheet[r, position], no_terms=cards.code[r] == NO_TERMS,
                top=got.top[r, position], bottom=got.bottom[r, position],
                rank=got.rank[r, position],
            )  # fmt: skip
        before = earning
    return _laid_out(draft, found, payees, programmes, sheets, version)


def _deciding_versions(
    found: Stretches, book: Book, said: TermsColumns, payees: Payees, draft: _Draft
) -> Longs:
    """Return the version that decides each stretch, -1 = none; a trade that waits gets its slot."""
    direct = found.members[found.chain, 0]
    terms = book.terms_at(payees.ids[direct], found.start_ms)
    programme = said.programme[terms]
    version = book.version_at(programme, found.start_ms)
    for rows, no_terms in (
        (np.flatnonzero(terms < 0), True),
        (np.flatnonzero((terms >= 0) & (programme >= 0) & (version < 0)), False),
    ):
        nothing = np.zeros(len(rows), np.int64)
        draft.add(
            deal=rows, position=nothing + WHOLE, level=nothing, place=direct[rows],
            version=nothing - 1, sheet=nothing, no_terms=nothing + no_terms,
            top=nothing, bottom=nothing + 1, rank=nothing - 1,
        )  # fmt: skip
    return np.where(programme >= 0, version, -1)


class _VersionColumns:
    """What the slots need of each version, with one more row for "no version" (index -1)."""

    def __init__(self, versions: tuple[Version, ...]) -> None:
        none = [0]
        parts = [version.programme for version in versions]
        self.widest = max((len(p.components) for p in parts), default=1)
        self.depth = np.array([p.depth for p in parts] + none, np.int64)
        self.needs_opening = np.array([p.unknown_opening == "wait" for p in parts] + none, np.bool_)
        self.own_pays = np.array([p.own_trading == "pay" for p in parts] + [1], np.bool_)
        # One more column at the end serves the position WHOLE (-1).
        self.component_id = np.zeros((len(parts) + 1, self.widest + 1), np.int64)
        self.min_hold_ms = np.zeros_like(self.component_id)
        for v, version in enumerate(versions):
            self.component_id[v, : len(version.component_ids)] = version.component_ids
            for c, component in enumerate(version.programme.components):
                self.min_hold_ms[v, c] = 1000 * (component.min_hold_s or 0)


def _laid_out(
    draft: _Draft,
    found: Stretches,
    payees: Payees,
    programmes: _VersionColumns,
    sheets: Sheets,
    decides: Longs,
) -> Slots:
    deal, position, level = (draft.column(name) for name in ("deal", "position", "level"))
    order = np.lexsort((level, position, deal))
    deal, position, level = deal[order], position[order], level[order]
    place, version, sheet, no_terms, top, bottom, rank = (
        draft.column(name)[order]
        for name in ("place", "version", "sheet", "no_terms", "top", "bottom", "rank")
    )
    moment = found.start_ms[deal]
    status = payees.status_at(place, moment)
    count = np.bincount(deal, minlength=len(found.chain))
    waits = np.where(
        no_terms == 1, Wait.NO_TERMS, np.where(position == WHOLE, Wait.NOT_IN_FORCE, 0)
    )
    zero = np.where(moment < payees.go_live_ms[place], Reason.BEFORE_PARTNER_GO_LIVE, 0)
    zero = np.where(status == TERMINATED, Reason.TERMINATED, zero)
    zero = np.where(position == WHOLE, 0, zero)
    return Slots(
        first=np.cumsum(count) - count,
        count=count,
        deal=deal,
        position=position,
        level=level.astype(np.int16),
        component_id=programmes.component_id[version, position].astype(np.int32),
        partner_id=payees.ids[place].astype(np.int32),
        wallet=payees.currency[place],
        sheet=sheet,
        outcome=np.where(zero != 0, zero, waits).astype(np.int16),
        held=status == SUSPENDED,
        own_client=np.where(programmes.own_pays[version], -1, payees.own_client[place]),
        min_hold_ms=programmes.min_hold_ms[version, position],
        needs_opening=programmes.needs_opening[version],
        version=version,
        at=_finder(count, deal, position, level) if sheets.have_shares else None,
        top=top,
        bottom=bottom,
        rank=rank,
        decides=decides,
    )


def _finder(count: Longs, deal: Longs, position: Longs, level: Longs) -> npt.NDArray[np.int32]:
    shape = (len(count), int(position.max(initial=0)) + 1, int(level.max(initial=1)))
    found = np.full(shape, -1, np.int32)
    real = position >= 0
    found[deal[real], position[real], level[real] - 1] = np.flatnonzero(real)
    return found
