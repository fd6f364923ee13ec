"""Writes down what became of deliveries, many at once: attempts, states, and who is next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare import db
from pipshare.outbox.courier import Done
from pipshare.outbox.external import LONGEST, store_externals
from pipshare.outbox.fan_out import moment
from pipshare.outbox.schedule import Health
from pipshare.outbox.values import DUE

_END = """
UPDATE outbox_delivery d
   SET state = r.state, attempts = r.attempts, tries = r.tries, reason = r.reason,
       not_before = CASE WHEN r.state = 'due'
                         THEN timestamptz 'epoch' + r.at_ms * interval '1 ms'
                         ELSE d.not_before END,
       ended_at = CASE WHEN r.state <> 'due'
                       THEN timestamptz 'epoch' + r.at_ms * interval '1 ms' END
  FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::int[], %s::text[], %s::bigint[])
       r (id, state, attempts, tries, reason, at_ms)
 WHERE d.id = r.id"""
# Of each receiver and subject the lowest that has not ended is due: whoever waited behind it.
_RELEASE = """
WITH ended AS (SELECT DISTINCT receiver_id, subject
                 FROM unnest(%s::int[], %s::text[]) e (receiver_id, subject)),
next AS (SELECT n.id
           FROM ended e CROSS JOIN LATERAL
                (SELECT id, state FROM outbox_delivery d
                  WHERE d.receiver_id = e.receiver_id AND d.subject = e.subject
                    AND d.state IN ('behind', 'due')
                  ORDER BY seq LIMIT 1) n
          WHERE n.state = 'behind')
UPDATE outbox_delivery d SET state = 'due', not_before = %s FROM next WHERE d.id = next.id
RETURNING d.receiver_id"""
_HEALTH = """
UPDATE outbox_health h
   SET failing_since = timestamptz 'epoch' + r.since * interval '1 ms', fails = r.fails,
       last_ok = coalesce(timestamptz 'epoch' + r.ok * interval '1 ms', h.last_ok), error = r.error
  FROM unnest(%s::int[], %s::bigint[], %s::int[], %s::bigint[], %s::text[])
       r (id, since, fails, ok, error)
 WHERE h.receiver_id = r.id"""


def settle(conn: psycopg.Connection[Any], done: Sequence[Done], now_ms: int) -> set[int]:
    """Store attempts and what they mean in the open transaction.

    Returns the receivers for whom a successor became due by it.
    """
    _copy_attempts(conn, done)
    columns = [
        [one.job.id for one in done],
        [one.state for one in done],
        [one.job.attempts + 1 for one in done],
        [one.job.tries + 1 for one in done],
        [one.attempt.error for one in done],
        [one.next_ms for one in done],
    ]
    conn.execute(_END, columns)
    told = [(one.job.receiver_id, one.job.message.subject, one.heard.crm_id[:LONGEST], one.job.id)
            for one in done if one.heard.crm_id]  # fmt: skip
    if told:
        store_externals(conn, told)
    ended = [one for one in done if one.state != DUE]
    pairs = [(one.job.receiver_id, one.job.message.subject) for one in ended]
    return release(conn, pairs, now_ms) if pairs else set()


def release(
    conn: psycopg.Connection[Any], pairs: Iterable[tuple[int, str]], now_ms: int
) -> set[int]:
    """Make due what is next of these receivers and subjects; return the receivers concerned."""
    receiver_ids, subjects = zip(*pairs, strict=True)
    told = (list(receiver_ids), list(subjects), moment(now_ms))
    return {row[0] for row in conn.execute(_RELEASE, told).fetchall()}


def store_health(conn: psycopg.Connection[Any], found: dict[int, Health]) -> None:
    """Store how receivers fare."""
    rows = found.values()
    columns = [
        list(found),
        [one.failing_since_ms for one in rows],
        [one.fails for one in rows],
        [one.last_ok_ms for one in rows],
        [one.error for one in rows],
    ]
    conn.execute(_HEALTH, columns)


def _copy_attempts(conn: psycopg.Connection[Any], done: Sequence[Done]) -> None:
    rows = [one.attempt for one in done]

    def integers(name: str) -> Any:
        return np.array([getattr(row, name) for row in rows], np.int64)

    def texts(name: str) -> db.Text:
        return db.Text(pl.Series([getattr(row, name) for row in rows], dtype=pl.String))

    answered = np.array([row.status is not None for row in rows])
    columns: dict[str, db.Column] = {
        "delivery_id": db.Int8(integers("delivery_id")),
        "number": db.Int4(integers("number")),
        "due_at": db.Timestamp(integers("due_ms")),
        "at": db.Timestamp(integers("at_ms")),
        "ms": db.Int4(integers("ms")),
        **{name: texts(name) for name in ("method", "url", "headers", "body")},
        "status": db.Int4(np.array([row.status or 0 for row in rows], np.int64), answered),
        **{name: texts(name) for name in ("answer", "outcome", "error")},
    }
    db.copy_in(conn, "outbox_attempt", columns)
