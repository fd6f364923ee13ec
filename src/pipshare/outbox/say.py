"""Say something to the outside, in the fact's transaction: it is sent once that is committed."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare import db
from pipshare.outbox.values import MESSAGES

CHANNEL = "pipshare_outbox"  # waked when there is something to send, or receivers changed
_AT_ONCE = 20_000  # messages per statement
_SAY = """
WITH said AS (
    INSERT INTO outbox_message (entity_id, type, key, subject, at, data)
    SELECT entity_id, type, key, subject, timestamptz 'epoch' + at_ms * interval '1 ms', data
      FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::jsonb[])
           WITH ORDINALITY m (entity_id, type, key, subject, at_ms, data, place)
     ORDER BY place
    ON CONFLICT (type, key) DO NOTHING
    RETURNING id)
INSERT INTO outbox_unsent (message_id) SELECT id FROM said ORDER BY id"""


def say(conn: psycopg.Connection[Any], messages: pl.DataFrame) -> int:
    """Write messages (columns MESSAGES) in the caller's transaction; return how many were new.

    What was said before under the same type and key is not said again. Messages of one subject are
    delivered in the order of the rows. Receivers are found later, by the dispatcher; ask `wanted`
    first whether anybody listens.
    """
    new = 0
    for part in messages.select(*MESSAGES).iter_slices(_AT_ONCE):
        columns = [part[name].to_list() for name in MESSAGES]
        new += conn.execute(_SAY, columns).rowcount
    if new:
        db.wake(conn, CHANNEL)
    return new
