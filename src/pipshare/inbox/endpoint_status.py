"""How polled endpoints fare, and how far each was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pipshare import db

_STATUS = f"""
SELECT endpoint_id, cursor, {db.ms("last_try")}, {db.ms("last_ok")}, {db.ms("last_news")}, fails,
       {db.ms("outage_since")}, error
  FROM inbox_endpoint_status
"""
_OK = """
UPDATE inbox_endpoint_status
   SET last_try = now(), last_ok = now(), fails = 0, outage_since = NULL, error = '',
       last_news = CASE WHEN %s THEN now() ELSE last_news END
 WHERE endpoint_id = %s"""
_FAULT = """
UPDATE inbox_endpoint_status
   SET last_try = now(), fails = fails + 1, error = %s,
       outage_since = coalesce(outage_since, now())
 WHERE endpoint_id = %s"""


@dataclass(frozen=True)
class EndpointStatus:
    """How an endpoint fares; moments in UTC ms, None = never. `cursor` is in words of its kind."""

    endpoint_id: int
    cursor: dict[str, Any] = field(default_factory=dict)
    last_try_ms: int | None = None
    last_ok_ms: int | None = None
    last_news_ms: int | None = None
    fails: int = 0
    outage_since_ms: int | None = None
    error: str = ""


def endpoint_statuses(conn: psycopg.Connection[Any]) -> dict[int, EndpointStatus]:
    """Return how endpoints fare, by number."""
    return {row[0]: EndpointStatus(*row) for row in conn.execute(_STATUS).fetchall()}


def endpoint_cursor(conn: psycopg.Connection[Any], endpoint_id: int) -> dict[str, Any]:
    """Return how far an endpoint was read, {} = not at all."""
    query = "SELECT cursor FROM inbox_endpoint_status WHERE endpoint_id = %s"
    row = conn.execute(query, (endpoint_id,)).fetchone()
    return dict(row[0]) if row else {}


def save_endpoint_cursor(
    conn: psycopg.Connection[Any], endpoint_id: int, cursor: Mapping[str, Any]
) -> None:
    """Keep how far an endpoint was read, in the transaction that stores what was read."""
    conn.execute(
        "UPDATE inbox_endpoint_status SET cursor = %s WHERE endpoint_id = %s",
        (Jsonb(dict(cursor)), endpoint_id),
    )


def note_endpoint_ok(conn: psycopg.Connection[Any], endpoint_id: int, *, news: bool) -> None:
    """Note that an endpoint was read, and whether anything new was there."""
    conn.execute(_OK, (news, endpoint_id))


def note_endpoint_fault(conn: psycopg.Connection[Any], endpoint_id: int, error: str) -> None:
    """Note that an endpoint could not be read, in a sentence."""
    conn.execute(_FAULT, (error[:500], endpoint_id))
