"""The log of payloads: every one that came, and what became of each of its items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import psycopg

from pipshare import db
from pipshare.errors import BadInput

MOST = 1_000
# By what became of it in its newest run; before that, by what the door found.
_BAD = """
coalesce((SELECT bool_or(i.outcome IN ('problem', 'refused')) FROM inbox_payload_item i
           WHERE i.payload_id = p.id
             AND i.run = (SELECT max(run) FROM inbox_payload_item m WHERE m.payload_id = p.id)),
         p.problems > 0)"""
_LOG = f"""
SELECT p.id, {db.ms("p.at")}, e.code, p.content_type, p.size, p.sender, p.verdict, p.reason,
       p.detail, p.version, p.items, p.problems, b.payload_id IS NOT NULL,
       d.payload_id IS NOT NULL, w.waits, {_BAD}
  FROM inbox_payload p
  JOIN inbox_endpoint e ON e.id = p.endpoint_id
  LEFT JOIN inbox_payload_body b ON b.payload_id = p.id
  LEFT JOIN inbox_payload_due d ON d.payload_id = p.id
  LEFT JOIN LATERAL (SELECT count(*) AS waits FROM inbox_payload_waiting w
                      WHERE w.payload_id = p.id) w ON true
"""
# Few are bad: looked for among those alone.
_MAYBE_BAD = """
p.id IN (SELECT id FROM inbox_payload WHERE problems > 0
         UNION ALL
         SELECT payload_id FROM inbox_payload_item WHERE outcome IN ('problem', 'refused'))"""
_CONDITIONS = {
    "id": "p.id = %(id)s",
    "endpoint": "e.code = %(endpoint)s",
    "verdict": "p.verdict = %(verdict)s",
    "reason": "p.reason = %(reason)s",
    "since_ms": "p.at >= to_timestamp(%(since_ms)s::bigint / 1000.0)",
    "until_ms": "p.at < to_timestamp(%(until_ms)s::bigint / 1000.0)",
    "before": "p.id < %(before)s",
    "problems": f"{_BAD} = %(problems)s",
    "waits": "(w.waits > 0) = %(waits)s",
    "event": "p.id IN (SELECT payload_id FROM inbox_payload_item WHERE event = %(event)s)",
    "client": "p.id IN (SELECT payload_id FROM inbox_payload_item WHERE client = %(client)s)",
}  # fmt: skip
_ITEMS = f"""
SELECT i.payload_id, i.run, i.item, i.rule, i.kind, i.source, i.event, i.client, i.outcome,
       i.reason, i.field, i.expression, i.detail, {db.ms("i.recorded_at")}
  FROM inbox_payload_item i
"""
_NEWEST = """
 WHERE i.payload_id = %s
   AND (%s OR i.run = (SELECT max(run) FROM inbox_payload_item WHERE payload_id = i.payload_id))
 ORDER BY i.run, i.item, i.id"""
_OF_EVENT = " WHERE i.event = %s AND (%s::text IS NULL OR i.source = %s) ORDER BY i.id"
_WAITING = f"""
SELECT w.payload_id, e.code, w.item, w.told -> 'item' ->> 'kind', w.reason, w.key,
       {db.ms("w.since")}
  FROM inbox_payload_waiting w
  JOIN inbox_payload p ON p.id = w.payload_id
  JOIN inbox_endpoint e ON e.id = p.endpoint_id
 ORDER BY w.since, w.payload_id, w.item LIMIT %s"""
_FIRST = """
SELECT DISTINCT ON (i.source, i.event) i.source, i.event, i.payload_id, e.code
  FROM unnest(%s::text[], %s::text[]) u (source, event)
  JOIN inbox_payload_item i USING (source, event)
  JOIN inbox_payload p ON p.id = i.payload_id
  JOIN inbox_endpoint e ON e.id = p.endpoint_id
 ORDER BY i.source, i.event, i.payload_id"""
_PROPOSED = """
SELECT DISTINCT i.source, i.event FROM unnest(%s::text[], %s::text[]) u (source, event)
  JOIN inbox_payload_item i USING (source, event) WHERE i.outcome = 'proposed'"""
_TEXTS = ("rule", "kind", "source", "event", "client", "outcome", "reason", "field", "expression",
          "detail")  # fmt: skip


@dataclass(frozen=True)
class LoggedPayload:
    """One payload of the log. `is_due`: not settled yet; `waits`: items that wait for somebody.

    `problems` are those that the door found; `is_bad`: something of it cannot be used, as of now.
    """

    id: str
    at_ms: int
    endpoint: str
    content_type: str
    size: int
    sender: str
    verdict: str
    reason: str
    detail: str
    version: int
    items: int
    problems: int
    has_body: bool
    is_due: bool
    waits: int
    is_bad: bool = False


@dataclass(frozen=True)
class PayloadItem:
    """What became of one item in a run; texts are "" where there is nothing to say."""

    payload_id: str
    run: int
    item: int
    rule: str = ""
    kind: str = ""
    source: str = ""
    event: str = ""
    client: str = ""
    outcome: str = ""
    reason: str = ""
    field: str = ""
    expression: str = ""
    detail: str = ""
    at_ms: int = 0


@dataclass(frozen=True)
class WaitingShown:
    """An item that waits, as somebody looks for it; `key`: whose code it waits for."""

    payload_id: str
    endpoint: str
    item: int
    kind: str
    reason: str
    key: str
    since_ms: int


def waiting_items(conn: psycopg.Connection[Any], limit: int = 500) -> list[WaitingShown]:
    """Return items that wait for a client or a partner, the longest waiting first."""
    return [WaitingShown(*row) for row in conn.execute(_WAITING, (limit,))]


def note_items(conn: psycopg.Connection[Any], items: Sequence[PayloadItem]) -> None:
    """Write down what became of items."""
    if not items:
        return
    frame = {name: pl.Series([getattr(one, name) for one in items], dtype=pl.String)
             for name in ("payload_id", *_TEXTS)}  # fmt: skip
    numbers = {name: pl.Series([getattr(one, name) for one in items], dtype=pl.Int64).to_numpy()
               for name in ("run", "item")}  # fmt: skip
    db.copy_in(conn, "inbox_payload_item", {
        **{name: db.Text(column) for name, column in frame.items()},
        **{name: db.Int4(column) for name, column in numbers.items()},
    })  # fmt: skip


def proposed_before(
    conn: psycopg.Connection[Any], events: Sequence[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Return those events (source, event) of which something was proposed to two people before."""
    if not events:
        return set()
    columns = [list(column) for column in zip(*events, strict=True)]
    return {(source, event) for source, event in conn.execute(_PROPOSED, columns).fetchall()}


def payloads(
    conn: psycopg.Connection[Any], *, limit: int = 50, **asked: str | int | bool | None
) -> list[LoggedPayload]:
    """Return payloads, the newest first, at most `limit`.

    `asked`: id, endpoint, verdict, reason, event, client, since_ms, until_ms, problems, waits;
    `before` continues a list behind the id that it ended with.
    """
    unknown = sorted(set(asked) - set(_CONDITIONS))
    if unknown:
        raise BadInput("bad_filter", f"the log of payloads is not searched by {unknown[0]}")
    told = {name: value for name, value in asked.items() if value is not None}
    conditions = [_CONDITIONS[name] for name in told]
    if told.get("problems"):
        conditions.append(_MAYBE_BAD)
    where = " AND ".join(conditions) or "true"
    query = f"{_LOG} WHERE {where} ORDER BY p.id DESC LIMIT %(limit)s"
    rows = conn.execute(query, {**told, "limit": min(limit, MOST)}).fetchall()
    return [LoggedPayload(*row) for row in rows]


def payload_items(
    conn: psycopg.Connection[Any], payload_id: str, *, all_runs: bool = False
) -> list[PayloadItem]:
    """Return what became of a payload's items in its newest run, or in all."""
    return [PayloadItem(*row) for row in conn.execute(_ITEMS + _NEWEST, (payload_id, all_runs))]


def payloads_of_events(
    conn: psycopg.Connection[Any], events: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Return by event (source, event) the first payload that told it, and its endpoint's code."""
    if not events:
        return {}
    columns = [list(column) for column in zip(*events, strict=True)]
    return {(source, event): (payload, endpoint)
            for source, event, payload, endpoint in conn.execute(_FIRST, columns)}  # fmt: skip


def items_of_event(
    conn: psycopg.Connection[Any], event: str, source: str | None = None
) -> list[PayloadItem]:
    """Return every item that told an event, the oldest first."""
    return [PayloadItem(*row) for row in conn.execute(_ITEMS + _OF_EVENT, (event, source, source))]
