"""Queue tables: claiming what is due, finishing it, putting it back.

A queue table has the columns id, state ('new', 'claimed', 'done', 'failed'), attempts and
not_before. A claim is a lease: when its holder dies, the row becomes due again when the lease
ends. Done in one transaction with the work, a crash undoes both and the row is due at once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row
from psycopg.types.datetime import TimestamptzLoader

from pipshare.period import FOREVER_MS

MAX_ATTEMPTS = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def claim(
    conn: psycopg.Connection[Any], table: str, limit: int = 1, *, lease_s: int = 300
) -> list[Any]:
    """Claim up to `limit` due rows, oldest first, past rows that others hold; return them whole.

    Each row comes as a named tuple of all columns, with the attempt counted and the lease set;
    moments are UTC milliseconds, 0 and FOREVER_MS where they are infinite.
    """
    statement = sql.SQL(
        "UPDATE {table} SET state = 'claimed', attempts = attempts + 1,"
        " not_before = clock_timestamp() + make_interval(secs => %(lease)s)"
        " WHERE id IN (SELECT id FROM {table}"
        " WHERE state IN ('new', 'claimed') AND not_before <= clock_timestamp()"
        " ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED) RETURNING *"
    ).format(table=sql.Identifier(table))
    with conn.cursor(row_factory=namedtuple_row) as cursor:
        cursor.adapters.register_loader("timestamptz", _Milliseconds)
        rows = cursor.execute(statement, {"lease": lease_s, "limit": limit}).fetchall()
    return sorted(rows, key=lambda row: row.id)


class _Milliseconds(TimestamptzLoader):
    """Reads a moment as pipshare keeps it in memory; infinity is no datetime."""

    def load(self, data: Any) -> Any:
        if bytes(data) in (b"-infinity", b"infinity"):
            return 0 if bytes(data) == b"-infinity" else FOREVER_MS
        return (super().load(data) - _EPOCH) // _MILLISECOND


def finish(conn: psycopg.Connection[Any], table: str, row_id: int) -> None:
    """Mark a claimed row done."""
    statement = sql.SQL("UPDATE {} SET state = 'done' WHERE id = %s").format(sql.Identifier(table))
    conn.execute(statement, [row_id])


def postpone(conn: psycopg.Connection[Any], table: str, row_id: int) -> bool:
    """Put a row back after a failure, later each time: 2, 4, 8 seconds, an hour at most.

    After MAX_ATTEMPTS the row is 'failed', for a person to look at. Returns True when it will be
    tried again.
    """
    statement = sql.SQL(
        "UPDATE {} SET state = CASE WHEN attempts < %(most)s THEN 'new' ELSE 'failed' END,"
        " not_before = clock_timestamp() + make_interval(secs => least(2 ^ attempts, 3600))"
        " WHERE id = %(id)s RETURNING state = 'new'"
    ).format(sql.Identifier(table))
    row = conn.execute(statement, {"most": MAX_ATTEMPTS, "id": row_id}).fetchone()
    return bool(row and row[0])


def wake(conn: psycopg.Connection[Any], channel: str) -> None:
    """Wake whoever listens on `channel` when this transaction commits."""
    conn.execute("SELECT pg_notify(%s, '')", [channel])


def listen(conn: psycopg.Connection[Any], channel: str, seconds: float) -> bool:
    """Wait until `channel` is waked or `seconds` have passed; True when waked.

    `conn` must be in autocommit mode and stay the caller's own: the first call subscribes, later
    calls hear what came between. A wake-up may be lost with a connection: poll behind it.
    """
    conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
    return any(True for _ in conn.notifies(timeout=seconds, stop_after=1))
