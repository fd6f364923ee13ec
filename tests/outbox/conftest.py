"""A dispatcher in a thread, and sinks to send to; loopback is opened for these tests only."""

from __future__ import annotations

import contextlib
import ipaddress
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.outbox.sink import Sink

from pipshare import db as pg
from pipshare import outbox
from pipshare.outbox.schedule import Pace

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
QUICK = Pace(waits_s=(0.3, 0.3), jitter_percent=0, breaker_rest_s=0.3)


@pytest.fixture
def sinks() -> Iterator[Callable[..., Sink]]:
    """Make sinks that end with the test."""
    made: list[Sink] = []

    def make(*arguments: Any, **options: Any) -> Sink:
        made.append(Sink(*arguments, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def dispatching(db: Any) -> Iterator[Callable[..., outbox.Dispatcher]]:
    """Start dispatchers on the test's database; they end with the test."""
    # Not at the top: what reads settings must not be imported before the session has its folder.
    from pipshare.pipeline.delivering.notices import switch_off
    from pipshare.pipeline.said.mapped import read
    from pipshare.pipeline.said.requests import build

    stop, threads = threading.Event(), []
    stack = contextlib.ExitStack()

    def start(**options: Any) -> outbox.Dispatcher:
        conn = stack.enter_context(contextlib.closing(pg.connect()))
        ears = stack.enter_context(contextlib.closing(pg.connect(autocommit=True)))
        assert outbox.lease(conn)
        given = {"read": read, "allowed": LOOPBACK, "pace": QUICK, "luck": lambda: 0.0, **options}
        builder, on_off = given.pop("build", build), given.pop("on_off", switch_off)
        dispatcher = outbox.Dispatcher(conn, ears, builder, on_off, **given)
        thread = threading.Thread(target=dispatcher.run, args=(stop,), daemon=True)
        thread.start()
        threads.append(thread)
        return dispatcher

    with stack:
        yield start
        stop.set()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()


_STATES = """
SELECT state, count(*) FROM outbox_delivery GROUP BY 1
UNION ALL SELECT 'unsent', count(*) FROM outbox_unsent"""


def settled(conn: Any, seconds: float = 15.0) -> dict[str, int]:
    """Wait until nothing is due or behind; return how many deliveries are in each state."""
    deadline = time.monotonic() + seconds
    while True:
        found = dict(conn.execute(_STATES).fetchall())
        conn.commit()
        unsent = found.pop("unsent")
        if not unsent and not found.keys() & {"due", "behind"}:
            return found
        assert time.monotonic() < deadline, f"{unsent} unsent, {found}"
        time.sleep(0.02)


def replayed(conn: Any, delivered: int, seconds: float = 15.0) -> None:
    """Wait until so many are delivered, and no other is: what was dead was asked for again."""
    deadline = time.monotonic() + seconds
    while (found := settled(conn, seconds)) != {"delivered": delivered}:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
