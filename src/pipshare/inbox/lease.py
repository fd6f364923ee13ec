"""Leases: one instance polls a source or an endpoint, for as long as its connection lives."""

from __future__ import annotations

from typing import Any

import psycopg

LEASE = 7110  # class of these advisory locks; the object is the source
ENDPOINTS = 7111  # the object is the endpoint
_HELD = """
SELECT objid::bigint FROM pg_locks
 WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


def lease(conn: psycopg.Connection[Any], source_id: int) -> bool:
    """Take a source for this connection, if no other has it; commits nothing.

    The lease ends with the connection, however that ends, or with `release`: nothing is left behind
    by a killed process, and nobody polls beside it. Taking it twice on one connection is an error.
    """
    row = conn.execute("SELECT pg_try_advisory_lock(%s, %s)", (LEASE, source_id)).fetchone()
    return bool(row and row[0])


def lease_endpoint(conn: psycopg.Connection[Any], endpoint_id: int) -> bool:
    """Take an endpoint to poll it, as `lease` takes a source."""
    row = conn.execute("SELECT pg_try_advisory_lock(%s, %s)", (ENDPOINTS, endpoint_id)).fetchone()
    return bool(row and row[0])


def release(conn: psycopg.Connection[Any], source_id: int) -> None:
    """Give a source back."""
    conn.execute("SELECT pg_advisory_unlock(%s, %s)", (LEASE, source_id))


def held(conn: psycopg.Connection[Any]) -> set[int]:
    """Return the ids of the sources that somebody has taken."""
    return {int(row[0]) for row in conn.execute(_HELD, (LEASE,)).fetchall()}
