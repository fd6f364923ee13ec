"""Reads what is due, for many receivers at once, each up to the room that it has in memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import db
from pipshare.outbox.courier import Job
from pipshare.outbox.fan_out import moment
from pipshare.outbox.values import Message

# `low`: nothing is due before it but what is held; rows that ended there are not waded through.
_DUE = f"""
SELECT d.id, d.receiver_id, d.seq, d.attempts, d.tries, {db.ms("d.not_before")},
       m.id, m.entity_id, m.type, m.subject, {db.ms("m.at")},
       CASE WHEN x.crm_id IS NULL THEN m.data
            ELSE m.data || jsonb_build_object('crm_id', x.crm_id) END
  FROM unnest(%(ids)s::int[], %(rooms)s::int[], %(lows)s::bigint[]) a (receiver_id, room, low)
 CROSS JOIN LATERAL
       (SELECT * FROM outbox_delivery d
         WHERE d.receiver_id = a.receiver_id AND d.state = 'due'
           AND d.not_before >= timestamptz 'epoch' + a.low * interval '1 ms'
           AND d.not_before <= %(now)s AND d.id <> ALL(%(held)s::bigint[])
         ORDER BY d.not_before, d.id LIMIT a.room) d
  JOIN outbox_message m ON m.id = d.message_id
  LEFT JOIN outbox_external x ON x.receiver_id = d.receiver_id AND x.subject = d.subject
 ORDER BY d.not_before, d.id"""
_LATER = f"""
SELECT a.receiver_id, {db.ms("l.not_before")}
  FROM unnest(%(ids)s::int[]) a (receiver_id)
 CROSS JOIN LATERAL
       (SELECT not_before FROM outbox_delivery d
         WHERE d.receiver_id = a.receiver_id AND d.state = 'due' AND d.not_before > %(now)s
         ORDER BY not_before LIMIT 1) l"""


@dataclass(frozen=True, slots=True)
class Ask:
    """How many jobs of a receiver to read, from which due moment (UTC ms) on."""

    receiver_id: int
    room: int
    low_ms: int


def due(
    conn: psycopg.Connection[Any], asks: Collection[Ask], held: Collection[int], now_ms: int
) -> list[Job]:
    """Return what is due to these receivers and not `held` (delivery ids), oldest first."""
    told = {
        "ids": [ask.receiver_id for ask in asks], "rooms": [ask.room for ask in asks],
        "lows": [ask.low_ms for ask in asks], "held": list(held), "now": moment(now_ms),
    }  # fmt: skip
    return [
        Job(row[0], row[1], Message(*row[6:12]), row[2], row[3], row[4], row[5])
        for row in conn.execute(_DUE, told)
    ]


def later(
    conn: psycopg.Connection[Any], receiver_ids: Collection[int], now_ms: int
) -> dict[int, int]:
    """Return when (UTC ms) something becomes due next, by receiver; absent: never."""
    told = {"ids": list(receiver_ids), "now": moment(now_ms)}
    return dict(conn.execute(_LATER, told).fetchall())
