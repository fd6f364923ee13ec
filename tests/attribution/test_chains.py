"""Chains worked out per stretch of time equal a walk up the tree at each moment."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipshare.attribution.chains import ChainBook, Tree
from pipshare.attribution.timeline import Timeline
from pipshare.period import FOREVER_MS, flatten

PARTNERS = 7
RECORD = st.tuples(
    st.integers(0, PARTNERS - 1), st.integers(-1, PARTNERS - 1), st.integers(0, 8),
    st.one_of(st.integers(1, 9), st.just(FOREVER_MS)),
)  # fmt: skip


def naive_chain(records, partner: int, at: int) -> tuple[int, ...]:
    chain: list[int] = []
    while partner >= 0 and partner not in chain:
        chain.append(partner)
        covering = [r for r in records if r[0] == partner and r[2] <= at < r[3]]
        partner = covering[-1][1] if covering else -1
    return tuple(chain)


@settings(max_examples=400, deadline=None)
@given(st.lists(RECORD, max_size=25))
def test_every_partner_at_every_moment(records) -> None:
    """Moves by date, corrections later, even a damaged tree with cycles: never a wrong chain."""
    who, parent, start, end = (np.array([r[i] for r in records], np.int64) for i in range(4))
    rows = flatten(who, start, end, np.where(parent < 0, PARTNERS, parent), np.arange(len(who)))
    tree = Tree(rows[0], rows[1], np.where(rows[2] == PARTNERS, -1, rows[2]))
    book = ChainBook()
    timeline = Timeline(PARTNERS, *book.rows(tree, range(PARTNERS)))
    for at in range(10):
        found = timeline.at(np.arange(PARTNERS), np.full(PARTNERS, at))
        for partner in range(PARTNERS):
            assert book.chains[found[partner]] == naive_chain(records, partner, at)
    assert len(set(book.chains)) == len(book.chains)


def test_twelve_levels_and_the_deepest_allowed() -> None:
    for depth in (12, 64):
        who = np.arange(depth)
        tree = Tree(who, np.zeros(depth, np.int64), who - 1)
        assert list(tree.chains(depth - 1)) == [(0, tuple(range(depth - 1, -1, -1)))]


def test_a_chain_changes_only_where_somebody_above_moved() -> None:
    # 3 -> 2 -> 1; at 50 partner 2 moves under 0, which 3 notices; 1 moving at 20 below 0 shows.
    tree = Tree(np.array([1, 1, 2, 2, 3]), np.array([0, 20, 0, 50, 0]), np.array([-1, 0, 1, 0, 2]))
    assert list(tree.chains(3)) == [(0, (3, 2, 1)), (20, (3, 2, 1, 0)), (50, (3, 2, 0))]
    assert list(tree.chains(0)) == [(0, (0,))]
