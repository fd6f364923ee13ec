"""The chain of partners above a direct IB, worked out once per stretch of time it stays the same.

A trade then needs one lookup for its whole chain, whatever the depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from pipshare.partners.faults import DEEPEST
from pipshare.period import FOREVER_MS, Millis

Span = tuple[int, int, int]  # start_ms, end_ms, parent (-1 none)


class Tree:
    """Parents over time, from flattened rows (subject, start_ms, parent), as plain spans."""

    def __init__(self, subject: Millis, start_ms: Millis, parent: Millis) -> None:
        self._spans: dict[int, list[Span]] = {}
        rows = list(zip(subject.tolist(), start_ms.tolist(), parent.tolist(), strict=True))
        for i, (who, start, above) in enumerate(rows):
            follows = i + 1 < len(rows) and rows[i + 1][0] == who
            end = rows[i + 1][1] if follows else FOREVER_MS
            self._spans.setdefault(who, []).append((start, end, above))

    def chains(self, partner: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield (start_ms, chain) for all time, in order; a chain holds until the next start."""
        last: tuple[int, ...] = ()
        for start, chain in self._walk(partner, 0, FOREVER_MS, ()):
            if chain != last:
                yield start, chain
            last = chain

    def _walk(
        self, partner: int, start: int, end: int, below: tuple[int, ...]
    ) -> Iterator[tuple[int, tuple[int, ...]]]:
        chain = (*below, partner)
        at = start
        if len(chain) < DEEPEST:
            for begins, ends, above in self._spans.get(partner, ()):
                low, high = max(begins, at), min(ends, end)
                if low >= high:
                    continue
                if low > at:
                    yield at, chain
                if above < 0 or above in chain:
                    yield low, chain
                else:
                    yield from self._walk(above, low, high, chain)
                at = high
        if at < end:
            yield at, chain


class ChainBook:
    """Distinct chains, numbered from 0 in the order they were first met."""

    def __init__(self) -> None:
        self.chains: list[tuple[int, ...]] = []
        self._index: dict[tuple[int, ...], int] = {}

    def rows(self, tree: Tree, partners: Iterable[int]) -> tuple[Millis, Millis, Millis]:
        """Return (partner, start_ms, chain index) of some partners, sorted as Timeline wants."""
        out = [
            (partner, start, self._number(chain))
            for partner in sorted(partners)
            for start, chain in tree.chains(partner)
        ]
        table = np.array(out, np.int64).reshape(-1, 3)
        return table[:, 0], table[:, 1], table[:, 2]

    def _number(self, chain: tuple[int, ...]) -> int:
        known = self._index.setdefault(chain, len(self.chains))
        if known == len(self.chains):
            self.chains.append(chain)
        return known
