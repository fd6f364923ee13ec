"""Polls CRMs: what each page brings is stored raw, with the watermark after it, in one transaction.

What comes in: active endpoints of polled kinds. What goes out: payloads, due to be settled.
Guarantees: no call to the outside happens inside a transaction; a fault moves no watermark, is
noted and backed off, and stops no other endpoint; one instance at a time polls an endpoint. What
an overlap brings again is stored again only where it changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import db, inbox, settings
from pipshare.crm.polled import Busy, Page, Poller
from pipshare.errors import PipshareError
from pipshare.inbox import Endpoint, NewPayload
from pipshare.pipeline.crm import pollers

LOOK_S = 1.0  # between two looks at what is set up
AGAIN_S = 2.0  # before an endpoint is taken anew whose thread has ended, or the database came back
LONGEST_S = 300.0  # the longest back-off
ALERT_AFTER = 3  # faults in a row, when the fault may pass by itself
NOTED_S = 30.0  # between two notes of rounds that brought nothing
PATIENCE_S = 10.0
HOT = 200  # places of which the last content is remembered exactly
DOWN, FILE_REFUSED = "crm_down", "crm_file_refused"
_log = logging.getLogger("pipshare.crm")


@dataclass(frozen=True)
class Round:
    """What one round came to: pages that were read, and those of them that were stored."""

    pages: int
    stored: int


def poll(
    conn: psycopg.Connection[Any],
    endpoint: Endpoint,
    poller: Poller,
    halt: threading.Event | None = None,
    *,
    now_ms: int | None = None,
) -> Round:
    """Read what is new of an endpoint and store it, page by page; commits each.

    Ends early between two pages when `halt` is set. Raises PipshareError as the poller does: what
    was stored before stays.
    """
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    was = inbox.endpoint_cursor(conn, endpoint.id)
    conn.commit()
    memory = _Memory(was.get("seen") or {}, now_ms)
    cursor = {name: value for name, value in was.items() if name != "seen"}
    pages = stored = 0
    for page in poller.fetch(cursor, now_ms):
        payload = memory.payload(endpoint, page)
        if payload is not None:
            before = inbox.store_payloads(conn, [payload])
            stored += payload.id not in before
        now = {**page.cursor, "seen": memory.seen}
        if payload is not None or now != was:
            inbox.save_endpoint_cursor(conn, endpoint.id, now)
            was = {**page.cursor, "seen": dict(memory.seen)}
        conn.commit()
        pages += 1
        if halt is not None and halt.is_set():
            break
    return Round(pages, stored)


class _Memory:
    """What stood last where: the same there is no news, another, also an earlier one, is."""

    def __init__(self, seen: Mapping[str, str], now_ms: int) -> None:
        self.seen, self.now_ms = dict(seen), now_ms

    def payload(self, endpoint: Endpoint, page: Page) -> NewPayload | None:
        """Return the page as a payload, None when it is no news."""
        if not page.body:
            return None
        digest = hashlib.sha256(page.body).hexdigest()[:24]
        known = self.seen.pop(page.place, None)
        self.seen[page.place] = digest
        while len(self.seen) > HOT:
            del self.seen[next(iter(self.seen))]
        if known == digest:
            return None
        # What is not remembered is the same when it is stored already under this name.
        delivery = f"{page.place}:{digest}" + (f":{self.now_ms}" if known else "")
        return NewPayload(endpoint.id, self.now_ms, page.body, page.content_type, delivery)


class _Tender:
    """One endpoint's thread: rounds, notes, back-off."""

    def __init__(self, conn: psycopg.Connection[Any], endpoint: Endpoint) -> None:
        self.conn, self.endpoint, self.halt = conn, endpoint, threading.Event()
        self.thread = threading.Thread(target=self.tend, name=endpoint.code, daemon=True)
        self.poller: Poller | None = None
        self.fails, self.noted, self.down_since = 0, 0.0, 0.0
        self.known_fault = ""

    def tend(self) -> None:
        """Poll until `halt` or until the database is lost, and the lease with it."""
        with contextlib.closing(self.conn):
            try:
                while not self.halt.is_set():
                    self.halt.wait(self.once())
            except psycopg.Error as error:
                if not self.halt.is_set():
                    _log.warning(
                        "%s: the database was lost: %s", self.endpoint.code, db.said_of(error)
                    )
            except Exception as error:
                _log.error("%s: the endpoint's thread ended: %s at\n%s",
                           self.endpoint.code, db.said_of(error), db.where(error))  # fmt: skip
            finally:
                self.close()

    def once(self) -> float:
        """Do one round; return how many seconds to wait before the next."""
        try:
            if self.poller is None:
                secrets = inbox.endpoint_secrets(self.conn, self.endpoint.id)
                self.conn.commit()
                self.poller = pollers.make(self.endpoint, secrets, settings.ENV.egress_allow)
            found = poll(self.conn, self.endpoint, self.poller, self.halt)
            self.note(found)
        except Exception as error:
            return self.fault(error)
        return self.poller.poll_s

    def note(self, found: Round) -> None:
        """Note a round that went well, and the end of an outage."""
        code = self.endpoint.code
        if self.fails or found.stored or time.monotonic() - self.noted > NOTED_S:
            inbox.note_endpoint_ok(self.conn, self.endpoint.id, news=bool(found.stored))
            if self.fails or not self.noted:  # an earlier process may have left it open
                inbox.resolve_alert(self.conn, DOWN, code)
            self.conn.commit()
            self.noted = time.monotonic()
        if self.fails:
            _log.info("%s: works again after %.0f s", code, time.monotonic() - self.down_since)
        self.fails = 0

    def fault(self, error: Exception) -> float:
        """Undo, note and say what went wrong; return how long to wait."""
        self.close()
        if self.conn.closed or self.conn.broken:
            raise error
        self.conn.rollback()
        code = self.endpoint.code
        sentence, kind, lasting = _told(error)
        if kind == "file_refused":  # one file's fault: the others go on
            inbox.raise_alert(self.conn, FILE_REFUSED, f"{code}: {sentence}"[:200], sentence)
            self.conn.commit()
            return 0.0
        self.fails += 1
        if self.fails == 1:
            self.down_since, self.known_fault = time.monotonic(), ""
        if kind != self.known_fault:  # one line per outage, and one more when it changes
            at = "" if isinstance(error, PipshareError) else f" at\n{db.where(error)}"
            _log.warning("%s: %s%s", code, sentence, at)
            self.known_fault = kind
        inbox.note_endpoint_fault(self.conn, self.endpoint.id, sentence)
        if lasting or self.fails >= ALERT_AFTER:
            inbox.raise_alert(self.conn, DOWN, code, sentence)
        self.conn.commit()
        wait_s = min(LONGEST_S, 2.0 ** min(self.fails - 1, 9)) * random.uniform(0.5, 1.0)
        return max(wait_s, error.wait_s) if isinstance(error, Busy) else wait_s

    def close(self) -> None:
        """Let go of the poller: the next round makes it anew, with what is set up then."""
        made, self.poller = self.poller, None
        if made is not None:
            with contextlib.suppress(Exception):
                made.close()


def poll_crms(halt: threading.Event) -> None:
    """Keep a thread for each active endpoint that is polled and that no other instance has."""
    tended: dict[int, _Tender] = {}
    not_before: dict[int, float] = {}
    fails = 0
    try:
        while not halt.is_set():
            try:
                with contextlib.closing(db.connect(autocommit=True)) as conn:
                    while not halt.is_set():
                        _look(conn, tended, not_before)
                        fails = 0
                        halt.wait(LOOK_S)
            except Exception as error:  # whatever it was, CRMs are polled again when it is over
                if not fails:
                    known = isinstance(error, PipshareError | psycopg.Error)
                    at = "" if known else f" at\n{db.where(error)}"
                    _log.warning("CRMs cannot be polled now: %s%s", db.said_of(error), at)
                fails += 1
                halt.wait(min(60.0, AGAIN_S * fails))
    finally:
        for one in tended.values():
            one.halt.set()
        deadline = time.monotonic() + PATIENCE_S
        for one in tended.values():
            one.thread.join(max(0.0, deadline - time.monotonic()))


def _look(
    conn: psycopg.Connection[Any], tended: dict[int, _Tender], not_before: dict[int, float]
) -> None:
    """Compare what is tended with what is set up, and bring it in line."""
    wanted = {one.id: one for one in inbox.endpoints(conn)
              if one.state == "active" and one.kind in pollers.POLLED}  # fmt: skip
    for number, one in list(tended.items()):
        if not one.thread.is_alive():
            del tended[number]
            if not one.halt.is_set():
                not_before[number] = time.monotonic() + AGAIN_S
        elif wanted.get(number) != one.endpoint:
            one.halt.set()  # paused, removed or changed; if it is still wanted, it comes again
    for number in sorted(wanted.keys() - tended.keys()):
        if not_before.get(number, 0.0) <= time.monotonic():
            _take(wanted[number], tended)


def _take(endpoint: Endpoint, tended: dict[int, _Tender]) -> None:
    """Start to poll an endpoint, unless another instance does."""
    conn = db.connect(keepalives_idle=20)
    try:
        taken = inbox.lease_endpoint(conn, endpoint.id)
        conn.commit()
    except BaseException:
        conn.close()
        raise
    if not taken:
        conn.close()
        return
    tended[endpoint.id] = made = _Tender(conn, endpoint)
    made.thread.start()


def _told(error: Exception) -> tuple[str, str, bool]:
    """Return what to say of an error, its kind, and whether it stays until somebody acts."""
    if isinstance(error, PipshareError):
        return error.message, error.code, not error.retryable
    sentence = f"unexpected {db.said_of(error)}: a fault of pipshare; the log says where"
    return sentence, type(error).__name__, False
