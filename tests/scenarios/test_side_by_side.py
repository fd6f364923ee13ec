"""Several processes work on one database: nobody books with what another has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import psycopg
import pytest
from small_broker import PLAN, SmallBroker, manager, manager_row

from pipshare import db as pg
from pipshare.pipeline import Run
from pipshare.pipeline.files import Order, import_file
from pipshare.pipeline.loads import apply_plan
from pipshare.pipeline.rest import rate_again

LATER = 1_900_000_000_000


@pytest.fixture
def small(broker: SmallBroker) -> SmallBroker:
    return broker


@pytest.fixture
def other(small: SmallBroker) -> Iterator[Run]:
    """Another process: it read everything before what the tests change."""
    with pg.connect("app") as conn:
        yield Run(conn)


def blocked(small: SmallBroker, work: Callable[[], Any]) -> Thread:
    """Start `work` and return when the database makes it wait."""
    thread = Thread(target=work)
    thread.start()
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with small_monitor(small) as monitor:
        while thread.is_alive():
            if monitor.execute(query).fetchone()[0]:
                return thread
    raise AssertionError("it did not wait")


def small_monitor(small: SmallBroker) -> Any:
    return psycopg.connect(small.conn.info.dsn, password=small.conn.info.password, autocommit=True)


def test_what_another_process_loaded_is_known_at_once(small: SmallBroker, other: Run) -> None:
    first = small.file("a.csv", manager(manager_row(1, Login="1002")))
    import_file(other, first, Order("Live-4", "worker"))
    assert small.waiting() == {"unknown_account": 1}
    small.load("accounts", "server,login,client\nLive-4,1002,C-1\n")
    small.assert_paid(10)
    second = small.file("b.csv", manager(manager_row(2, Login="1002")))
    import_file(other, second, Order("Live-4", "worker"))
    small.assert_paid(20)


def test_a_plan_applied_beside_a_booking_counts_for_its_trades(
    small: SmallBroker, other: Run
) -> None:
    path = small.file("a.csv", manager(manager_row(1, "1.00")))
    dearer = small.file("dearer.toml", PLAN.replace('"5.00"', '"7.00"'))

    def apply() -> None:
        apply_plan(small.run, dearer, by="anna")

    commit = other.conn.commit
    started: list[Thread] = []

    def late_commit() -> None:
        """What was booked stays uncommitted until the plan waits for it."""
        if not started and other.conn.execute("SELECT count(*) FROM rating_entry").fetchone()[0]:
            started.append(blocked(small, apply))
        commit()

    other.conn.commit = late_commit  # type: ignore[method-assign]
    import_file(other, path, Order("Live-4", "worker"))
    started[0].join()
    assert small.totals() == {"P-1": 10**8, "P-2": 7 * 10**8}


def test_a_re_rating_does_not_undo_a_revision_beside_it(small: SmallBroker, other: Run) -> None:
    small.bring("a.csv", manager(manager_row(1, "1.00")))
    better = small.file("b.csv", manager(manager_row(1, "2.00")))
    server = next(s for s in small.run.servers.values() if s.code == "Live-4")
    commit = other.conn.commit
    started: list[Thread] = []

    def late_commit() -> None:
        entries = other.conn.execute("SELECT count(*) FROM rating_entry").fetchone()[0]
        if not started and entries == 2:
            started.append(blocked(small, lambda: rate_again(small.run, server.id, [1])))
        commit()

    other.conn.commit = late_commit  # type: ignore[method-assign]
    import_file(other, better, Order("Live-4", "worker", as_of_ms=LATER))
    started[0].join()
    small.assert_paid(200)
