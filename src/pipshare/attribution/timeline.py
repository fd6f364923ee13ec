"""Values that change over time for millions of subjects, most of which never change.

Like period.Segments, but a subject with one value costs a gather instead of a binary search,
which is what a million trades over a million clients need.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis, Segments

_WIDEST = 1_000_000  # entries of a direct table for few numbers: 4 MB


def distinct(ids: Millis) -> Millis:
    """Return the distinct values, sorted: by sorting, which beats np.unique's hashing tenfold."""
    ordered = np.sort(ids)
    return ordered[np.r_[True, ordered[1:] != ordered[:-1]]] if len(ordered) else ordered


class Timeline:
    """Per subject (0 .. count-1) a value from each start until the next; -1 before the first.

    Takes what period.flatten gives: sorted by subject and start.
    """

    def __init__(self, count: int, subject: Millis, start_ms: Millis, value: Millis) -> None:
        sizes = np.bincount(subject, minlength=count) if len(subject) else np.zeros(count, np.int64)
        self._first = np.cumsum(sizes) - sizes
        self._starts, self._values = start_ms, value
        self._rank = np.where(sizes > 1, np.cumsum(sizes > 1) - 1, -1)
        self._none = sizes == 0
        self._always = bool((sizes == 1).all()) and not bool(start_ms.any())
        many = self._rank[subject] if len(subject) else subject
        kept = many >= 0
        self._changing = Segments(many[kept], start_ms[kept], value[kept])
        self._changes = bool(kept.any())

    def at(self, subject: Millis, moment_ms: Millis) -> Millis:
        """Return the value of each subject at its moment, -1 where none holds."""
        if not len(self._starts):
            return np.full(len(subject), -1, np.int64)
        if self._always:
            return np.asarray(self._values[self._first[subject]])
        place = np.minimum(self._first[subject], len(self._starts) - 1)
        held = (self._starts[place] <= moment_ms) & ~self._none[subject]
        result = np.where(held, self._values[place], -1)
        if self._changes:
            rank = self._rank[subject]
            rows = np.flatnonzero(rank >= 0)
            result[rows] = self._changing.at(rank[rows], moment_ms[rows])
        return result

    def first(self) -> Millis:
        """Return each subject's first known value, -1 where there is none."""
        if not len(self._starts):
            return np.full(len(self._none), -1, np.int64)
        place = np.minimum(self._first, len(self._starts) - 1)
        return np.where(self._none, -1, self._values[place])


class Places:
    """Where a number stands in a sorted column of distinct numbers; -1 where it does not."""

    def __init__(self, sorted_ids: Millis) -> None:
        self.ids = sorted_ids
        self._table: npt.NDArray[np.int32] | None = None
        if len(sorted_ids):
            width = int(sorted_ids[-1]) - int(sorted_ids[0]) + 1
            if width <= max(_WIDEST, 16 * len(sorted_ids)):
                self._table = np.full(width + 2, -1, np.int32)
                self._table[sorted_ids - sorted_ids[0] + 1] = np.arange(len(sorted_ids))

    def of(self, ids: Millis) -> Millis:
        """Return the place of each id as int64."""
        if not len(self.ids):
            return np.full(len(ids), -1, np.int64)
        if self._table is not None:
            # Anything outside falls on the empty entries at both ends.
            inside = np.clip(ids, self.ids[0] - 1, self.ids[-1] + 1) - (self.ids[0] - 1)
            return np.asarray(self._table[inside], np.int64)
        place = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[place] == ids, place, -1)
