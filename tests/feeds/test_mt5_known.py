"""The memory of deals as read: bounded, never wrong about what is new."""

from __future__ import annotations

import numpy as np

from pipshare.pipeline.feeds.mt5_known import Known, keys


def some(first, count, salt=0):
    tickets = np.arange(first, first + count, dtype=np.int64)
    return keys(tickets, np.full(count, salt, np.uint64))


def test_what_was_learnt_is_known_and_another_content_is_not():
    known = Known()
    known.learn(some(1, 1000))
    assert known.has(some(1, 1000)).all()
    assert not known.has(some(1, 1000, salt=1)).any()
    assert not known.has(some(1001, 1000)).any()


def test_it_stays_small_and_the_oldest_give_way():
    known = Known(capacity=1024)
    for batch in range(20):
        known.learn(some(batch * 500, 500))
    assert known.has(some(19 * 500, 500)).mean() > 0.9
    assert known.has(some(0, 9_500)).mean() < 0.1


def test_a_restart_of_the_memory_forgets_everything():
    known = Known()
    known.learn(some(1, 10))
    known.clear()
    assert not known.has(some(1, 10)).any()


def test_nothing_in_nothing_out():
    known = Known()
    known.learn(some(1, 0))
    assert len(known.has(some(1, 0))) == 0
