"""A bounded memory of deals as they were read: what comes again unchanged is not converted again.

Most of what an overlap reads is known. A deal is known by its ticket and the hash of its record,
mixed into one 64-bit key; keys live in sets of four, the oldest of a set gives way. Forgetting one
costs a conversion and a look into the database, never more.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
_WAYS = 4
_M1, _M2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


class Known:
    """Keys of the deals that were taken in, `capacity` at most (8 bytes each)."""

    def __init__(self, capacity: int = 2**22) -> None:
        self._sets = max(1, capacity // _WAYS)
        self.clear()

    def clear(self) -> None:
        """Forget everything, as after a deletion: what is restored then comes through again."""
        self._keys = np.zeros((self._sets, _WAYS), np.uint64)
        self._next = np.zeros(self._sets, np.uint8)

    def has(self, keys: Keys) -> Mask:
        """Tell for each key whether it is remembered."""
        found: Mask = (self._keys[self._place(keys)] == keys[:, None]).any(axis=1)
        return found

    def learn(self, keys: Keys) -> None:
        """Remember keys; to be called when what they stand for is committed."""
        fresh = keys[~self.has(keys)]
        place = self._place(fresh)
        order = np.argsort(place, kind="stable")
        place, fresh = place[order], fresh[order]
        # Several keys of one set take its ways one after the other.
        first = np.searchsorted(place, place)
        way = (self._next[place] + np.arange(len(place)) - first) % _WAYS
        self._keys[place, way] = fresh
        np.add.at(self._next, place, np.uint8(1))

    def _place(self, keys: Keys) -> npt.NDArray[np.int64]:
        return (keys % np.uint64(self._sets)).astype(np.int64)


def keys(tickets: npt.NDArray[np.int64], hashes: npt.NDArray[np.uint64]) -> Keys:
    """Return one key per deal, never 0, which marks a free place."""
    mixed = (tickets.astype(np.uint64) * _M1) ^ hashes
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _M2
    mixed ^= mixed >> np.uint64(32)
    return np.where(mixed == 0, np.uint64(1), mixed)
