"""Which clients are one person: words told of them in any order become whom each ends up as.

Pure. Of several words on a client the last holds, by its moment and then by its name. Where words
run in a circle the later ones say whose code stays. A merge joins two groups of clients only if
`fits` lets it, asked in the order of moments: what came first is not undone by what comes later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

NOBODY = -1
Record = tuple[int, int, int]  # from, until (UTC ms), whose client
Segments = list[Record]


@dataclass(frozen=True, order=True)
class Merge:
    """A word that `client` is the same person as `into`, in the order of moments."""

    at_ms: int
    source: str
    event: str
    event_id: int
    client: int
    into: int


@dataclass(frozen=True)
class Followed:
    """`into`: by client whom he ends up as; `kept_apart`: merges that do not fit, with what each
    would join: the clients of the one side and of the other, each the one who stays first."""

    into: Mapping[int, int]
    kept_apart: Sequence[tuple[Merge, tuple[int, ...], tuple[int, ...]]]


Fits = Callable[[Merge, tuple[int, ...], tuple[int, ...]], bool]


def without_circles(merges: Iterable[Merge]) -> tuple[list[Merge], list[Merge]]:
    """Return merges (one of each client) that lead to an end, and those that later ones undo."""
    into: dict[int, int] = {}
    kept, circular = [], []
    for one in sorted(merges, reverse=True):
        if _end(into, one.into) == one.client:
            circular.append(one)
        else:
            into[one.client] = one.into
            kept.append(one)
    return kept[::-1], circular[::-1]


def follow(merges: Sequence[Merge], fits: Fits) -> Followed:
    """Join what fits, the earliest first. `merges`: one of each client, without circles."""
    into: dict[int, int] = {}
    groups: dict[int, list[int]] = {}
    apart = []
    for one in sorted(merges):
        end = _end(into, one.into)
        mine, theirs = (groups.get(root, [root]) for root in (one.client, end))
        if fits(one, tuple(mine), tuple(theirs)):
            into[one.client] = one.into
            groups[end] = [*theirs, *mine]
            groups.pop(one.client, None)
        else:
            apart.append((one, tuple(mine), tuple(theirs)))
    return Followed({client: _end(into, client) for client in into}, apart)


def _end(into: Mapping[int, int], client: int) -> int:
    while client in into:
        client = into[client]
    return client


def standing(records: Sequence[Record]) -> Segments:
    """Return what holds when, of records of which later ones go before: ascending, no overlap."""
    edges = sorted({edge for start, end, _ in records for edge in (start, end)})
    found: Segments = []
    for start, end in pairwise(edges):
        held = [one for one in records if one[0] <= start and end <= one[1]]
        if held:
            found.append((start, end, held[-1][2]))
    return found


def contradiction(some: Segments, others: Segments) -> tuple[int, int, int] | None:
    """Return (moment, whose by the first, by the second) of the first moment at which two
    histories name different people; None = they can both be true."""
    clashes = [(max(a[0], b[0]), a[2], b[2]) for a in some for b in others
               if a[2] != b[2] and max(a[0], b[0]) < min(a[1], b[1])]  # fmt: skip
    return min(clashes, default=None)
