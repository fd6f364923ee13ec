"""Look at what became of messages: deliveries, their attempts, dead letters, how receivers fare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import db
from pipshare.outbox.values import Attempt, Delivery

_DELIVERIES = f"""
SELECT d.id, r.name, d.message_id, m.type, d.subject, d.seq, d.state, d.attempts,
       {db.ms("d.not_before")}, {db.ms("d.ended_at")}, d.reason, {db.ms("m.at")}, m.data
  FROM outbox_delivery d
  JOIN outbox_message m ON m.id = d.message_id
  JOIN outbox_receiver r ON r.id = d.receiver_id
 WHERE (%(receiver)s::int IS NULL OR d.receiver_id = %(receiver)s)
   AND (%(ids)s::bigint[] IS NULL OR d.id = ANY(%(ids)s::bigint[]))
   AND (%(message)s::bigint IS NULL OR d.message_id = %(message)s)
   AND (%(subject)s::text IS NULL OR d.subject = %(subject)s)
   AND (%(states)s::text[] IS NULL OR d.state = ANY(%(states)s::text[]))
   AND (%(before)s::bigint IS NULL OR d.id < %(before)s)
 ORDER BY d.id DESC LIMIT %(limit)s"""
_ATTEMPTS = f"""
SELECT delivery_id, number, {db.ms("due_at")}, {db.ms("at")}, ms, method, url, headers, body,
       status, answer, outcome, error
  FROM outbox_attempt WHERE delivery_id = ANY(%s) ORDER BY delivery_id DESC, number"""
_FARES = f"""
SELECT h.receiver_id, {db.ms("h.failing_since")}, h.fails, {db.ms("h.last_ok")}, h.error,
       (SELECT count(*) FROM outbox_delivery d
         WHERE d.receiver_id = h.receiver_id AND d.state IN ('behind', 'due')),
       (SELECT count(*) FROM outbox_delivery d
         WHERE d.receiver_id = h.receiver_id AND d.state = 'dead')
  FROM outbox_health h JOIN outbox_receiver r ON r.id = h.receiver_id
 WHERE r.state <> 'removed' AND (%(receiver)s::int IS NULL OR h.receiver_id = %(receiver)s)"""


@dataclass(frozen=True)
class Fares:
    """How a receiver fares: failing since when (UTC ms), what waits, how many dead letters."""

    receiver_id: int
    failing_since_ms: int | None
    fails: int
    last_ok_ms: int | None
    error: str
    waiting: int
    dead: int


def deliveries(
    conn: psycopg.Connection[Any],
    *,
    receiver_id: int | None = None,
    ids: Sequence[int] | None = None,
    message_id: int | None = None,
    subject: str | None = None,
    states: Sequence[str] | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Delivery]:
    """Return deliveries, newest first; `before` is the id of the last one on the page before."""
    told = {
        "receiver": receiver_id, "ids": None if ids is None else list(ids), "message": message_id,
        "subject": subject, "states": None if states is None else list(states), "before": before,
        "limit": limit,
    }  # fmt: skip
    return [Delivery(*row) for row in conn.execute(_DELIVERIES, told)]


def attempts(conn: psycopg.Connection[Any], delivery_ids: Sequence[int]) -> list[Attempt]:
    """Return all attempts of these deliveries, in order."""
    return [Attempt(*row) for row in conn.execute(_ATTEMPTS, (list(delivery_ids),))]


def dead(conn: psycopg.Connection[Any], receiver_id: int, limit: int = 50) -> list[Delivery]:
    """Return the dead letters of a receiver, newest first."""
    return deliveries(conn, receiver_id=receiver_id, states=["dead"], limit=limit)


def fares(conn: psycopg.Connection[Any], receiver_id: int | None = None) -> dict[int, Fares]:
    """Return how receivers fare, by id."""
    found = conn.execute(_FARES, {"receiver": receiver_id}).fetchall()
    return {row[0]: Fares(*row) for row in found}
