"""Send again: one delivery, those of a filter, or all dead letters of a receiver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pipshare import audit, db
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.outbox.fan_out import moment
from pipshare.outbox.say import CHANNEL
from pipshare.outbox.settle import release
from pipshare.outbox.values import CANCELLED, DEAD, DELIVERED, OFF, Receiver

AT_ONCE = 500  # deliveries of a request per transaction
_ENDED = (DEAD, DELIVERED, CANCELLED)
_FILTER = """
       d.receiver_id = %(receiver)s AND d.state = ANY(%(states)s::text[])
   AND (%(ids)s::bigint[] IS NULL OR d.id = ANY(%(ids)s::bigint[]))
   AND (%(since)s::bigint IS NULL
        OR d.ended_at >= timestamptz 'epoch' + %(since)s * interval '1 ms')
   AND (%(until)s::bigint IS NULL
        OR d.ended_at < timestamptz 'epoch' + %(until)s * interval '1 ms')
   AND (%(types)s::text[] IS NULL
        OR (SELECT type FROM outbox_message m WHERE m.id = d.message_id)
           = ANY(%(types)s::text[]))"""
_COUNT = f"SELECT count(*), max(id) FROM outbox_delivery d WHERE {_FILTER}"
_ASK = "INSERT INTO outbox_request (receiver_id, wanted, up_to, asked_by) VALUES (%s, %s, %s, %s)"
_ASKED = "SELECT id, receiver_id, wanted, up_to, done_to FROM outbox_request ORDER BY id LIMIT 1"
_AGAIN = f"""
UPDATE outbox_delivery u
   SET state = 'behind', tries = 0, ended_at = NULL, reason = '', not_before = %(now)s
  FROM (SELECT d.id FROM outbox_delivery d
         WHERE d.id > %(done_to)s AND d.id <= %(up_to)s AND {_FILTER}
         ORDER BY d.id LIMIT {AT_ONCE}) f
 WHERE u.id = f.id RETURNING u.id, u.subject"""


def replay(
    conn: psycopg.Connection[Any],
    receiver: Receiver,
    *,
    ids: Sequence[int] | None = None,
    types: Sequence[str] | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
    states: Sequence[str] = (DEAD,),
    by: str,
    reason: str = "",
) -> int:
    """Ask the dispatcher to send deliveries again, in order; return how many there are now.

    Without a filter these are all dead letters; `since_ms` and `until_ms` are of when they ended.
    They carry the ids that they had. Raises BadInput for a state that has not ended, Missing when
    nothing fits, Conflict when the receiver is off.
    """
    if not set(states) <= set(_ENDED):
        raise BadInput("not_ended", f"only what is {', '.join(_ENDED)} can be sent again")
    if receiver.state == OFF:
        raise Conflict("receiver_off", f"receiver {receiver.name} is off ({receiver.off_reason}):"
                       " resume it first (`pipshare receiver resume`), then replay")  # fmt: skip
    wanted = {
        "states": list(states), "ids": None if ids is None else list(ids),
        "types": None if types is None else list(types), "since": since_ms, "until": until_ms,
    }  # fmt: skip
    row = conn.execute(_COUNT, {"receiver": receiver.id, **wanted}).fetchone()
    assert row is not None
    if not row[0]:
        raise Missing("nothing_to_replay", f"receiver {receiver.name} has no such delivery that is"
                                           f" {' or '.join(states)}")  # fmt: skip
    conn.execute(_ASK, (receiver.id, Jsonb(wanted), row[1], by))
    audit.record(conn, by, "receiver.replay", receiver.name, reason,
                 {"deliveries": row[0], **wanted})  # fmt: skip
    db.wake(conn, CHANNEL)
    return int(row[0])


def work_off(conn: psycopg.Connection[Any], now_ms: int) -> int | None:
    """Make some of what was asked for due again, in the open transaction: the dispatcher's part.

    Returns the receiver to whom something is due now, None when nothing is asked.
    """
    asked = conn.execute(_ASKED).fetchone()
    if asked is None:
        return None
    number, receiver_id, wanted, up_to, done_to = asked
    told = {"receiver": receiver_id, "up_to": up_to, "done_to": done_to, "now": moment(now_ms),
            **wanted}  # fmt: skip
    rows = conn.execute(_AGAIN, told).fetchall()
    if rows:
        release(conn, [(receiver_id, subject) for _, subject in rows], now_ms)
    if len(rows) < AT_ONCE:
        conn.execute("DELETE FROM outbox_request WHERE id = %s", (number,))
    else:
        last = max(row[0] for row in rows)
        conn.execute("UPDATE outbox_request SET done_to = %s WHERE id = %s", (last, number))
    return int(receiver_id)
