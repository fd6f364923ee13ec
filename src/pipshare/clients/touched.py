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


def claim_touched(conn: psycopg.Connection[Any], limit: int) -> list[tuple[int, int, str]]:
    """Take some clients (id, entity id, code) off the queue, in the caller's transaction."""
    return conn.execute(_CLAIM, (limit,)).fetchall()


def touch(conn: psycopg.Connection[Any], client_ids: list[int]) -> None:
    """Put clients on the queue: something about them is to be looked at again."""
    conn.execute(_TOUCH, (client_ids,))


def touch_all(conn: psycopg.Connection[Any]) -> None:
    """Put every client on the queue of whom any event is known."""
    conn.execute(_TOUCH_ALL)
