"""Who dispatches: one process at a time, for as long as its connection lives."""

from __future__ import annotations

from typing import Any

import psycopg

LEASE = 7120  # class of the advisory lock, beside inbox's 7110
_ALIVE = "SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 5"
_HELD = """
SELECT count(*) FROM pg_locks
 WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


def lease(conn: psycopg.Connection[Any]) -> bool:
    """Take the dispatching for this connection, if nobody has it. It ends with the connection."""
    row = conn.execute("SELECT pg_try_advisory_lock(%s, 0)", (LEASE,)).fetchone()
    taken = bool(row and row[0])
    if taken:
        conn.execute(_ALIVE)  # a holder that vanishes with its machine must not keep it for hours
    conn.commit()
    return taken


def is_dispatched(conn: psycopg.Connection[Any]) -> bool:
    """Whether somebody dispatches now."""
    row = conn.execute(_HELD, (LEASE,)).fetchone()
    return bool(row and row[0])
