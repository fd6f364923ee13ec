"""One thread that brings everything to rest when something changed: what waited is taken up.

Each of its chores, and each step of taking up what waits (to_rest), stands alone: one that fails is
told in an alert and tried again.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from functools import partial
from typing import Any

import psycopg

from pipshare import audit, clients, db, inbox
from pipshare.pipeline.rest import PAYLOADS, POSTBACKS, to_rest
from pipshare.pipeline.run import Run
from pipshare.pipeline.said import take_up_traders
from pipshare.pipeline.said.expiring import tell_expiring
from pipshare.pipeline.windows import settle_windows, touch_held
from pipshare.pipeline.work.chores import ALERT, Chores, said_of, tell
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
                _log.warning("what waits cannot be taken up now: %s", said_of(error))
            tell("", f"trades that wait cannot be taken up: {said_of(error)}; it is tried again")
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
    chores = Chores(conn, run.refresh)
    seen = audit.snapshot(conn)
    conn.commit()
    db.listen(ears, CHANNEL, 0.0)
    due, last, windows_at, held_at, told_at, cleared_at = True, 0.0, 0.0, 0.0, 0.0, 0.0
    traders, undone, began = 0, False, 0.0
    cleared_ms = time.time_ns() // 1_000_000 - AWAY_MS
    while not halt.is_set():
        idle = undone or not due  # what waits, once taken up, settles windows and accounts as well
        if idle and time.monotonic() >= windows_at and window_store.any_due(conn):
            from_ = time.monotonic()
            chores.do("settling windows", partial(settle_windows, run))
            # A window is worked out whole: the longer that takes, the seldomer it is done.
            windows_at = time.monotonic() + SELDOM * (time.monotonic() - from_)
        conn.commit()
        if time.monotonic() >= held_at:
            held = chores.do("looking at what is held", partial(touch_held, run))
            due, held_at = due or bool(held), _next(held_at, held is not None)
        if time.monotonic() >= told_at:
            now_ms = time.time_ns() // 1_000_000
            told = chores.do("telling of documents that end", partial(tell_expiring, run, now_ms))
            told_at = _next(told_at, told is not None)
        if time.monotonic() >= cleared_at:
            now_ms = time.time_ns() // 1_000_000
            look = partial(clients.touch_cleared, conn, cleared_ms, now_ms)
            cleared = chores.do("looking for deposits that cleared", look)
            if cleared is not None:
                due, cleared_ms = due or bool(cleared), now_ms
                cleared_at = time.monotonic() + CLEARED_S
        newest = clients.newest_trader(conn)
        conn.commit()
        if idle and newest > traders:
            taken = chores.do("taking up accounts", partial(_take_up, run, traders))
            newest = traders if taken is None else newest
        traders = newest
        undone = False
        if due:
            began = time.monotonic()
            undone = chores.do("taking up what waits", partial(to_rest, run, chores.do)) is None
            if not undone:
                inbox.resolve_alert(conn, ALERT, "")
                conn.commit()
                chores.do("tidying notes", partial(_prune, conn))
                last = time.monotonic()
        waked = db.listen(ears, CHANNEL, POLL_S)
        seen, changed = audit.changed_since(conn, seen)
        due = undone or waked or bool(changed) or time.monotonic() - last > WHOLE_S
        due = due or chores.any_again(began)
        # What could not be settled stays on its queue: it is looked at when its turn has come.
        due = due or (chores.may(POSTBACKS) and inbox.any_postback_fresh(conn))
        due = due or (chores.may(PAYLOADS) and inbox.any_payload_due(conn))
        conn.commit()


def _next(at: float, done: bool) -> float:
    """Return when to look again: in an hour once it is done; a chore that failed says itself."""
    return time.monotonic() + HELD_S if done else at


def _take_up(run: Run, since: int) -> bool:
    while take_up_traders(run, since):
        pass
    return True


def _prune(conn: psycopg.Connection[Any]) -> bool:
    audit.prune(conn)
    return True
