"""Switches off a receiver who failed for days, or is gone, and says so to the broker's systems."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import polars as pl
import psycopg

from pipshare import audit, db
from pipshare.outbox.fan_out import moment
from pipshare.outbox.say import CHANNEL, say
from pipshare.outbox.values import CANCELLED, DEAD, MESSAGES, OFF, SWITCHED_OFF, Receiver

DISPATCHER = "dispatcher"  # who does it, in the audit trail
_AT_ONCE = 5_000
_OFF = """
UPDATE outbox_receiver
   SET state = 'off', off_at = %s, off_reason = %s, version = version + 1
 WHERE id = %s AND state IN ('active', 'paused')"""
_SWEEP = f"""
UPDATE outbox_delivery SET state = %s, ended_at = %s, reason = %s
 WHERE id IN (SELECT id FROM outbox_delivery
               WHERE receiver_id = %s AND state IN ('behind', 'due')
                 AND id <> ALL(%s::bigint[]) LIMIT {_AT_ONCE})"""


def switch_off(
    conn: psycopg.Connection[Any], receiver: Receiver, reason: str, now_ms: int, *, entity: str
) -> bool:
    """Switch a receiver off in the caller's transaction; false when it was off already.

    `entity` is the code of the receiver's. Says `receiver.switched_off` to the broker's other
    webhooks. The transaction must not be one that books: changes of receivers wait for bookings.
    """
    if not conn.execute(_OFF, (moment(now_ms), reason, receiver.id)).rowcount:
        return False
    audit.record(conn, DISPATCHER, "receiver.off", receiver.name, reason)
    data = {"entity": entity, "receiver": receiver.name, "reason": reason}
    if receiver.partner:
        data["partner"] = receiver.partner
    row = {
        "entity_id": receiver.entity_id, "type": SWITCHED_OFF, "key": f"{receiver.id}:{now_ms}",
        "subject": f"receiver:{receiver.name}", "at_ms": now_ms, "data": json.dumps(data),
    }  # fmt: skip
    say(conn, pl.DataFrame([row], schema=MESSAGES))
    db.wake(conn, CHANNEL)
    return True


def sweep(
    conn: psycopg.Connection[Any], receiver: Receiver, held: Collection[int], now_ms: int
) -> bool:
    """End what waits for a receiver who is off or removed, but for what is under way (`held`).

    Part of the dispatcher's transaction. Returns true when all has ended.
    """
    off = receiver.state == OFF
    state, reason = (DEAD, "the receiver is off") if off else (CANCELLED, "the receiver is removed")
    told = (state, moment(now_ms), reason, receiver.id, list(held))
    return not held and conn.execute(_SWEEP, told).rowcount < _AT_ONCE
