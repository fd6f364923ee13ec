"""Receivers: set up, changed, paused, resumed, switched off, removed; each change is audited."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pipshare import audit, db
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.outbox.receiver_settings import check_settings
from pipshare.outbox.say import CHANNEL
from pipshare.outbox.values import (
    ACTIVE,
    KINDS,
    OFF,
    PAUSED,
    REMOVED,
    REQUEST,
    Receiver,
)

_LONGEST = 80  # characters of a name
_OFF_AT = db.ms("off_at")
_RECEIVERS = f"""
SELECT id, entity_id, partner_id, partner, kind, name, settings, state, {_OFF_AT}, off_reason,
       version
  FROM outbox_receiver WHERE state <> 'removed' ORDER BY name, id"""
_ADD = """
INSERT INTO outbox_receiver (entity_id, partner_id, partner, kind, name, settings, state,
                             created_by)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id"""
_CHANGE = """
UPDATE outbox_receiver SET settings = %s, version = version + 1 WHERE id = %s"""
_STATE = """
UPDATE outbox_receiver
   SET state = %(state)s, version = version + 1, off_reason = %(reason)s,
       off_at = CASE WHEN %(state)s = 'off' THEN clock_timestamp() END
 WHERE id = %(id)s AND state <> 'removed' AND state <> %(state)s"""
_AFRESH = "UPDATE outbox_health SET failing_since = NULL, fails = 0 WHERE receiver_id = %s"


def add(
    conn: psycopg.Connection[Any],
    entity_id: int,
    kind: str,
    name: str,
    settings: Mapping[str, Any],
    *,
    partner_id: int | None = None,
    partner: str = "",
    paused: bool = False,
    by: str,
) -> Receiver:
    """Set up a receiver in the caller's transaction; it is told what is said from then on.

    `partner` is the code of `partner_id`. Raises BadInput for settings that cannot be, Conflict for
    a name that is taken. A webhook's first secret is made by `rotate_secret`.
    """
    if kind not in KINDS:
        raise BadInput("bad_kind", f"{kind!r} is no kind of receiver: {', '.join(KINDS)}")
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST or not name.isprintable():
        raise BadInput("bad_name", f"{name[:100]!r} cannot name a receiver: 1 to {_LONGEST} signs")
    told = check_settings(settings)
    _check_events(kind, told)
    state = PAUSED if paused else ACTIVE
    row = conn.execute(
        _ADD, (entity_id, partner_id, partner, kind, name, Jsonb(told), state, by)
    ).fetchone()
    if row is None:
        raise Conflict("receiver_exists", f"there is a receiver {name!r} already: choose another"
                       " name, or remove that one")  # fmt: skip
    conn.execute("INSERT INTO outbox_health (receiver_id) VALUES (%s)", (row[0],))
    audit.record(conn, by, "receiver.added", name, detail={"kind": kind, "settings": told})
    db.wake(conn, CHANNEL)
    return Receiver(row[0], entity_id, partner_id, partner, kind, name, told, state)


def change(
    conn: psycopg.Connection[Any], receiver: Receiver, settings: Mapping[str, Any], *, by: str
) -> None:
    """Replace a receiver's settings in the caller's transaction. What is under way uses the old."""
    told = check_settings(settings)
    _check_events(receiver.kind, told)
    conn.execute(_CHANGE, (Jsonb(told), receiver.id))
    audit.record(conn, by, "receiver.changed", receiver.name,
                 detail={"before": receiver.settings, "after": told})  # fmt: skip
    db.wake(conn, CHANNEL)


def _check_events(kind: str, told: Mapping[str, Any]) -> None:
    if kind == REQUEST and not told.get("events"):
        raise BadInput("bad_receiver", "the receiver's events is empty: name the types that its"
                                       " requests are for, as ib.applied")  # fmt: skip


def pause(conn: psycopg.Connection[Any], receiver: Receiver, *, by: str, reason: str = "") -> None:
    """Send nothing until `resume`; what is said meanwhile is sent then, in order."""
    _set_state(conn, receiver, PAUSED, by, reason)


def resume(conn: psycopg.Connection[Any], receiver: Receiver, *, by: str, reason: str = "") -> None:
    """Send again, at once what was paused. Dead letters of one switched off wait for `replay`."""
    conn.execute(_AFRESH, (receiver.id,))
    _set_state(conn, receiver, ACTIVE, by, reason)


def off(conn: psycopg.Connection[Any], receiver: Receiver, *, by: str, reason: str) -> None:
    """Switch off: what waits and what is said in the next 30 days becomes dead letters."""
    _set_state(conn, receiver, OFF, by, reason)


def remove(conn: psycopg.Connection[Any], receiver: Receiver, *, by: str, reason: str = "") -> None:
    """Remove for good: what waits is cancelled, and nothing is collected any more."""
    _set_state(conn, receiver, REMOVED, by, reason)


def _set_state(
    conn: psycopg.Connection[Any], receiver: Receiver, state: str, by: str, reason: str
) -> None:
    told = {"state": state, "reason": reason, "id": receiver.id}
    if conn.execute(_STATE, told).rowcount:
        audit.record(conn, by, f"receiver.{state}", receiver.name, reason)
        db.wake(conn, CHANNEL)


def receivers(conn: psycopg.Connection[Any]) -> list[Receiver]:
    """Return all receivers that are not removed, by name."""
    return [Receiver(*row) for row in conn.execute(_RECEIVERS).fetchall()]


def receiver(conn: psycopg.Connection[Any], name: str, entity_id: int | None = None) -> Receiver:
    """Return one receiver by its name. Raises Missing; BadInput when several entities have it."""
    everyone = [one for one in receivers(conn) if entity_id in (None, one.entity_id)]
    found = [one for one in everyone if one.name.lower() == " ".join(name.split()).lower()]
    if len(found) > 1:
        raise BadInput("ambiguous", f"several entities have a receiver {name!r}: name the entity")
    if found:
        return found[0]
    names = [one.name for one in everyone]
    if not names:
        hint = "there is none: set one up with `pipshare receiver add`"
    elif close := get_close_matches(name, names, 1):
        hint = f"did you mean {close[0]!r}?"
    else:
        hint = f"there are: {', '.join(names[:20])}"
    raise Missing("unknown_receiver", f"there is no receiver {name!r} ({hint})")
