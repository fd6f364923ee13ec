"""The book's lookups, against plain loops; ids may have any gaps."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipshare.period import FOREVER_MS, flatten
from pipshare.plans.book import Book, Terms

IDS = st.sampled_from([1, 2, 7, 2**21 + 5, 2**31 - 1])
MOMENT = st.integers(0, 20)
RECORD = st.tuples(IDS, MOMENT, st.one_of(MOMENT, st.just(FOREVER_MS)))


@given(st.lists(RECORD, max_size=12), st.lists(st.tuples(IDS, MOMENT), max_size=12))
def test_the_latest_record_that_covers_the_moment_holds(records, wanted) -> None:
    who, start, end = (np.array([r[i] for r in records], np.int64) for i in range(3))
    order = np.arange(len(records), dtype=np.int64)
    segments = flatten(who, start, end, order, order)
    terms = [Terms(n + 1, None, "standard") for n in range(len(records))]
    nothing = (np.zeros(0, np.int64),) * 3
    book = Book([], terms, nothing, segments)
    ids, moments = (np.array([w[i] for w in wanted], np.int64) for i in range(2))
    expected = []
    for person, moment in wanted:
        held = [i for i, r in enumerate(records) if r[0] == person and r[1] <= moment < r[2]]
        expected.append(held[-1] if held else -1)
    assert book.terms_at(ids, moments).tolist() == expected
    assert book.version_at(ids, moments).tolist() == [-1] * len(wanted)
