"""The queue of postbacks that are to be settled, and of those that wait for something first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import db

UNKNOWN_CLIENT, UNKNOWN_CLICK_CLIENT, UNKNOWN_REFERENCE = WAITS = (
    "unknown_client", "client_of_click", "unknown_reference",
)  # fmt: skip
_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('pipshare postbacks', 0))"
# A wait is over when what it is for is there: clients loaded by anybody, accepted postbacks.
_READY = """
SELECT d.postback_id FROM inbox_postback_due d WHERE d.reason = ''
UNION ALL
SELECT d.postback_id FROM inbox_postback_due d
 WHERE d.reason = 'unknown_client'
   AND EXISTS (SELECT FROM clients_client c WHERE c.entity_id = d.entity_id AND c.code = d.key)
UNION ALL
SELECT d.postback_id FROM inbox_postback_due d
 WHERE d.reason = 'client_of_click'
   AND EXISTS (SELECT FROM inbox_postback r
                 JOIN clients_client c ON c.entity_id = r.entity_id AND c.code = r.client
                WHERE r.click = d.key AND r.entity_id = d.entity_id AND r.client <> ''
                  AND r.kind = 'registration' AND r.verdict = 'accepted')
UNION ALL
SELECT d.postback_id FROM inbox_postback_due d JOIN inbox_postback p ON p.id = d.postback_id
 WHERE d.reason = 'unknown_reference'
   AND EXISTS (SELECT FROM inbox_postback r
                WHERE r.tracker_id = p.tracker_id AND r.kind = p.of AND r.txid = d.key
                  AND r.verdict = 'accepted')
"""
_FRESH = "SELECT EXISTS (SELECT FROM inbox_postback_due WHERE reason = '')"
_TAKE = f"""
WITH taken AS (
    DELETE FROM inbox_postback_due
     WHERE postback_id IN (SELECT postback_id FROM ({_READY}) r ORDER BY 1 LIMIT %(limit)s)
    RETURNING postback_id)
SELECT p.id, {db.ms("p.at")}, p.tracker_id, p.entity_id, p.kind, p.txid, {db.ms("p.happened_at")},
       p.client, p.click, p.partner, p.amount_e8, p.currency, p.reference, p.of,
       COALESCE(p.told ->> 'country', ''), COALESCE(p.told ->> 'method', '')
  FROM taken JOIN inbox_postback p ON p.id = taken.postback_id
 ORDER BY p.happened_at, p.id
"""
_WAIT = """
INSERT INTO inbox_postback_due (postback_id, entity_id, reason, key)
SELECT * FROM unnest(%s::text[], %s::int[], %s::text[], %s::text[])
"""
_CLIENTS_OF_CLICKS = """
SELECT DISTINCT r.entity_id, r.click, r.client FROM inbox_postback r
 WHERE r.click = ANY(%s) AND r.kind = 'registration' AND r.verdict = 'accepted' AND r.client <> ''
 ORDER BY 1, 2, 3
"""


@dataclass(frozen=True)
class DuePostback:
    """An accepted postback to be settled; moments in UTC ms, texts "" where not told."""

    id: str
    at_ms: int
    tracker_id: int
    entity_id: int
    kind: str
    txid: str
    happened_ms: int
    client: str
    click: str
    partner: str
    amount_e8: int
    currency: str
    reference: str
    of: str
    country: str
    method: str


def any_postback_fresh(conn: psycopg.Connection[Any]) -> bool:
    """Tell whether a postback came that nobody has tried to settle yet."""
    row = conn.execute(_FRESH).fetchone()
    return bool(row and row[0])


def take_due_postbacks(conn: psycopg.Connection[Any], limit: int) -> list[DuePostback]:
    """Take postbacks off the queue, in the caller's transaction; one transaction at a time.

    New ones, and those whose wait is over, in the order in which they happened.
    """
    conn.execute(_TURN)
    return [DuePostback(*row) for row in conn.execute(_TAKE, {"limit": limit}).fetchall()]


def let_wait(
    conn: psycopg.Connection[Any], waiting: Iterable[tuple[DuePostback, str, str]]
) -> None:
    """Put postbacks back, to wait for something (postback, one of WAITS, its key)."""
    rows = [(one.id, one.entity_id, reason, key) for one, reason, key in waiting]
    if rows:
        conn.execute(_WAIT, [list(column) for column in zip(*rows, strict=True)])


def clients_of_clicks(
    conn: psycopg.Connection[Any], clicks: Sequence[str]
) -> dict[tuple[int, str], list[str]]:  # fmt: skip
    """Return by entity and click the clients who registered with it."""
    found: dict[tuple[int, str], list[str]] = {}
    for entity, click, client in conn.execute(_CLIENTS_OF_CLICKS, (list(clicks),)):
        found.setdefault((entity, click), []).append(client)
    return found
