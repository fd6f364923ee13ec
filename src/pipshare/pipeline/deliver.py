"""Deliver what the outbox holds: one instance at a time, until told to end; the others stand by."""

from __future__ import annotations

import contextlib
import logging
import threading

import psycopg

from pipshare import db, outbox, settings
from pipshare.errors import PipshareError
from pipshare.outbox import Build
from pipshare.pipeline.delivering.notices import switch_off
from pipshare.pipeline.said.mapped import read as read_answer
from pipshare.pipeline.said.requests import build as build_request

STAND_BY_S = 0.5  # between two tries to take over
_log = logging.getLogger("pipshare.outbox")


def deliver(stop: threading.Event, build: Build = build_request) -> None:
    """Deliver until `stop` is set; then end the requests in hand, and return.

    The database going away ends nothing: it is tried again. Killed at any point, whoever takes over
    sends again what is not written down as sent, under the same ids.
    """
    fails = 0
    while not stop.is_set():
        try:
            with (
                contextlib.closing(db.connect(keepalives_idle=20)) as conn,
                contextlib.closing(db.connect(autocommit=True)) as ears,
            ):
                if _taken(conn, stop):
                    fails = 0
                    dispatcher = outbox.Dispatcher(
                        conn, ears, build, switch_off, read=read_answer,
                        allowed=settings.ENV.egress_allow,
                    )  # fmt: skip
                    dispatcher.run(stop)
        except (PipshareError, psycopg.Error) as error:
            fails = _say(fails, db.said_of(error))
        except Exception as error:
            fails = _say(fails, f"{db.said_of(error)} at\n{db.where(error)}")
        if fails:
            stop.wait(min(30.0, 0.5 * 2.0**fails))


def _taken(conn: psycopg.Connection, stop: threading.Event) -> bool:
    """Wait for the lease of dispatching."""
    while not stop.is_set():
        if outbox.lease(conn):
            return True
        stop.wait(STAND_BY_S)
    return False


def _say(fails: int, sentence: str) -> int:
    if not fails:
        _log.warning("nothing can be delivered now: %s", sentence)
    return fails + 1
