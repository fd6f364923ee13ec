"""One source's thread: polls its feed, notes how it went, and backs off when it goes wrong."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from pipshare import db, inbox
from pipshare.errors import PipshareError
from pipshare.inbox import Source
from pipshare.pipeline import feeds
from pipshare.pipeline.feeds import Feed, Polled
from pipshare.pipeline.run import Run

NOTED_S = 5.0  # between two notes of polls that brought nothing
LONGEST_S = 120.0  # the longest back-off
ALERT_AFTER = 3  # faults in a row, when the fault may pass by itself
_QUICK = 3  # tries at once when two transactions got into each other's way
_log = logging.getLogger("pipshare.work")
_CROSSED = (
    psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure,
    psycopg.errors.UniqueViolation, psycopg.errors.LockNotAvailable,
)  # fmt: skip


def tend(
    conn: psycopg.Connection[Any],
    source: Source,
    halt: threading.Event,
    on_news: Callable[[Source, Polled], None] | None,
) -> None:
    """Poll a source until `halt`; the lease is the connection's, which is closed at the end.

    Returns early when the database was lost: the lease is lost with it.
    """
    with contextlib.closing(conn):
        try:
            Tender(conn, source, halt, on_news).tend()
        except psycopg.Error as error:
            if not halt.is_set():
                _log.warning("%s: the database was lost: %s", source.code, db.said_of(error))
        except Exception as error:
            _log.error("%s: the source's thread ended: %s at\n%s",
                       source.code, db.said_of(error), db.where(error))  # fmt: skip


class Tender:
    """The state of one source's thread."""

    def __init__(
        self,
        conn: psycopg.Connection[Any],
        source: Source,
        halt: threading.Event,
        on_news: Callable[[Source, Polled], None] | None,
    ) -> None:
        self.conn, self.source, self.halt, self.on_news = conn, source, halt, on_news
        self.run = Run(conn, lasting=True)
        conn.commit()
        self.feed: Feed | None = None
        self.fails = self.crossed = 0
        self.down_since = self.noted = 0.0
        self.known_fault = ""

    def tend(self) -> None:
        """Poll until `halt`. Raises psycopg.Error when the connection is gone."""
        try:
            while not self.halt.is_set():
                self.halt.wait(self._once())
        finally:
            self._close()

    def _once(self) -> float:
        """Poll once; return how many seconds to wait before the next."""
        try:
            if self.feed is None:
                self.feed = feeds.make(self.run, self.source)
                self.feed.halt = self.halt
            polled = self.feed.poll()
            self._note(polled)
        except Exception as error:
            return self._fault(error)
        if polled.news and self.on_news:
            self.on_news(self.source, polled)
        return 0.0 if polled.more else polled.wait_s

    def _note(self, polled: Polled) -> None:
        """Note a poll that went well, and the end of an outage."""
        self.conn.rollback()  # what a feed left open was reading
        if self.fails or polled.news or time.monotonic() - self.noted > NOTED_S:
            inbox.note_ok(
                self.conn, self.source.id, deals=polled.new + polled.revised,
                trades=polled.trades, lags_ms=polled.lags_ms, gap=polled.gap,
            )  # fmt: skip
            if self.fails or not self.noted:  # an earlier process may have left it open
                inbox.resolve_alert(
                    self.conn, "source_down", self.source.code, source_id=self.source.id
                )
            self.conn.commit()
            self.noted = time.monotonic()
        if self.fails:
            lasted = time.monotonic() - self.down_since
            _log.info("%s: works again after %.0f s", self.source.code, lasted)
        self.fails = self.crossed = 0

    def _fault(self, error: Exception) -> float:
        """Undo, note and say what went wrong; return how long to wait. Others are not disturbed."""
        if not (isinstance(error, PipshareError) and error.retryable):
            self._close()  # else it knows how to go on, and what it has said already
        if self.conn.closed or self.conn.broken:
            raise error
        self.conn.rollback()
        self.run.refresh()
        self.conn.commit()
        if isinstance(error, _CROSSED) and self.crossed < _QUICK:
            self.crossed += 1
            return random.uniform(0.01, 0.2)
        self.fails += 1
        if self.fails == 1:
            self.down_since, self.known_fault = time.monotonic(), ""
        sentence, kind, lasting = _told(error)
        if kind != self.known_fault:  # one line per outage, and one more when it changes
            at = "" if isinstance(error, PipshareError) else f" at\n{db.where(error)}"
            _log.warning("%s: %s%s", self.source.code, sentence, at)
            self.known_fault = kind
        inbox.note_fault(self.conn, self.source.id, sentence)
        if lasting or self.fails >= ALERT_AFTER:
            inbox.raise_alert(
                self.conn, "source_down", self.source.code, sentence, source_id=self.source.id
            )
        self.conn.commit()
        return min(LONGEST_S, 2.0 ** min(self.fails - 1, 7)) * random.uniform(0.5, 1.0)

    def _close(self) -> None:
        feed, self.feed = self.feed, None
        if feed is not None:
            try:
                feed.close()
            except Exception as error:
                _log.error("%s: the feed did not close: %s at\n%s",
                           self.source.code, db.said_of(error), db.where(error))  # fmt: skip


def _told(error: Exception) -> tuple[str, str, bool]:
    """Return what to say of an error, its kind, and whether it stays until somebody acts."""
    if isinstance(error, PipshareError):
        return error.message, error.code, not error.retryable
    sentence = f"unexpected {db.said_of(error)}: a fault of pipshare; the log says where"
    return sentence, type(error).__name__, False
