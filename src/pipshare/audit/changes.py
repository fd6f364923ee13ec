"""What reference data changed since somebody read it, and not beside a booking under way."""

from __future__ import annotations

from typing import Any

import psycopg

LOCK = 7100  # held shared by bookings; a change takes it alone, at its commit
_SNAPSHOT = "SELECT pg_current_snapshot()::text"
# A change counts once its transaction is over, whatever the order in which numbers were given.
_CHANGED = """
SELECT pg_current_snapshot()::text,
       array(SELECT DISTINCT kind FROM audit_change
              WHERE xid >= pg_snapshot_xmin(%(seen)s::pg_snapshot)
                AND NOT pg_visible_in_snapshot(xid, %(seen)s::pg_snapshot))
"""


def snapshot(conn: psycopg.Connection[Any]) -> str:
    """Return what is committed now, to be kept beside what is read after it."""
    row = conn.execute(_SNAPSHOT).fetchone()
    assert row is not None
    return str(row[0])


def changed_since(conn: psycopg.Connection[Any], seen: str) -> tuple[str, set[str]]:
    """Return the kinds that changed since `seen`, and a new snapshot; hold changes off.

    Until the caller's transaction ends no change of a watched table commits: what is booked in it
    is seen by the re-rating that follows the change. The caller must not change one himself.
    """
    conn.execute("SELECT pg_advisory_xact_lock_shared(%s, 0)", (LOCK,))
    row = conn.execute(_CHANGED, {"seen": seen}).fetchone()
    assert row is not None
    return str(row[0]), set(row[1])


def alone(conn: psycopg.Connection[Any]) -> None:
    """Wait for the bookings under way and hold others off until the transaction ends."""
    conn.execute("SELECT pg_advisory_xact_lock(%s, 0)", (LOCK,))
