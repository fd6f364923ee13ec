"""Postbacks as they came: stored once, in the order of arrival, and what became of each."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from pipshare.facts.clicks import RANDOM_BYTES, click_id
from pipshare.period import from_ms

ACCEPTED, DUPLICATE, REJECTED = "accepted", "duplicate", "rejected"
Identity = tuple[int, str, str]  # tracker, kind, txid
# One statement: it is its own transaction where the connection commits each.
_STORE = """
WITH stored AS (
    INSERT INTO inbox_postback
    SELECT * FROM json_populate_recordset(NULL::inbox_postback, %s::json)
        ON CONFLICT (tracker_id, kind, txid) WHERE verdict = 'accepted' DO NOTHING
    RETURNING id, entity_id, verdict
), due AS (
    INSERT INTO inbox_postback_due (postback_id, entity_id)
    SELECT id, entity_id FROM stored WHERE verdict = 'accepted'
)
SELECT id FROM stored
"""
_BEFORE = """
SELECT p.tracker_id, p.kind, p.txid, p.id, p.content, p.currency, p.amount_e8, p.client,
       p.click
  FROM unnest(%s::int[], %s::text[], %s::text[]) u (tracker_id, kind, txid)
  JOIN inbox_postback p ON p.tracker_id = u.tracker_id AND p.kind = u.kind AND p.txid = u.txid
   AND p.verdict = 'accepted'
"""
_OUTCOME = """
INSERT INTO inbox_postback_outcome (postback_id, outcome, reason, detail)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
"""


def _new_id() -> str:
    """Return a number that sorts by time, in the form of a click's id."""
    return click_id(time.time_ns() // 1_000_000, os.urandom(RANDOM_BYTES))


@dataclass(frozen=True)
class StoredPostback:
    """One postback for the log. Moments are UTC ms; texts are "" where not told.

    `entity_id` and `tracker_id` are None for who showed no known token.
    """

    kind: str
    at_ms: int
    verdict: str
    reason: str = ""
    detail: str = ""
    txid: str = ""
    tracker_id: int | None = None
    entity_id: int | None = None
    happened_ms: int | None = None
    client: str = ""
    click: str = ""
    partner: str = ""
    amount_e8: int = 0
    currency: str = ""
    reference: str = ""
    of: str = ""
    content: int = 0
    sender: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    id: str = field(default_factory=_new_id)

    @property
    def identity(self) -> Identity:
        """Return what makes two postbacks the same one."""
        assert self.tracker_id is not None
        return self.tracker_id, self.kind, self.txid


@dataclass(frozen=True)
class Before:
    """An accepted postback, as far as a later one has to know it."""

    id: str
    content: int
    currency: str
    amount_e8: int
    client: str
    click: str


def store_postbacks(
    conn: psycopg.Connection[Any], postbacks: Sequence[StoredPostback]
) -> set[str]:  # fmt: skip
    """Store postbacks in the caller's transaction; accepted ones are due to be settled.

    Returns the ids stored: an accepted one whose identity another transaction has just accepted is
    left out, and is to be judged again.
    """
    if not postbacks:
        return set()
    # In the order of identities: two processes with the same ones must not wait for each other.
    ordered = sorted(postbacks, key=lambda one: (one.tracker_id or 0, one.kind, one.txid))
    rows = json.dumps([_row(one) for one in ordered])
    return {id_ for (id_,) in conn.execute(_STORE, (rows,)).fetchall()}


def accepted_before(
    conn: psycopg.Connection[Any], identities: Collection[Identity]
) -> dict[Identity, Before]:  # fmt: skip
    """Return the accepted postbacks with these identities."""
    if not identities:
        return {}
    columns = [list(column) for column in zip(*identities, strict=True)]
    return {
        (tracker, kind, txid): Before(*rest)
        for tracker, kind, txid, *rest in conn.execute(_BEFORE, columns).fetchall()
    }


def note_outcomes(
    conn: psycopg.Connection[Any], outcomes: Iterable[tuple[str, str, str, str]]
) -> None:
    """Write down what became of postbacks: id, outcome, reason, detail."""
    rows = list(outcomes)
    if rows:
        conn.execute(_OUTCOME, [list(column) for column in zip(*rows, strict=True)])


def _row(one: StoredPostback) -> dict[str, Any]:
    happened = one.at_ms if one.happened_ms is None else one.happened_ms
    return {
        "id": one.id, "at": from_ms(one.at_ms).isoformat(), "tracker_id": one.tracker_id,
        "entity_id": one.entity_id, "kind": one.kind, "txid": one.txid, "verdict": one.verdict,
        "reason": one.reason, "detail": one.detail, "happened_at": from_ms(happened).isoformat(),
        "client": one.client, "click": one.click, "partner": one.partner,
        "amount_e8": one.amount_e8, "currency": one.currency, "reference": one.reference,
        "of": one.of, "content": one.content, "sender": one.sender, "told": dict(one.told),
    }  # fmt: skip
