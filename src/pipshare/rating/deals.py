"""Deals: for each chain and each stretch of time in which nothing changes, the lines it gets.

A chain's partners, their terms, status and go-live, and the programme's version are looked up
once per stretch and not once per trade. A *slot* is a line in waiting: component, level, partner
and the sheet that prices it. Slots stand by deal, component and level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain as joined

import numpy as np
import numpy.typing as npt

from pipshare.period import FOREVER_MS
from pipshare.period import Millis as Longs
from pipshare.plans.book import Book
from pipshare.rating.payees import Payees
from pipshare.rating.places import repeat_ranges
from pipshare.rating.rules import TermsColumns

_LOOKED_AT = 6  # stretches per chain that are told apart by comparing; more are searched


@dataclass(frozen=True)
class Stretches:
    """Rows (chain, start_ms) sorted; each holds until the next row of its chain.

    `members` [chain, level] are places among the payees, -1 above the chain's top.
    """

    chain: Longs
    start_ms: Longs
    members: Longs
    first: Longs
    count: Longs

    def of(self, chain: npt.NDArray[np.int32], moment_ms: Longs) -> Longs:
        """Return the stretch of each trade. Every chain used has one that covers the moment."""
        held = self.first[chain]
        most = int(self.count.max(initial=1))
        if most == 1:
            return held
        if most > _LOOKED_AT:
            keys = (self.chain << 42) | self.start_ms
            wanted = (chain.astype(np.int64) << 42) | moment_ms
            return np.searchsorted(keys, wanted, side="right") - 1
        result = held
        for nth in range(1, most):
            begins = np.full(len(self.count), FOREVER_MS, np.int64)
            more = self.count > nth
            begins[more] = self.start_ms[self.first[more] + nth]
            result = result + (moment_ms >= begins[chain])
        return result


def stretches(
    chains: Sequence[tuple[int, ...]],
    used: npt.NDArray[np.bool_],
    span: tuple[int, int],
    book: Book,
    said: TermsColumns,
    payees: Payees,
) -> Stretches:
    """Cut the time from span[0] to span[1] (both included) of each used chain where needed."""
    members = _members(chains, used, payees)
    numbers = np.flatnonzero(used)
    begin = np.full(len(numbers), span[0], np.int64)
    who, moment = _partner_changes(book, payees, span)
    chain, at = _chains_with(members, who, moment)
    directs, since = _version_changes(book, said, payees, span)
    deciding, from_ms = _chains_with(members[:, :1], directs, since)
    keys = np.unique((np.r_[numbers, chain, deciding] << 42) | np.r_[begin, at, from_ms])
    of_chain, start_ms = keys >> 42, keys & (FOREVER_MS - 1)
    count = np.bincount(of_chain, minlength=len(chains))
    return Stretches(of_chain, start_ms, members, np.cumsum(count) - count, count)


def _members(
    chains: Sequence[tuple[int, ...]], used: npt.NDArray[np.bool_], payees: Payees
) -> Longs:
    kept = [one if use else () for one, use in zip(chains, used.tolist(), strict=True)]
    length = np.array([len(one) for one in kept], np.int64)
    row, level = repeat_ranges(length)
    table = np.full((len(chains), max(int(length.max(initial=0)), 1)), -1, np.int64)
    ids = np.fromiter(joined.from_iterable(kept), np.int64, int(length.sum()))
    table[row, level] = payees.places(ids)
    return table


def _partner_changes(book: Book, payees: Payees, span: tuple[int, int]) -> tuple[Longs, Longs]:
    """Return (partner place, moment) of every change of terms, status or go-live in the span."""
    terms, status = book.terms_segments, payees.status
    who = np.r_[terms[0], status[0], payees.ids].astype(np.int64)
    moment = np.r_[terms[1], status[1], payees.go_live_ms].astype(np.int64)
    inside = (moment > span[0]) & (moment <= span[1])
    place, known = payees.find(who[inside])
    return place[known], moment[inside][known]


def _version_changes(
    book: Book, said: TermsColumns, payees: Payees, span: tuple[int, int]
) -> tuple[Longs, Longs]:
    """Return (partner place, moment) where a programme named in his terms gets a new version."""
    programme, moment = (np.asarray(c, np.int64) for c in book.version_segments[:2])
    inside = (moment > span[0]) & (moment <= span[1])
    who, held = (np.asarray(book.terms_segments[c], np.int64) for c in (0, 2))
    place, known = payees.find(who)
    known &= held >= 0
    who, named = place[known], said.programme[held[known]]
    found = [
        (who[named == number], when)
        for number, when in zip(programme[inside].tolist(), moment[inside].tolist(), strict=True)
    ]
    changing = np.concatenate([partners for partners, _ in found]) if found else who[:0]
    times = [np.full(len(partners), when, np.int64) for partners, when in found]
    return changing, np.concatenate(times) if times else who[:0]


def _chains_with(members: Longs, who: Longs, moment: Longs) -> tuple[Longs, Longs]:
    """Return (chain, moment) for each chain that a changing partner stands in."""
    chain, level = np.nonzero(members >= 0)
    place = members[chain, level]
    order = np.argsort(place, kind="stable")
    start = np.searchsorted(place[order], who, side="left")
    length = np.searchsorted(place[order], who, side="right") - start
    row, nth = repeat_ranges(length)
    return chain[order][start[row] + nth], moment[row]
