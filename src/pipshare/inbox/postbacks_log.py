"""The log of postbacks: every one that came, searched by what somebody asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import db
from pipshare.errors import BadInput

MOST = 1_000
_LOG = f"""
SELECT p.id, {db.ms("p.at")}, t.code, e.code, p.kind, p.txid, p.verdict, p.reason, p.detail,
       {db.ms("p.happened_at")}, p.client, p.click, p.partner, p.amount_e8, p.currency, p.reference,
       p.sender, p.told, COALESCE(o.outcome, CASE WHEN d.postback_id IS NOT NULL
                                                  THEN 'waits' ELSE '' END),
       COALESCE(o.reason, d.reason, ''), COALESCE(o.detail, d.key, '')
  FROM inbox_postback p
  LEFT JOIN inbox_tracker t ON t.id = p.tracker_id
  LEFT JOIN market_entity e ON e.id = p.entity_id
  LEFT JOIN inbox_postback_due d ON d.postback_id = p.id
  LEFT JOIN LATERAL (SELECT outcome, reason, detail FROM inbox_postback_outcome
                      WHERE postback_id = p.id ORDER BY id DESC LIMIT 1) o ON true
"""
_CONDITIONS = {
    "tracker": "t.code = %(tracker)s",
    "entity": "e.code = %(entity)s",
    "event": "p.kind = %(event)s",
    "verdict": "p.verdict = %(verdict)s",
    "reason": "p.reason = %(reason)s",
    "client": "p.client = %(client)s",
    "click": "p.click = %(click)s",
    "partner": "p.partner = %(partner)s",
    "txid": "p.txid = %(txid)s",
    "id": "p.id = %(id)s",
    "since_ms": "p.at >= to_timestamp(%(since_ms)s::bigint / 1000.0)",
    "before": "p.id < %(before)s",
    "waits": "(d.postback_id IS NOT NULL AND d.reason <> '') = %(waits)s",
}


@dataclass(frozen=True)
class LoggedPostback:
    """One postback of the log; `outcome` is what became of it: "" not settled yet, or waits."""

    id: str
    at_ms: int
    tracker: str | None
    entity: str | None
    event: str
    txid: str
    verdict: str
    reason: str
    detail: str
    happened_ms: int
    client: str
    click: str
    partner: str
    amount_e8: int
    currency: str
    reference: str
    sender: str
    told: dict[str, str]
    outcome: str
    outcome_reason: str
    outcome_detail: str


def postbacks(
    conn: psycopg.Connection[Any], *, limit: int = 50, **asked: str | int | bool | None
) -> list[LoggedPostback]:  # fmt: skip
    """Return postbacks, the newest first, at most `limit`.

    `asked`: tracker, entity, event, verdict, reason, client, click, partner, txid, id, since_ms;
    `waits`: whether it waits for something; `before` continues a list behind the id that it ended
    with.
    """
    unknown = sorted(set(asked) - set(_CONDITIONS))
    if unknown:
        raise BadInput("bad_filter", f"the log is not searched by {', '.join(unknown)}")
    given = {name: value for name, value in asked.items() if value not in (None, "")}
    where = " AND ".join(_CONDITIONS[name] for name in given)
    query = _LOG + (f" WHERE {where}" if where else "") + " ORDER BY p.id DESC LIMIT %(limit)s"
    found = conn.execute(query, {**given, "limit": min(limit, MOST)})
    return [LoggedPostback(*row) for row in found.fetchall()]
