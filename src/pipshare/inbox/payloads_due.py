"""The queue of payloads that are to be settled, and the items that wait for a client first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pipshare import db

MOST_ITEMS = 20_000  # of payloads taken together, but for a single one that has more
# Payloads and postbacks claim clients: one transaction at a time settles either.
_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('pipshare postbacks', 0))"
_TAKE = f"""
WITH taken AS (
    DELETE FROM inbox_payload_due WHERE payload_id IN (
        SELECT payload_id FROM (
            SELECT n.payload_id, sum(q.items + 1) OVER (ORDER BY n.payload_id) - q.items AS before
              FROM (SELECT payload_id FROM inbox_payload_due
                     WHERE %(only)s::text IS NULL OR payload_id = %(only)s
                     ORDER BY payload_id LIMIT %(limit)s) n
              JOIN inbox_payload q ON q.id = n.payload_id) t
         WHERE t.before <= {MOST_ITEMS})
    RETURNING payload_id, by, mapped)
SELECT p.id, p.endpoint_id, {db.ms("p.at")}, p.content_type, p.once, p.version, t.by, t.mapped,
       b.body,
       (SELECT coalesce(max(run), 0) + 1 FROM inbox_payload_item i WHERE i.payload_id = p.id)
  FROM taken t JOIN inbox_payload p ON p.id = t.payload_id
  LEFT JOIN inbox_payload_body b ON b.payload_id = p.id
 ORDER BY p.id
"""
_ANY = "SELECT EXISTS (SELECT FROM inbox_payload_due)"
_AGAIN = """
INSERT INTO inbox_payload_due (payload_id, by)
SELECT p.id, %s FROM inbox_payload p JOIN inbox_payload_body b ON b.payload_id = p.id
 WHERE p.id = ANY(%s) AND p.verdict = 'accepted' ON CONFLICT DO NOTHING
"""
_WAIT = """
INSERT INTO inbox_payload_waiting (payload_id, item, place, entity_id, reason, key, told)
SELECT * FROM unnest(%s::text[], %s::int[], %s::int[], %s::int[], %s::text[], %s::text[],
                     %s::jsonb[])
"""
_READY = """
DELETE FROM inbox_payload_waiting w
 WHERE (w.payload_id, w.item, w.place) IN (
       SELECT v.payload_id, v.item, v.place FROM inbox_payload_waiting v
        WHERE v.reason = 'unknown_client'
          AND EXISTS (SELECT FROM clients_client c
                       WHERE c.entity_id = v.entity_id AND c.code = v.key)
           OR v.reason = 'unknown_partner'
          AND (EXISTS (SELECT FROM partners_partner p
                        WHERE p.entity_id = v.entity_id AND lower(p.code) = lower(v.key))
            OR EXISTS (SELECT FROM partners_typed_code y
                        WHERE y.entity_id = v.entity_id AND lower(y.code) = lower(v.key)))
           OR v.reason = 'unknown_ib'  -- key: source, then a partner's code or an id there
          AND (EXISTS (SELECT FROM partners_partner p
                        WHERE p.entity_id = v.entity_id
                          AND p.code = substr(v.key, strpos(v.key, ': ') + 2))
            OR EXISTS (SELECT FROM partners_application a
                         JOIN partners_application_step s ON s.application_id = a.id
                        WHERE s.partner_id IS NOT NULL AND a.entity_id = v.entity_id
                          AND a.source || ': ' || a.external = v.key))
        ORDER BY 1, 2, 3 LIMIT %s)
RETURNING w.payload_id, w.item, w.place, w.entity_id, w.reason, w.key, w.told
"""


@dataclass(frozen=True)
class DuePayload:
    """A payload to be settled; `run` counts how often, from 1. `body` is compressed, None if gone.

    `mapped`: what the door made of it by mapping `version`, None = map it now.
    """

    id: str
    endpoint_id: int
    at_ms: int
    content_type: str
    once: str
    version: int
    by: str
    mapped: bytes | None
    body: bytes | None
    run: int


@dataclass(frozen=True)
class WaitingItem:
    """An item that waits for a client or a partner (`key`: the code); `told`: what was mapped."""

    payload_id: str
    item: int
    place: int
    entity_id: int
    reason: str
    key: str
    told: Mapping[str, Any]


def any_payload_due(conn: psycopg.Connection[Any]) -> bool:
    """Tell whether a payload is to be settled."""
    row = conn.execute(_ANY).fetchone()
    return bool(row and row[0])


def take_due_payloads(
    conn: psycopg.Connection[Any], limit: int, only: str | None = None
) -> list[DuePayload]:
    """Take payloads off the queue in the caller's transaction, the oldest first; one at a time.

    At most `limit`, and about MOST_ITEMS items. `only`: this payload, if it is due.
    """
    conn.execute(_TURN)
    asked = {"limit": limit, "only": only}
    return [DuePayload(*row) for row in conn.execute(_TAKE, asked).fetchall()]


def settle_payloads_again(conn: psycopg.Connection[Any], ids: Sequence[str], *, by: str) -> int:
    """Put accepted payloads whose bodies are kept on the queue again; return how many."""
    return conn.execute(_AGAIN, (by, list(ids))).rowcount


def let_items_wait(conn: psycopg.Connection[Any], items: Iterable[WaitingItem]) -> None:
    """Keep items until whom they wait for is known."""
    rows = [(one.payload_id, one.item, one.place, one.entity_id, one.reason, one.key,
             Jsonb(dict(one.told))) for one in items]  # fmt: skip
    if rows:
        conn.execute(_WAIT, [list(column) for column in zip(*rows, strict=True)])


def forget_waiting(conn: psycopg.Connection[Any], payload_ids: Sequence[str]) -> None:
    """Forget what waits of payloads: they are mapped anew."""
    conn.execute(
        "DELETE FROM inbox_payload_waiting WHERE payload_id = ANY(%s)", (list(payload_ids),)
    )


def forget_item(conn: psycopg.Connection[Any], one: WaitingItem) -> None:
    """Let one item wait no longer."""
    conn.execute(
        "DELETE FROM inbox_payload_waiting WHERE payload_id = %s AND item = %s AND place = %s",
        (one.payload_id, one.item, one.place),
    )


def take_ready_items(conn: psycopg.Connection[Any], limit: int) -> list[WaitingItem]:
    """Take items off whose clients or partners are known by now, in the caller's transaction."""
    conn.execute(_TURN)
    rows = conn.execute(_READY, (limit,)).fetchall()
    return sorted((WaitingItem(*row) for row in rows),
                  key=lambda one: (one.payload_id, one.item, one.place))  # fmt: skip
