"""Cycles and depth, at every moment in force."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipshare.partners.faults import DEEPEST, tree_faults
from pipshare.period import FOREVER_MS

RECORD = st.tuples(
    st.integers(0, 5),
    st.integers(-1, 5),
    st.integers(0, 8),
    st.one_of(st.integers(0, 9), st.just(FOREVER_MS)),
)
Row = tuple[int, int, int, int]


def faults(rows: list[Row]):
    columns = [np.array([r[i] for r in rows], np.int64) for i in range(4)]
    return tree_faults(*columns, np.arange(len(rows)))


def cycles_at(rows: list[Row], at: int) -> set[frozenset[int]]:
    above = {}
    for who, parent, start, end in rows:
        if start <= at < end:
            above[who] = parent
    found = set()
    for who in above:
        path = [who]
        while (up := above.get(path[-1], -1)) >= 0:
            if up in path:
                found.add(frozenset(path[path.index(up) :]))
                break
            path.append(up)
    return found


@settings(max_examples=400, deadline=None)
@given(st.lists(RECORD, max_size=14))
def test_every_cycle_at_every_moment_is_found_and_no_other(rows: list[Row]) -> None:
    rows = [row for row in rows if row[0] != row[1]]
    expected = set().union(*(cycles_at(rows, at) for at in range(10)))
    found = faults(rows)
    assert {frozenset(f.nodes) for f in found} == expected
    for fault in found:
        assert fault.cycle
        assert frozenset(fault.nodes) in cycles_at(rows, fault.moment_ms)
        assert [(rows[r][0], rows[r][1]) for r in fault.records] == list(
            zip(fault.nodes, fault.nodes[1:], strict=False)
        )


def test_a_swap_at_one_moment_is_no_cycle() -> None:
    assert faults([(0, 1, 0, 100), (1, 0, 100, FOREVER_MS)]) == []
    assert len(faults([(0, 1, 0, 101), (1, 0, 100, FOREVER_MS)])) == 1


def test_sixty_four_levels_are_allowed_and_no_more() -> None:
    rows = [(i, i + 1, 0, FOREVER_MS) for i in range(DEEPEST - 1)]
    assert faults(rows) == []
    deeper = faults([*rows, (DEEPEST - 1, DEEPEST, 0, FOREVER_MS)])
    assert [(f.cycle, len(f.nodes)) for f in deeper] == [(False, DEEPEST + 1)]


def test_a_cycle_longer_than_the_deepest_tree_is_named_once() -> None:
    size = DEEPEST * 2
    (fault,) = faults([(i, (i + 1) % size, 5, FOREVER_MS) for i in range(size)])
    assert fault.cycle
    assert fault.nodes == (*range(size), 0)
