"""Timelines and places say the same as period.Segments and a dictionary."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipshare.attribution.timeline import Places, Timeline
from pipshare.period import Segments, flatten

RECORD = st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(1, 12), st.integers(0, 3))


@settings(max_examples=200, deadline=None)
@given(st.lists(RECORD, max_size=12))
def test_a_timeline_is_a_faster_segments(records) -> None:
    who, start, length, value = (np.array([r[i] for r in records], np.int64) for i in range(4))
    rows = flatten(who, start, start + length, value, np.arange(len(records)))
    timeline, segments = Timeline(6, *rows), Segments(*rows)
    subject = np.repeat(np.arange(6), 25)
    moment = np.tile(np.arange(25), 6)
    assert np.array_equal(timeline.at(subject, moment), segments.at(subject, moment))
    for one in range(6):
        mine = rows[2][rows[0] == one].tolist()
        assert timeline.first()[one] == (mine[0] if mine else -1)


@settings(deadline=None)
@given(st.lists(st.integers(-100, 10**12), unique=True, max_size=20), st.data())
def test_places_are_positions(ids, data) -> None:
    ordered = sorted(ids)
    asked = data.draw(st.lists(st.one_of(st.integers(-200, 200), *map(st.just, ordered))))
    expected = [ordered.index(one) if one in ordered else -1 for one in asked]
    assert Places(np.array(ordered, np.int64)).of(np.array(asked, np.int64)).tolist() == expected


def test_close_numbers_use_a_table_and_answer_outside_of_it() -> None:
    places = Places(np.array([5, 7, 8], np.int64))
    asked = np.array([-(2**62), 4, 5, 6, 7, 8, 9, 2**62], np.int64)
    assert places.of(asked).tolist() == [-1, -1, 0, -1, 1, 2, -1, -1]
