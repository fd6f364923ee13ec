"""Group commit: an answer only for what is durable, and each caller his own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from pipshare import db as door
from pipshare.errors import BadInput, Unavailable

Take = Callable[[psycopg.Connection[Any], Sequence[int]], Sequence[str]]


class Counter:
    """Stores numbers; remembers how many came together. `gate` holds the first batch back."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.begun = threading.Event()

    def take(self, conn: psycopg.Connection[Any], items: Sequence[int]) -> list[str]:
        self.begun.set()
        assert self.gate.wait(20)
        self.batches.append(len(items))
        for item in items:
            if item < 0:
                raise BadInput("negative", f"{item} is negative")
            conn.execute("INSERT INTO gathered VALUES (%s)", (item,))
        return [f"stored {item}" for item in items]


@pytest.fixture
def counter(db: Any) -> Counter:
    with db.owner() as conn:
        conn.execute("CREATE TABLE gathered (n integer PRIMARY KEY)")
    return Counter()


@pytest.fixture
def gather(counter: Counter) -> Iterator[door.Gather[int, str]]:
    made = door.Gather(counter.take, name="test")
    yield made
    counter.gate.set()
    made.close()


def stored(db: Any) -> set[int]:
    with db.app() as conn:
        return {row[0] for row in conn.execute("SELECT n FROM gathered")}


def together(gather: door.Gather[int, str], counter: Counter, items: Sequence[int]) -> list[Any]:
    """Submit each item from a thread of its own while the first is held back."""
    with ThreadPoolExecutor(len(items)) as pool:
        answers = [pool.submit(gather.submit, items[0])]
        assert counter.begun.wait(20)
        answers += [pool.submit(gather.submit, item) for item in items[1:]]
        while len(gather._waiting) < len(items) - 1:
            threading.Event().wait(0.01)
        counter.gate.set()
        return [one.exception() or one.result() for one in answers]


def test_many_share_commits_and_each_gets_his_own(db: Any, counter: Any, gather: Any) -> None:
    assert together(gather, counter, range(20)) == [f"stored {n}" for n in range(20)]
    assert sum(counter.batches) == 20
    assert len(counter.batches) == 2
    assert stored(db) == set(range(20))


def test_an_answer_is_durable(db: Any, counter: Any, gather: Any) -> None:
    counter.gate.set()
    for number in range(5):
        gather.submit(number)
        assert number in stored(db)


def test_one_bad_item_costs_the_others_nothing(db: Any, counter: Any, gather: Any) -> None:
    answers = together(gather, counter, [1, 2, -3, 4, 1])
    refused = [one for one in answers if isinstance(one, BadInput)]
    assert [one.message for one in refused] == ["-3 is negative"]
    twice = [one for one in answers if isinstance(one, psycopg.errors.UniqueViolation)]
    assert len(twice) == 1
    assert stored(db) == {1, 2, 4}


def test_a_lost_connection_is_made_anew(db: Any, counter: Any, gather: Any) -> None:
    counter.gate.set()
    gather.submit(1)
    with db.app(autocommit=True) as conn:
        conn.execute("SELECT pg_terminate_backend(%s)", (gather._conn.info.backend_pid,))
    assert gather.submit(2) == "stored 2"
    assert stored(db) == {1, 2}


def test_without_a_database_nobody_waits_for_ever(db: Any, counter: Any, gather: Any) -> None:
    nowhere = "host=127.0.0.1 port=1 user=nobody dbname=nothing"
    counter.gate.set()
    with door.use(door.Target(nowhere, nowhere)), pytest.raises(Unavailable, match="send it again"):
        gather.submit(1)
    assert gather.submit(2) == "stored 2"  # it follows the target back


def test_closed_it_answers_what_it_has_and_takes_no_more(counter: Counter) -> None:
    gather = door.Gather(counter.take)
    counter.gate.set()
    assert gather.submit(1) == "stored 1"
    gather.close()
    with pytest.raises(Unavailable, match="shutting down"):
        gather.submit(2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_begins_anew(db: Any, counter: Counter, gather: door.Gather[int, str]) -> None:
    counter.gate.set()
    gather.submit(1)
    child = os.fork()
    if not child:
        try:
            os._exit(0 if gather.submit(2) == "stored 2" else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert gather.submit(3) == "stored 3"
    assert stored(db) == {1, 2, 3}


def test_one_statement_is_its_own_transaction(db: Any, counter: Counter) -> None:
    gather = door.Gather(counter.take, one_statement=True)
    counter.gate.set()
    assert gather.submit(1) == "stored 1"
    assert stored(db) == {1}
    with pytest.raises(psycopg.errors.UniqueViolation):
        gather.submit(1)
    assert gather.submit(2) == "stored 2"
    gather.close()


def test_a_storm_of_callers_is_answered_whole(db: Any, counter: Counter, gather: Any) -> None:
    """Leaders hand over to each other; nobody is left behind, nobody gets another's answer."""
    counter.gate.set()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(gather.submit, range(600)))
    assert answers == [f"stored {n}" for n in range(600)]
    assert stored(db) == set(range(600))
    assert len(counter.batches) < 600
