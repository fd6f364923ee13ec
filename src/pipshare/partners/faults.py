"""What a tree must never be, at any moment in force: a cycle, or deeper than 64 levels.

Pure. A cycle that exists for a stretch of time begins with one of its own records, so it is
enough to walk up from every record at the moment where it begins to hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipshare.period import Millis, Segments, flatten

DEEPEST = 64


@dataclass(frozen=True)
class Fault:
    """A walk up the tree that does not end: `nodes` from the bottom up, `records` its edges.

    A cycle's first node comes again at its end. `records` are row numbers of the input.
    """

    cycle: bool
    moment_ms: int
    nodes: tuple[int, ...]
    records: tuple[int, ...]


def tree_faults(
    partner: Millis, parent: Millis, start_ms: Millis, end_ms: Millis, order: Millis
) -> list[Fault]:
    """Return the faults of a tree given as records with two times; each cycle once.

    Columns of one length: partner and parent numbers from 0 (parent -1 = a root), the span, and
    `order` in which they were recorded.
    """
    if not len(partner):
        return []
    rows = np.arange(len(partner), dtype=np.int64)
    who, since, record = flatten(partner, start_ms, end_ms, rows, order)
    tree = Segments(who, since, record)
    held = record >= 0
    below, moment, at = who[held], since[held], parent[record[held]]
    alive = np.flatnonzero(at >= 0)
    suspects: list[int] = []
    for _ in range(DEEPEST - 1):
        back = at[alive] == below[alive]
        suspects += alive[back].tolist()
        alive = alive[~back]
        above = tree.at(at[alive], moment[alive])
        at[alive] = np.where(above >= 0, parent[np.maximum(above, 0)], -1)
        alive = alive[at[alive] >= 0]
        if not len(alive):
            break
    suspects += alive.tolist()
    found: dict[tuple[int, ...], Fault] = {}
    for i in suspects:
        fault = _walk(tree, parent, int(below[i]), int(moment[i]))
        if fault:
            known = found.setdefault(fault.nodes, fault)
            if fault.moment_ms < known.moment_ms:
                found[fault.nodes] = fault
    return sorted(found.values(), key=lambda f: (not f.cycle, f.moment_ms, f.nodes))


def _walk(tree: Segments, parent: Millis, start: int, moment: int) -> Fault | None:
    nodes, records = [start], []
    while True:
        record = int(tree.at(np.array([nodes[-1]]), np.array([moment]))[0])
        above = int(parent[record]) if record >= 0 else -1
        if above < 0:
            break
        records.append(record)
        if above in nodes:
            return _cycle(nodes[nodes.index(above) :], records[nodes.index(above) :], moment)
        nodes.append(above)
    if len(nodes) <= DEEPEST:
        return None
    return Fault(False, moment, tuple(nodes), tuple(records))


def _cycle(nodes: list[int], records: list[int], moment: int) -> Fault:
    """Turn the cycle so that it starts at its smallest node: found twice, it is the same."""
    first = nodes.index(min(nodes))
    turned = nodes[first:] + nodes[:first]
    return Fault(True, moment, (*turned, turned[0]), (*records[first:], *records[:first]))
