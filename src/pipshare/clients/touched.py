"""The queue of clients of whom something became known."""

from __future__ import annotations

from typing import Any

import psycopg

_CLAIM = """
WITH taken AS (
    DELETE FROM clients_touched WHERE client_id IN (
        SELECT client_id FROM clients_touched ORDER BY client_id LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING client_id
)
SELECT c.id, c.entity_id, c.code FROM taken t JOIN clients_client c ON c.id = t.client_id
 ORDER BY c.id
"""
_TOUCH = """
INSERT INTO clients_touched (client_id, since) SELECT unnest(%s::int[]), now()
    ON CONFLICT (client_id) DO NOTHING
"""
_TOUCH_ALL = """
INSERT INTO clients_touched (client_id, since)
SELECT DISTINCT client_id, now() FROM clients_event_current WHERE client_id IS NOT NULL
    ON CONFLICT (client_id) DO NOTHING
"""
_UNSAID = """
INSERT INTO clients_touched (client_id, since)
SELECT DISTINCT client_id, now() FROM clients_milestone WHERE said = 'waiting'
    ON CONFLICT (client_id) DO NOTHING
"""
_CLEARED = """
INSERT INTO clients_touched (client_id, since)
SELECT v.client_id, min(e.cleared_at)
  FROM clients_event e JOIN clients_event_current v ON v.id = e.id
 WHERE e.kind = 'deposit' AND e.cleared_at > e.recorded_at AND v.client_id IS NOT NULL
   AND e.cleared_at > to_timestamp(%s / 1000.0) AND e.cleared_at <= to_timestamp(%s / 1000.0)
 GROUP BY v.client_id
    ON CONFLICT (client_id) DO UPDATE SET since = least(clients_touched.since, excluded.since)
"""


def claim_touched(conn: psycopg.Connection[Any], limit: int) -> list[tuple[int, int, str]]:
    """Take some clients (id, entity id, code) off the queue, in the caller's transaction."""
    return conn.execute(_CLAIM, (limit,)).fetchall()


def touch(conn: psycopg.Connection[Any], client_ids: list[int]) -> None:
    """Put clients on the queue: something about them is to be looked at again."""
    conn.execute(_TOUCH, (client_ids,))


def touch_all(conn: psycopg.Connection[Any]) -> None:
    """Put every client on the queue of whom any event is known."""
    conn.execute(_TOUCH_ALL)


def touch_unsaid(conn: psycopg.Connection[Any]) -> None:
    """Put the clients on the queue of whom something is still to be said to the outside."""
    conn.execute(_UNSAID)


def touch_cleared(conn: psycopg.Connection[Any], after_ms: int, until_ms: int) -> int:
    """Put the clients on the queue whose deposits became cleared in a span; return how many.

    Only such as were told before they were cleared: the others were looked at when they came.
    """
    return conn.execute(_CLEARED, (after_ms, until_ms)).rowcount
