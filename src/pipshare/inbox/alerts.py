"""Alerts: what somebody has to look at, once however often it happens, until it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import audit, db

_LONGEST = 4_000  # characters of a message
_RAISE = """
INSERT INTO inbox_alert (source_id, server_id, code, subject, message)
VALUES (%(source)s, %(server)s, %(code)s, %(subject)s, %(message)s)
ON CONFLICT (COALESCE(source_id, 0), COALESCE(server_id, 0), code, subject)
      WHERE resolved_at IS NULL
DO UPDATE SET count = inbox_alert.count + 1, message = EXCLUDED.message, last_at = now()
RETURNING count = 1"""
_RESOLVE = """
UPDATE inbox_alert SET resolved_at = now()
 WHERE resolved_at IS NULL AND code = %(code)s
   AND (%(subject)s::text IS NULL OR subject = %(subject)s)
   AND source_id IS NOT DISTINCT FROM %(source)s AND server_id IS NOT DISTINCT FROM %(server)s"""
_ALERTS = f"""
SELECT a.id, a.code, a.subject, a.message, s.code, m.code, a.count, {db.ms("a.raised_at")},
       {db.ms("a.last_at")}, {db.ms("a.resolved_at")}
  FROM inbox_alert a
  LEFT JOIN inbox_source s ON s.id = a.source_id
  LEFT JOIN market_server m ON m.id = COALESCE(a.server_id, s.server_id)
 WHERE %(all)s OR a.resolved_at IS NULL ORDER BY a.id DESC LIMIT %(limit)s"""


@dataclass(frozen=True)
class Alert:
    """Something to look at: `source` and `server` are codes or None; moments are UTC ms."""

    id: int
    code: str
    subject: str
    message: str
    source: str | None
    server: str | None
    count: int
    since_ms: int
    last_ms: int
    resolved_ms: int | None


def raise_alert(
    conn: psycopg.Connection[Any],
    code: str,
    subject: str,
    message: str,
    *,
    source_id: int | None = None,
    server_id: int | None = None,
) -> bool:
    """Raise an alert in the caller's transaction; True when it was not open before.

    One that is open already for the same source, server, code and subject is counted, and its
    message becomes the newest. The message says what is wrong and what to do.
    """
    told = {"source": source_id, "server": server_id, "code": code, "subject": _text(subject),
            "message": _text(message)}  # fmt: skip
    row = conn.execute(_RAISE, told).fetchone()
    return bool(row and row[0])


def resolve_alert(
    conn: psycopg.Connection[Any],
    code: str,
    subject: str | None = None,
    *,
    source_id: int | None = None,
    server_id: int | None = None,
) -> int:
    """Close the open alert of exactly this source and server; without a subject, all of the code.

    Returns how many were closed.
    """
    told = {"source": source_id, "server": server_id, "code": code,
            "subject": None if subject is None else _text(subject)}  # fmt: skip
    return conn.execute(_RESOLVE, told).rowcount


def close_alert(conn: psycopg.Connection[Any], alert_id: int, *, by: str, reason: str = "") -> bool:
    """Close an alert that a person has dealt with; False when it was closed already."""
    query = "UPDATE inbox_alert SET resolved_at = now() WHERE id = %s AND resolved_at IS NULL"
    if not conn.execute(query, (alert_id,)).rowcount:
        return False
    audit.record(conn, by, "alert.closed", str(alert_id), reason)
    return True


def alerts(
    conn: psycopg.Connection[Any], *, resolved: bool = False, limit: int = 200
) -> list[Alert]:
    """Return the open alerts, newest first; with `resolved`, those that are over as well."""
    return [Alert(*row) for row in conn.execute(_ALERTS, {"all": resolved, "limit": limit})]


def open_subjects(
    conn: psycopg.Connection[Any], codes: Sequence[str], server_id: int
) -> list[tuple[str, str]]:
    """Return (code, subject) of a server's open alerts of these codes that are of no source."""
    query = """SELECT code, subject FROM inbox_alert WHERE resolved_at IS NULL
                  AND server_id = %s AND source_id IS NULL AND code = ANY(%s::text[])"""
    return conn.execute(query, (server_id, list(codes))).fetchall()


def _text(value: str) -> str:
    return value[:_LONGEST].encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
