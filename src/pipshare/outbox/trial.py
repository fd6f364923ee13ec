"""A test message to one receiver, whatever it wants: by the same way as all others."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

import psycopg

from pipshare import db
from pipshare.errors import Conflict
from pipshare.outbox.say import CHANNEL
from pipshare.outbox.values import ACTIVE, REQUEST, TEST, Receiver

_SAY = """
WITH said AS (
    INSERT INTO outbox_message (entity_id, type, key, subject, at, data, receiver_id)
    VALUES (%s, %s, %s, %s, clock_timestamp(), %s::jsonb, %s) RETURNING id)
INSERT INTO outbox_unsent (message_id) SELECT id FROM said RETURNING message_id"""


def send_test(conn: psycopg.Connection[Any], receiver: Receiver, data: Mapping[str, Any]) -> int:
    """Say a message of type `test` to this receiver alone, in the caller's transaction.

    Returns the message's id, by which `deliveries` finds what became of it. Raises Conflict when
    the receiver is paused or off, or of mapped requests: there a test would do something.
    """
    if receiver.kind == REQUEST:
        raise Conflict("no_test", f"receiver {receiver.name} is called in its own way, so that a"
                                  " test would make something there: look at its preview in the"
                                  " console, and send it something real")  # fmt: skip
    if receiver.state != ACTIVE:
        raise Conflict("not_active", f"receiver {receiver.name} is {receiver.state}: resume it"
                                     " first (`pipshare receiver resume`)")  # fmt: skip
    key = f"{receiver.id}:{time.time_ns()}:{secrets.token_hex(4)}"
    told = (receiver.entity_id, TEST, key, f"test:{key}", json.dumps(dict(data)), receiver.id)
    row = conn.execute(_SAY, told).fetchone()
    assert row is not None
    db.wake(conn, CHANNEL)
    return int(row[0])
