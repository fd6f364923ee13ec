"""What the rule over claims has to know of clients, and what it decided, as stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from pipshare.attribution.claims import Case, Claim, Judged
from pipshare.partners.faults import DEEPEST

# The record that holds now goes before one that held at the registration: somebody ended that one.
_CASES = """
SELECT c.id, c.entity_id, r.id IS NOT NULL, r.partner_id,
       ARRAY(SELECT p.id FROM partners_partner p WHERE p.own_client_id = c.id)
  FROM unnest(%(clients)s::int[], %(registered)s::bigint[]) a (client_id, registered)
  JOIN clients_client c ON c.id = a.client_id
  LEFT JOIN LATERAL (
       SELECT r.id, r.partner_id FROM partners_client r
        WHERE r.client_id = c.id
          AND (r.valid_from <= now() AND now() < r.valid_to
               OR r.valid_from <= to_timestamp(a.registered / 1000.0)
              AND to_timestamp(a.registered / 1000.0) < r.valid_to)
        ORDER BY (r.valid_from <= now() AND now() < r.valid_to) DESC, r.id DESC LIMIT 1) r ON true
"""
_TERMINATED = """
SELECT a.partner_id, a.moment
  FROM (SELECT DISTINCT * FROM unnest(%(partners)s::int[], %(moments)s::bigint[])
                               u (partner_id, moment)) a
 WHERE (SELECT s.status FROM partners_status s
         WHERE s.partner_id = a.partner_id AND s.valid_from <= to_timestamp(a.moment / 1000.0)
         ORDER BY s.valid_from DESC, s.id DESC LIMIT 1) = 'terminated'
"""
_STORE = """
INSERT INTO attribution_claim (client_id, via, evidence, partner_id, moment, registered_at,
                               told_by, told_id, decision, reason, detail)
SELECT client_id, via, evidence, partner_id, to_timestamp(moment / 1000.0),
       to_timestamp(registered / 1000.0), told_by, told_id, decision, reason, detail
  FROM unnest(%s::int[], %s::text[], %s::text[], %s::int[], %s::bigint[], %s::bigint[], %s::text[],
              %s::text[], %s::text[], %s::text[], %s::text[])
       u (client_id, via, evidence, partner_id, moment, registered, told_by, told_id, decision,
          reason, detail)
"""
_BEFORE = """
SELECT DISTINCT ON (client_id, told_by, told_id, via, evidence)
       client_id, told_by, told_id, via, evidence, reason
  FROM attribution_claim WHERE client_id = ANY(%s)
 ORDER BY client_id, told_by, told_id, via, evidence, id DESC
"""
_CLAIMS = """
SELECT a.via, a.evidence, p.code AS partner, a.moment::text, a.registered_at::text, a.told_by,
       a.told_id, a.decision, a.reason, a.detail, a.recorded_at::text
  FROM attribution_claim a LEFT JOIN partners_partner p ON p.id = a.partner_id
 WHERE a.client_id = %s ORDER BY a.id
"""
_RELATIONS = """
SELECT r.id AS record, p.id, p.code AS partner, p.name, r.valid_from::text, r.valid_to::text,
       r.recorded_at::text, r.recorded_by, r.reason,
       r.valid_from <= now() AND now() < r.valid_to AS covers_now
  FROM partners_client r LEFT JOIN partners_partner p ON p.id = r.partner_id
 WHERE r.client_id = %(client)s
    OR r.client_id IN (SELECT client_id FROM clients_same WHERE into_id = %(client)s)
 ORDER BY r.client_id = %(client)s DESC, r.id DESC
"""
_PARENT = """
SELECT p.id, p.code AS partner, p.name FROM partners_parent r
  LEFT JOIN partners_partner p ON p.id = r.parent_id
 WHERE r.partner_id = %s AND r.valid_from <= now() AND now() < r.valid_to
 ORDER BY r.id DESC LIMIT 1
"""


@dataclass(frozen=True)
class Settled:
    """A judged claim on a client, ready to be stored; `detail` is a sentence or ""."""

    client: int
    registered_ms: int
    judged: Judged
    detail: str = ""


def cases(
    conn: psycopg.Connection[Any], registered: Mapping[int, int], partners: Sequence[int]
) -> dict[int, Case]:
    """Return what the rule has to know of clients, by id.

    `registered`: when each registered (UTC ms); `partners`: who is claimed to have introduced them.
    """
    told = {"clients": list(registered), "registered": list(registered.values())}
    moments = sorted(set(registered.values()))
    asked = {"partners": [p for p in partners for _ in moments], "moments": moments * len(partners)}
    ended: dict[int, set[int]] = {}
    for partner, moment in conn.execute(_TERMINATED, asked).fetchall():
        ended.setdefault(moment, set()).add(partner)
    return {
        client: Case(entity, registered[client], is_settled, partner, frozenset(own),
                     frozenset(ended.get(registered[client], ())))
        for client, entity, is_settled, partner, own in conn.execute(_CASES, told).fetchall()
    }  # fmt: skip


def store_claims(conn: psycopg.Connection[Any], settled: Iterable[Settled]) -> None:
    """Write down what was claimed and decided, in the caller's transaction."""
    rows = [
        (one.client, one.judged.claim.via.value, one.judged.claim.evidence,
         one.judged.claim.partner, one.judged.claim.moment_ms, one.registered_ms,
         one.judged.claim.told_by, one.judged.claim.told_id, one.judged.decision.value,
         one.judged.reason, one.detail)
        for one in settled
    ]  # fmt: skip
    if rows:
        conn.execute(_STORE, [list(column) for column in zip(*rows, strict=True)])


Before = tuple[int, str, str, str, str]


def told_before(client: int, claim: Claim) -> Before:
    """Return by what a claim is known again when the same is told once more."""
    return client, claim.told_by, claim.told_id, claim.via.value, claim.evidence


def claims_before(conn: psycopg.Connection[Any], client_ids: Sequence[int]) -> dict[Before, str]:
    """Return what was claimed of clients before, with the reason of the last decision on it."""
    rows = conn.execute(_BEFORE, (list(client_ids),)).fetchall()
    return {(client, by, id_, via, evidence): reason
            for client, by, id_, via, evidence, reason in rows}  # fmt: skip


def why_client(conn: psycopg.Connection[Any], client_id: int) -> dict[str, Any]:
    """Return whose client somebody is now, and everything that was claimed of him.

    `relation` is the record in force or None, `chain` the partners from the direct IB upward,
    `records` all relations ever recorded, the newest first (then those of clients who were merged
    into him, which hold where his do not), `claims` in the order of deciding.
    """
    with conn.cursor(row_factory=dict_row) as cursor:
        records = cursor.execute(_RELATIONS, {"client": client_id}).fetchall()
        claims = cursor.execute(_CLAIMS, (client_id,)).fetchall()
    relation = next((one for one in records if one["covers_now"]), None)
    chain = _chain(conn, relation) if relation and relation["id"] is not None else []
    return {"relation": relation, "chain": chain, "records": records, "claims": claims}


def _chain(conn: psycopg.Connection[Any], relation: dict[str, Any]) -> list[dict[str, Any]]:
    chain: list[dict[str, Any]] = []
    at: dict[str, Any] | None = relation
    seen: set[int] = set()
    with conn.cursor(row_factory=dict_row) as cursor:
        while at is not None and at["id"] is not None and len(chain) < DEEPEST:
            if at["id"] in seen:
                break
            seen.add(at["id"])
            chain.append({"level": len(chain) + 1, "id": at["id"], "partner": at["partner"],
                          "name": at["name"]})  # fmt: skip
            at = cursor.execute(_PARENT, (at["id"],)).fetchone()
    return chain
