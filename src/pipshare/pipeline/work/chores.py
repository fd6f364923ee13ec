"""Chores of one thread: a fault in one of them is told and tried again, and stops no other."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg

from pipshare import db, inbox
from pipshare.errors import BadInput

Done = TypeVar("Done")
ALERT = "not_at_rest"
_LONGEST_S = 60.0  # between two attempts at a chore that fails
_log = logging.getLogger("pipshare.work")


class Chores:
    """Does chores by name on one connection; `refresh` forgets what a rollback took back."""

    def __init__(self, conn: psycopg.Connection[Any], refresh: Callable[[], object]) -> None:
        self._conn, self._refresh = conn, refresh
        self._fails: dict[str, int] = {}
        self._again: dict[str, float] = {}
        self._well: set[str] = set()  # done at least once since the last fault

    def do(self, name: str, work: Callable[[], Done]) -> Done | None:
        """Do a chore and commit; None = it failed, or failed so lately that it is not tried yet.

        What fails is rolled back, logged once, and an alert until it works again. Raises only when
        the connection is lost.
        """
        if not self.may(name):
            return None
        try:
            done = work()
            self._conn.commit()
        except Exception as error:
            if self._conn.closed:
                raise
            self._conn.rollback()
            self._refresh()
            self._conn.commit()
            self._failed(name, error)
            return None
        if name not in self._well:  # also one that another process could not do
            inbox.resolve_alert(self._conn, ALERT, name)
            self._conn.commit()
            self._well.add(name)
            self._fails.pop(name, None)
        return done

    def may(self, name: str) -> bool:
        """Tell whether a chore would be tried now: it has not failed just before."""
        return time.monotonic() >= self._again.get(name, 0.0)

    def any_again(self, since: float) -> bool:
        """Tell whether the turn of a chore that failed has come since a moment (monotonic)."""
        return any(since < self._again[name] <= time.monotonic() for name in self._fails)

    def _failed(self, name: str, error: Exception) -> None:
        fails = self._fails[name] = self._fails.get(name, 0) + 1
        self._again[name] = time.monotonic() + min(_LONGEST_S, 2.0 ** min(fails, 6))
        self._well.discard(name)
        if fails == 1:
            _log.warning("%s failed: %s; it is tried again", name, said_of(error))
        tell(
            name,
            f"{name} failed: {said_of(error)}; it is tried again; what does not need it goes on",
        )


def said_of(error: Exception) -> str:
    """Return what may be said of an error of a chore.

    Chores work off what partners, trackers and CRMs sent: what cannot be used of that is quoted by
    the message (BadInput), so only its code is told.
    """
    return f"BadInput ({error.code})" if isinstance(error, BadInput) else db.said_of(error)


def tell(subject: str, message: str) -> None:
    """Raise the alert of what is not at rest, on a connection of its own; never fails itself."""
    with contextlib.suppress(Exception), db.transaction() as conn:
        inbox.raise_alert(conn, ALERT, subject, message)
