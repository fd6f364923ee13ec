"""Two-time records flattened into segments say the same as asking every record."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipshare.period import FOREVER_MS, Segments, flatten

ENDS = st.one_of(st.integers(0, 12), st.just(FOREVER_MS))
RECORD = st.tuples(st.integers(0, 3), st.integers(0, 12), ENDS, st.integers(0, 4))
COLUMNS = 4


def columns(records: list[tuple[int, int, int, int]]) -> list[np.ndarray]:
    return [np.array([r[i] for r in records], np.int64) for i in range(COLUMNS)]


def naive(records: list[tuple[int, int, int, int]], order: list[int], who: int, at: int) -> int:
    covering = [
        (order[i], value)
        for i, (subject, start, end, value) in enumerate(records)
        if subject == who and start <= at < end
    ]
    return max(covering)[1] if covering else -1


@settings(max_examples=400, deadline=None)
@given(st.data(), st.lists(RECORD, max_size=14))
def test_flattened_records_equal_asking_each(data, records) -> None:
    order = data.draw(st.permutations(range(len(records))))
    subject, start, end, value = columns(records)
    rows = flatten(subject, start, end, value, np.array(order, np.int64))
    segments = Segments(*rows)
    for who in range(4):
        moments = np.arange(0, 15, dtype=np.int64)
        got = segments.at(np.full(15, who), moments)
        assert got.tolist() == [naive(records, order, who, at) for at in range(15)]
    whose, begins, values = (column.tolist() for column in rows)
    assert list(zip(whose, begins, strict=True)) == sorted(set(zip(whose, begins, strict=True)))
    for i in range(1, len(values)):
        assert whose[i] != whose[i - 1] or values[i] != values[i - 1]


def test_a_later_record_wins_only_where_it_covers() -> None:
    rows = flatten(
        np.array([7, 7, 7]),
        np.array([0, 10, 20]),
        np.array([FOREVER_MS, FOREVER_MS, 30]),
        np.array([1, 2, 3]),
        np.array([1, 2, 3]),
    )
    assert [column.tolist() for column in rows] == [[7, 7, 7, 7], [0, 10, 20, 30], [1, 2, 3, 2]]


def test_no_records() -> None:
    none = np.zeros(0, np.int64)
    assert [len(column) for column in flatten(none, none, none, none, none)] == [0, 0, 0]
