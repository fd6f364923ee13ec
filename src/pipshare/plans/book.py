"""The book: every programme version and everybody's terms, in memory, looked up by the column.

Pure values; `pipshare.plans.book` fills one from the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipshare.period import Segments
from pipshare.plans.terms import Programme

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Version:
    """A recorded version of a programme with the database ids that lines point at.

    `component_ids[i]` belongs to `programme.components[i]`; `rate_ids[i][j]` to its rates[j].
    A component keeps its id over versions; a rate has its own in each.
    """

    id: int
    programme_id: int
    number: int
    valid_from_ms: int
    programme: Programme
    component_ids: tuple[int, ...]
    rate_ids: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Terms:
    """What a partner's terms say: his programme (None = earns nothing, on purpose) and card.

    `id` is the record (plans_terms.id) that says so, for the working of a line.
    """

    id: int
    programme_id: int | None
    card: str


class Book:
    """All programmes and terms as known now; asked for whole columns of moments.

    `versions` and `terms` are lists that the lookups index into. Moments are UTC milliseconds.
    `version_segments` and `terms_segments` are the rows behind the lookups, (subject id, start_ms,
    index or -1): rating asks them when something changes, to look up stretches and not trades.
    """

    def __init__(
        self,
        versions: Sequence[Version],
        terms: Sequence[Terms],
        version_segments: tuple[Longs, Longs, Longs],
        terms_segments: tuple[Longs, Longs, Longs],
    ) -> None:
        """Take segments as (subject id, start_ms, index into the list or -1) columns."""
        self.versions = tuple(versions)
        self.terms = tuple(terms)
        self.version_segments = version_segments
        self.terms_segments = terms_segments
        self._versions = _Lookup(*version_segments)
        self._terms = _Lookup(*terms_segments)

    def terms_at(self, partner_ids: Longs, moment_ms: Longs) -> Longs:
        """Return the index into `terms` for each partner and moment; -1 = has no terms: waits."""
        return self._terms.at(partner_ids, moment_ms)

    def version_at(self, programme_ids: Longs, moment_ms: Longs) -> Longs:
        """Return the index into `versions` for each programme and moment; -1 = none in force."""
        return self._versions.at(programme_ids, moment_ms)


class _Lookup:
    """Segments by database id. Ids have gaps, Segments wants small numbers: ranked first."""

    def __init__(self, subject: Longs, start_ms: Longs, value: Longs) -> None:
        self._ids, ranks = np.unique(np.asarray(subject, np.int64), return_inverse=True)
        self._segments = Segments(ranks.astype(np.int64), start_ms, value)

    def at(self, subject: Longs, moment_ms: Longs) -> Longs:
        wanted = np.asarray(subject, np.int64)
        if not len(self._ids):
            return np.full(len(wanted), -1, np.int64)
        ranks = np.minimum(np.searchsorted(self._ids, wanted), len(self._ids) - 1)
        found = self._segments.at(ranks, np.asarray(moment_ms, np.int64))
        return np.where(self._ids[ranks] == wanted, found, -1)
