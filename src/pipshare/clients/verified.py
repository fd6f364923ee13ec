"""Where clients stand with KYC now: approved until when, not, or not yet; and whose ends soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare.db import ms
from pipshare.errors import BadInput
from pipshare.facts.events import KYC

STATES = ("approved", "expired", "rejected", "withdrawn", "unverified")
DEFAULT_DAYS = (30, 7)
# The last word said by now of each client: of two of one moment that of the later source and event.
# Only of sources that count (facts.counted); who is another's double has no row of his own.
_WORDS = f"""
WITH told AS (
    SELECT DISTINCT ON (v.client_id) v.client_id, v.kind, v.at, v.expires_at, v.document, v.country,
           v.source, v.event
      FROM clients_event_current v
     WHERE v.kind = ANY(%(kinds)s) AND v.client_id IS NOT NULL AND v.at <= to_timestamp(%(now)s)
       AND coalesce((SELECT a.source FROM clients_authority a
                      WHERE a.entity_id = v.entity_id AND a.fact = 'kyc' AND a.valid_from <= v.at
                      ORDER BY a.id DESC LIMIT 1), '') IN ('', v.source)
       {{some}}
     ORDER BY v.client_id, v.at DESC, v.source DESC, v.event DESC
), stand AS (
    SELECT c.id, c.entity_id, n.code AS entity, c.code,
           CASE WHEN t.kind IS NULL THEN 'unverified'
                WHEN t.kind = 'kyc_approved' AND t.expires_at > '-infinity'
                     AND t.expires_at <= to_timestamp(%(now)s) THEN 'expired'
                ELSE substr(t.kind, 5) END AS state,
           CASE WHEN t.kind = 'kyc_approved' AND t.expires_at > '-infinity'
                     AND t.expires_at <= to_timestamp(%(now)s) THEN {ms("t.expires_at")}
                ELSE {ms("t.at")} END AS since,
           CASE WHEN t.kind = 'kyc_approved' AND t.expires_at > '-infinity'
                THEN {ms("t.expires_at")} END AS expires,
           coalesce(t.document, '') AS document, coalesce(t.country, '') AS country,
           coalesce(t.source, '') AS source, coalesce(t.event, '') AS event
      FROM clients_client c JOIN market_entity n ON n.id = c.entity_id
      LEFT JOIN told t ON t.client_id = c.id
     WHERE (%(entity)s::int IS NULL OR c.entity_id = %(entity)s) {{whose}}
       AND NOT EXISTS (SELECT FROM clients_same s WHERE s.client_id = c.id)
)
"""
_LIST = """
SELECT * FROM stand
 WHERE (%(state)s::text IS NULL OR state = %(state)s)
   AND (%(search)s::text IS NULL OR code ILIKE %(search)s)
   AND (entity, code) > (%(entity_after)s, %(code_after)s)
 ORDER BY entity, code LIMIT %(limit)s
"""
_COUNT = "SELECT state, count(*) FROM stand GROUP BY state"
_EXPIRING = """
SELECT * FROM stand WHERE state = 'approved' AND expires <= %(until)s ORDER BY expires, entity, code
 LIMIT %(limit)s
"""
_SOON = """
 AND v.client_id IN (SELECT o.client_id FROM clients_event_current o
                      WHERE o.kind = 'kyc_approved' AND o.expires_at > to_timestamp(%(now)s)
                        AND o.expires_at <= to_timestamp(%(until)s / 1000.0))
"""
_DAYS = """
SELECT DISTINCT ON (entity_id) entity_id, days FROM clients_expiry_days ORDER BY entity_id, id DESC
"""
_SAY_DAYS = "INSERT INTO clients_expiry_days (entity_id, days, recorded_by) VALUES (%s, %s, %s)"
_SAID = """
INSERT INTO clients_expiry_said (client_id, expires_at, days)
SELECT %s, to_timestamp(%s / 1000.0), %s ON CONFLICT DO NOTHING RETURNING 1
"""


@dataclass(frozen=True)
class Verified:
    """A client and where he stands: `state` of STATES `since_ms` (None: nothing was ever said).

    `expires_ms`: the end of the document that was approved last, None = none. `document` and
    `country` are its kind and country, `source` and `event` what told it; "" = not told.
    """

    client_id: int
    entity_id: int
    entity: str
    code: str
    state: str
    since_ms: int | None
    expires_ms: int | None
    document: str
    country: str
    source: str
    event: str


def verified(
    conn: psycopg.Connection[Any], now_ms: int, *, entity_id: int | None = None,
    state: str | None = None, search: str = "", client_ids: Sequence[int] | None = None,
    after: tuple[str, str] = ("", ""), limit: int = 100,
) -> list[Verified]:  # fmt: skip
    """Return clients and where they stand, by entity and code, after one of these (entity, code).

    `state` of STATES; `search`: a part of the code; `client_ids`: only these.
    """
    values = _values(now_ms, entity_id) | {
        "state": state, "search": f"%{search}%" if search else None, "limit": limit,
        "entity_after": after[0], "code_after": after[1],
        "ids": None if client_ids is None else list(client_ids),
    }  # fmt: skip
    few = client_ids is not None
    query = _WORDS.format(some="AND v.client_id = ANY(%(ids)s)" if few else "",
                          whose="AND c.id = ANY(%(ids)s)" if few else "") + _LIST  # fmt: skip
    return [Verified(*row) for row in conn.execute(query, values)]


def count_verified(
    conn: psycopg.Connection[Any], now_ms: int, entity_id: int | None = None
) -> dict[str, int]:
    """Return how many clients are in each of STATES now."""
    query = _WORDS.format(some="", whose="") + _COUNT
    found = dict(conn.execute(query, _values(now_ms, entity_id)).fetchall())
    return {state: int(found.get(state, 0)) for state in STATES}


def expiring(
    conn: psycopg.Connection[Any], now_ms: int, until_ms: int, *, entity_id: int | None = None,
    limit: int = 1000,
) -> list[Verified]:  # fmt: skip
    """Return approved clients whose document ends after now and by a moment, the first first."""
    query = _WORDS.format(some=_SOON, whose="AND t.client_id IS NOT NULL") + _EXPIRING
    values = _values(now_ms, entity_id) | {"until": until_ms, "limit": limit}
    return [Verified(*row) for row in conn.execute(query, values)]


def expiry_days(conn: psycopg.Connection[Any], entity_id: int) -> tuple[int, ...]:
    """Return so many days before a document's end it is said, the most first."""
    return tuple(dict(conn.execute(_DAYS).fetchall()).get(entity_id, DEFAULT_DAYS))


def set_expiry_days(
    conn: psycopg.Connection[Any], entity_id: int, days: Sequence[int], *, by: str
) -> tuple[int, ...]:
    """Set so many days before a document's end it is said; none: never. Raises BadInput."""
    wanted = sorted(set(days), reverse=True)
    if any(not 1 <= one <= 366 for one in wanted):
        raise BadInput("bad_days", "days before the end of a document are 1 to 366, such as 30 7")
    if not by.strip():
        raise BadInput("no_name", "this needs the name of who sets it: give --by")
    conn.execute(_SAY_DAYS, (entity_id, wanted, " ".join(by.split())))
    return tuple(wanted)


def note_expiry_said(
    conn: psycopg.Connection[Any], client_id: int, expires_ms: int, days: int
) -> bool:
    """Note that so many days before the end it was said; tell whether it was not noted before."""
    return conn.execute(_SAID, (client_id, expires_ms, days)).fetchone() is not None


def _values(now_ms: int, entity_id: int | None) -> dict[str, Any]:
    return {"kinds": list(KYC), "now": now_ms / 1000.0, "entity": entity_id}
