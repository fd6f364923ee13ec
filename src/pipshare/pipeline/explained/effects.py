"""What each stage made of an event: how it came, what was stored, whose client it made, what was
reached and said. What it paid is explained by the windows themselves (of_event)."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row

from pipshare import inbox
from pipshare.period import from_ms

_VERSIONS = """
SELECT version, recorded_by, recorded_at FROM clients_event
 WHERE source = %(source)s AND event = %(event)s ORDER BY id
"""
# Postbacks tell their number; CRMs the event's own name.
_CLAIMS = """
SELECT a.via, a.evidence, p.code AS partner, a.decision, a.detail, a.recorded_at, a.told_by,
       c.code AS client
  FROM attribution_claim a JOIN clients_client c ON c.id = a.client_id
  LEFT JOIN partners_partner p ON p.id = a.partner_id
 WHERE a.told_id = %(event)s AND a.client_id = ANY(%(clients)s::int[]) ORDER BY a.id
"""
_MILESTONES = """
SELECT kind, number, said, at, undone_at, undone_by, event = %(event)s AS made_it
  FROM clients_milestone
 WHERE client_id = ANY(%(clients)s::int[])
   AND (source = %(source)s AND event = %(event)s
        OR undone_by = %(event)s OR undone_by = %(source)s || ' ' || %(event)s) ORDER BY id
"""
_CLIENTS = """
SELECT c.id FROM clients_client c JOIN market_entity e ON e.id = c.entity_id
 WHERE c.code = ANY(%s)
"""
_SAID = {
    "said": "those who listen were told",
    "waiting": "it is said as soon as it may be",
    "history": "before go-live: nobody was told",
    "nobody": "nobody listens for it",
}
Effect = dict[str, Any]


def effects_of(
    conn: psycopg.Connection[Any], source: str, event: str, client_id: int | None
) -> list[Effect]:
    """Return what became of an event, stage by stage: `stage`, `text`, `at` (ISO, UTC)."""
    items = inbox.items_of_event(conn, event, source)
    named = sorted({one.client for one in items if one.client})
    who = {row[0] for row in conn.execute(_CLIENTS, (named,))} if named else set()
    who |= {client_id} if client_id is not None else set()
    asked = {"source": source, "event": event, "clients": sorted(who)}
    return [
        *(_of_item(one) for one in items),
        *(_of_version(row) for row in _rows(conn, _VERSIONS, asked)),
        *(_of_claim(row) for row in _rows(conn, _CLAIMS, asked)),
        *(_of_milestone(row) for row in _rows(conn, _MILESTONES, asked)),
    ]


def _of_item(one: inbox.PayloadItem) -> Effect:
    again = f", run {one.run}" if one.run > 1 else ""
    why = f": {one.detail or one.reason.replace('_', ' ')}" if one.detail or one.reason else ""
    text = (f"item {one.item} of payload {one.payload_id}{again}, rule {one.rule}:"
            f" {one.outcome}{why}")  # fmt: skip
    return {"stage": "inbox", "text": text, "at": from_ms(one.at_ms).isoformat()}


def _of_version(row: dict[str, Any]) -> Effect:
    text = f"stored as version {row['version']}, told by {row['recorded_by']}"
    return {"stage": "clients", "text": text, "at": row["recorded_at"].isoformat()}


def _of_claim(row: dict[str, Any]) -> Effect:
    whose = f" of {row['partner']}" if row["partner"] else ""
    text = (f"{row['via'].replace('_', ' ')} {row['evidence']}{whose}, told by {row['told_by']}:"
            f" {row['decision']}, {row['detail']}")  # fmt: skip
    return {"stage": "attribution", "text": text, "at": row["recorded_at"].isoformat()}


def _of_milestone(row: dict[str, Any]) -> Effect:
    kind = row["kind"].replace("_", " ")
    if row["made_it"]:
        text = f"the client reached: {kind}; {_SAID.get(row['said'], row['said'])}"
        if row["undone_at"]:
            text += f"; undone by {row['undone_by']}"
    else:
        text = f"it undid what the client had reached: {kind}"
    return {"stage": "milestones", "text": text, "at": row["at"].isoformat()}


def _rows(
    conn: psycopg.Connection[Any], query: str, values: dict[str, Any]
) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()
