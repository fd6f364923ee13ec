"""Hands out what was said: a delivery for each receiver, numbered, behind what is before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from pipshare import db
from pipshare.outbox.match import Matcher
from pipshare.outbox.values import DEAD, OFF, Message

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AT_ONCE = 2_000  # messages
_UNSENT = f"""
SELECT m.id, m.entity_id, m.type, m.subject, {db.ms("m.at")}, m.data, m.receiver_id
  FROM outbox_unsent u JOIN outbox_message m ON m.id = u.message_id
 ORDER BY u.message_id LIMIT %s"""
_HANDED = "DELETE FROM outbox_unsent WHERE message_id = ANY(%s)"
# Of one receiver and subject: numbers go on from the last; the first is due when none is unended.
_DELIVER = """
WITH told AS (
    SELECT receiver_id, message_id, subject, is_off,
           row_number() OVER (PARTITION BY receiver_id, subject ORDER BY message_id) AS place
      FROM unnest(%(receivers)s::int[], %(messages)s::bigint[], %(subjects)s::text[],
                  %(off)s::boolean[]) t (receiver_id, message_id, subject, is_off)),
placed AS (
    SELECT t.*, coalesce((SELECT seq FROM outbox_delivery d
                           WHERE d.receiver_id = t.receiver_id AND d.subject = t.subject
                           ORDER BY seq DESC LIMIT 1), 0) + place AS seq,
           CASE WHEN is_off THEN 'dead'
                WHEN place = 1 AND NOT EXISTS
                     (SELECT FROM outbox_delivery d
                       WHERE d.receiver_id = t.receiver_id AND d.subject = t.subject
                         AND d.state IN ('behind', 'due')) THEN 'due'
                ELSE 'behind' END AS state
      FROM told t)
INSERT INTO outbox_delivery (receiver_id, message_id, subject, seq, state, not_before, ended_at,
                             reason)
SELECT receiver_id, message_id, subject, seq, state, %(now)s,
       CASE WHEN is_off THEN %(now)s END, CASE WHEN is_off THEN 'the receiver is off' ELSE '' END
  FROM placed ORDER BY message_id, receiver_id
RETURNING receiver_id, state"""


def fan_out(conn: psycopg.Connection[Any], matcher: Matcher, now_ms: int) -> tuple[int, set[int]]:
    """Hand out up to AT_ONCE messages in the open transaction.

    Returns how many there were, and the receivers to whom something is due now.
    """
    rows = conn.execute(_UNSENT, (AT_ONCE,)).fetchall()
    if not rows:
        return 0, set()
    receivers: list[int] = []
    messages: list[int] = []
    subjects: list[str] = []
    off: list[bool] = []
    for number, entity_id, kind, subject, at_ms, data, only in rows:
        message = Message(number, entity_id, kind, subject, at_ms, data)
        for one in matcher.match(message, only, now_ms):
            receivers.append(one.id)
            messages.append(number)
            subjects.append(subject)
            off.append(one.state == OFF)
    due: set[int] = set()
    if receivers:
        told = {"receivers": receivers, "messages": messages, "subjects": subjects, "off": off,
                "now": moment(now_ms)}  # fmt: skip
        made = conn.execute(_DELIVER, told).fetchall()
        due = {receiver_id for receiver_id, state in made if state != DEAD}
    conn.execute(_HANDED, ([row[0] for row in rows],))
    return len(rows), due


def moment(now_ms: int) -> datetime:
    """Return a moment in UTC milliseconds as the database takes it."""
    return _EPOCH + timedelta(milliseconds=now_ms)
