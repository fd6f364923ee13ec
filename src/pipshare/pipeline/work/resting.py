"""One thread that brings everything to rest when something changed: what waited is taken up."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import Any

import psycopg

from pipshare import audit, clients, db, inbox
from pipshare.pipeline.rest import to_rest
from pipshare.pipeline.run import Run
from pipshare.pipeline.said import take_up_traders
from pipshare.pipeline.said.expiring import tell_expiring
from pipshare.pipeline.windows import settle_windows, touch_held
from pipshare.rating import window_store

CHANNEL = "pipshare_work"  # db.wake(conn, CHANNEL) in the transaction that changed something
POLL_S = 1.0  # a wake-up may be lost with a connection: looked at without one, too
SELDOM = 10  # times as long as settling took, until windows are settled again
CLEARED_S = 10.0  # between two looks for deposits that have become cleared
AWAY_MS = 7 * 24 * 3_600_000  # at the start: what became cleared while nobody worked
HELD_S = 3600.0  # what is held is forfeited by days: looked at so often
WHOLE_S = 60.0  # everything that waits is tried so often even when nothing seems changed
_REST = 0  # a lease as of a source; sources are numbered from 1
_log = logging.getLogger("pipshare.work")


def bring_to_rest(halt: threading.Event) -> None:
    """Work until `halt`, in one instance at a time; the others stand by."""
    fails = 0
    while not halt.is_set():
        try:
            with (
                contextlib.closing(db.connect(keepalives_idle=20)) as conn,
                contextlib.closing(db.connect(autocommit=True)) as ears,
            ):
                if _taken(conn, halt):
                    fails = 0
                    _watch(conn, ears, halt)
        except Exception as error:
            fails += 1
            if halt.is_set():
                return
            if fails == 1:
                _log.warning("what waits cannot be taken up now: %s", str(error).strip())
            _raise_alert(error)
            halt.wait(min(60.0, 2.0 ** min(fails, 6)))


def _taken(conn: psycopg.Connection[Any], halt: threading.Event) -> bool:
    """Wait for the lease of resting."""
    while not halt.is_set():
        taken = inbox.lease(conn, _REST)
        conn.commit()
        if taken:
            return True
        halt.wait(POLL_S)
    return False


def _watch(
    conn: psycopg.Connection[Any], ears: psycopg.Connection[Any], halt: threading.Event
) -> None:
    """Bring to rest at once, then whenever reference data changed, on a call, and by the clock."""
    run = Run(conn)
    seen = audit.snapshot(conn)
    conn.commit()
    db.listen(ears, CHANNEL, 0.0)
    due, last, windows_at, held_at, cleared_at = True, 0.0, 0.0, 0.0, 0.0
    traders = 0
    cleared_ms = time.time_ns() // 1_000_000 - AWAY_MS
    while not halt.is_set():
        if not due and time.monotonic() >= windows_at and window_store.any_due(conn):
            began = time.monotonic()
            settle_windows(run)
            # A window is worked out whole: the longer that takes, the seldomer it is done.
            windows_at = time.monotonic() + SELDOM * (time.monotonic() - began)
        conn.commit()
        if time.monotonic() >= held_at:
            due = bool(touch_held(run)) or due
            tell_expiring(run, time.time_ns() // 1_000_000)
            held_at = time.monotonic() + HELD_S
        if time.monotonic() >= cleared_at:
            now_ms = time.time_ns() // 1_000_000
            due = bool(clients.touch_cleared(conn, cleared_ms, now_ms)) or due
            conn.commit()
            cleared_ms, cleared_at = now_ms, time.monotonic() + CLEARED_S
        newest = clients.newest_trader(conn)
        conn.commit()
        if not due and newest > traders:
            while take_up_traders(run, traders):
                pass
        traders = newest
        if due:
            to_rest(run)
            conn.commit()
            inbox.resolve_alert(conn, "not_at_rest", "")
            conn.commit()
            audit.prune(conn)
            conn.commit()
            last = time.monotonic()
        waked = db.listen(ears, CHANNEL, POLL_S)
        seen, changed = audit.changed_since(conn, seen)
        due = waked or bool(changed) or time.monotonic() - last > WHOLE_S
        due = due or inbox.any_postback_fresh(conn) or inbox.any_payload_due(conn)
        conn.commit()


def _raise_alert(error: Exception) -> None:
    with contextlib.suppress(Exception), db.transaction() as conn:
        inbox.raise_alert(
            conn, "not_at_rest", "",
            f"trades that wait cannot be taken up: {str(error).strip()}; it is tried again",
        )  # fmt: skip
