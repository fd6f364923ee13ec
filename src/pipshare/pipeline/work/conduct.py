"""Decides which sources are tended here: takes their leases, starts and ends their threads."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import db, inbox
from pipshare.errors import PipshareError
from pipshare.inbox import Source
from pipshare.pipeline.crm.polling import poll_crms
from pipshare.pipeline.deliver import deliver
from pipshare.pipeline.feeds import Polled
from pipshare.pipeline.work.resting import bring_to_rest
from pipshare.pipeline.work.tend import tend

LOOK_S = 0.5  # between two looks at what is set up: a pause counts within so long
AGAIN_S = 2.0  # before a source is taken anew whose thread has ended by itself
PATIENCE_S = 20.0  # for threads to end; what they have not committed is undone
_log = logging.getLogger("pipshare.work")
# A holder of leases that vanishes with its machine must not keep them for hours.
_ALIVE = "SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 5"


@dataclass
class Tending:
    """A source's thread: what it was started with, and the event that ends it."""

    source: Source
    thread: threading.Thread
    halt: threading.Event


class Conductor:
    """Keeps a thread for each active source that no other instance has, and one each that rests,
    that delivers, and that polls CRMs."""

    def __init__(
        self,
        stop: threading.Event,
        only: Sequence[str] | None,
        on_news: Callable[[Source, Polled], None] | None,
    ) -> None:
        self.stop, self.only, self.on_news = stop, only, on_news
        self.tended: dict[int, Tending] = {}
        self.not_before: dict[int, float] = {}
        self.away_since: float | None = None

    def conduct(self) -> None:
        """Work until `stop`; returns when the threads have ended or patience has."""
        halt = threading.Event()
        beside = [
            threading.Thread(target=bring_to_rest, args=(halt,), name="rest", daemon=True),
            threading.Thread(target=deliver, args=(halt,), name="deliver", daemon=True),
        ]
        if self.only is None:
            beside.append(
                threading.Thread(target=poll_crms, args=(halt,), name="poll crms", daemon=True)
            )
        for thread in beside:
            thread.start()
        try:
            while not self.stop.is_set():
                with self.surviving(), contextlib.closing(db.connect(autocommit=True)) as conn:
                    while not self.stop.is_set():
                        self.look(conn)
                        self.back()
                        self.stop.wait(LOOK_S)
        finally:
            halt.set()
            for one in self.tended.values():
                one.halt.set()
            deadline = time.monotonic() + PATIENCE_S
            for thread in (*beside, *(one.thread for one in self.tended.values())):
                thread.join(max(0.0, deadline - time.monotonic()))

    def look(self, conn: psycopg.Connection[Any]) -> None:
        """Compare what is tended with what is set up, and bring it in line."""
        wanted = {
            one.id: one for one in inbox.sources(conn)
            if one.state == "active" and (self.only is None or one.code in self.only)
        }  # fmt: skip
        for source_id, one in list(self.tended.items()):
            if not one.thread.is_alive():
                del self.tended[source_id]
                if not one.halt.is_set():
                    self.not_before[source_id] = time.monotonic() + AGAIN_S
            elif wanted.get(source_id) != one.source:
                one.halt.set()  # paused, removed or changed; if it is still wanted, it comes again
        missing = wanted.keys() - self.tended.keys()
        if missing:
            for source_id in sorted(missing - inbox.held(conn)):
                if self.not_before.get(source_id, 0.0) <= time.monotonic():
                    self.take(wanted[source_id])

    def take(self, source: Source) -> None:
        """Start to tend a source, unless another instance has taken it by now."""
        conn = db.connect(keepalives_idle=20)
        try:
            taken = inbox.lease(conn, source.id)
            if taken:
                conn.execute(_ALIVE)
            conn.commit()
        except BaseException:
            conn.close()
            raise
        if not taken:
            conn.close()
            return
        halt = threading.Event()
        arguments = (conn, source, halt, self.on_news)
        thread = threading.Thread(target=tend, args=arguments, name=source.code, daemon=True)
        self.tended[source.id] = Tending(source, thread, halt)
        thread.start()

    @contextlib.contextmanager
    def surviving(self) -> Iterator[None]:
        """Let the database go away: say so once, and wait before the next try."""
        try:
            yield
        except (PipshareError, psycopg.Error) as error:
            if self.away_since is None:
                self.away_since = time.monotonic()
                _log.warning("the database cannot be used: %s", db.said_of(error))
            self.stop.wait(AGAIN_S / 2)

    def back(self) -> None:
        """Say that the database can be used again."""
        if self.away_since is not None:
            lasted = time.monotonic() - self.away_since
            _log.info("the database can be used again after %.0f s", lasted)
            self.away_since = None
