"""What stands in the books of a payee's windows, line by line with its causes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import psycopg
from psycopg.rows import dict_row

from pipshare.rating.reasons import Reason

_LINES = """
SELECT w.id, w.component AS component_id, c.code AS component, w.level::int AS level,
       w.payee_kind, w.payee_id, coalesce(p.code, k.code) AS payee, w.client_id,
       o.code AS client, w.seq::int AS seq, w.amount_e8, a.currency, a.state, a.cause,
       w.transfer_id AS transfer, w.day::text AS day, w.reason::int AS reason, w.causes,
       (extract(epoch FROM w.window_start) * 1000)::bigint AS start_ms,
       to_char(w.booked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS booked_at
  FROM rating_window_line w
  JOIN plans_component c ON c.id = w.component
  JOIN ledger_account a ON a.id = w.account
  LEFT JOIN partners_partner p ON w.payee_kind = 'partner' AND p.id = w.payee_id
  LEFT JOIN clients_client k ON w.payee_kind = 'client' AND k.id = w.payee_id
  LEFT JOIN clients_client o ON o.id = w.client_id
"""
_OF_PAYEE = f"""{_LINES}
 WHERE w.component = ANY(%(components)s::int[]) AND w.payee_kind = %(kind)s
   AND w.payee_id = %(payee)s
   AND w.window_start >= to_timestamp(%(start)s / 1000.0)
   AND w.window_start < to_timestamp(%(end)s / 1000.0)
 ORDER BY w.id
"""
_OF_EVENT = f"""{_LINES}
 WHERE w.causes::jsonb -> 'events' ? %(event)s AND w.client_id = %(client)s ORDER BY w.id
"""
_PENDING = """
SELECT EXISTS (
    SELECT FROM rating_due WHERE component = ANY(%(components)s::int[])
       AND (shard = ANY(%(shards)s::int[]) OR client_id = ANY(%(clients)s::int[]))
       AND window_start < to_timestamp(%(end)s / 1000.0)
       AND window_end > to_timestamp(%(start)s / 1000.0))
"""
_CAUSES = """
SELECT DISTINCT client_id, component, jsonb_array_elements_text(causes::jsonb -> 'events')
  FROM rating_window_line WHERE client_id = ANY(%s) AND causes::jsonb ? 'events'
"""
Row = dict[str, Any]
_RULES = ("tier", "carried", "reset", "advanced")  # noted beside events, and no events themselves


def booked_of_payee(
    conn: psycopg.Connection[Any], components: Collection[int], kind: str, payee: int,
    start_ms: int, end_ms: int,
) -> list[Row]:  # fmt: skip
    """Return the lines booked for a payee in the windows that begin in a span of UTC ms."""
    values = {"components": sorted(components), "kind": kind, "payee": payee, "start": start_ms,
              "end": end_ms}  # fmt: skip
    return _rows(conn, _OF_PAYEE, values)


def causes_of_clients(
    conn: psycopg.Connection[Any], who: Collection[int]
) -> set[tuple[int, int, str]]:
    """Return (client, component, event) of what booked lines of clients' lives name as cause."""
    return set(conn.execute(_CAUSES, (sorted(who),)).fetchall())


def booked_of_event(conn: psycopg.Connection[Any], client_id: int, event: str) -> list[Row]:
    """Return the lines of a client's life that an event brought about."""
    return _rows(conn, _OF_EVENT, {"client": client_id, "event": event})


def is_pending(
    conn: psycopg.Connection[Any], components: Collection[int], shards: Collection[int],
    clients: Collection[int], start_ms: int, end_ms: int,
) -> bool:  # fmt: skip
    """Tell whether something touched such a window that was not settled since."""
    values = {"components": sorted(components), "shards": sorted(shards),
              "clients": sorted(clients), "start": start_ms, "end": end_ms}  # fmt: skip
    row = conn.execute(_PENDING, values).fetchone()
    return row is not None and bool(row[0])


def why(row: Row) -> str:
    """Say what brought a booked line about: "trades Live-4 1, Live-4 2"; "" where none is noted."""
    causes, told = row["causes"], []
    for kind, word in (("trades", "trade"), ("events", "event"), ("because", "")):
        names = [name for name in causes.get(kind) or [] if kind != "events" or name not in _RULES]
        if names:
            more = causes.get(f"more_{kind}", 0)
            label = f"{word}{'s' if len(names) > 1 else ''} " if word else ""
            rest = f" and {more} more" if more else ""
            told.append(label + ", ".join(str(name) for name in names) + rest)
    return "; ".join(told)


def _rows(conn: psycopg.Connection[Any], query: str, values: dict[str, Any]) -> list[Row]:
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query, values).fetchall()
    for row in rows:
        reason = Reason(row["reason"])
        row["why"] = why(row)
        row["sentence"] = "" if reason is Reason.PAID else reason.sentence
        row["reason"] = reason.name.lower()
    return rows
