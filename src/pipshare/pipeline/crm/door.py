"""Payloads through the door: who is let in, and what comes at the same time is stored together.

A door is remembered and has a stamp of all that decides who is let in and what a payload means;
where the stamp is another by the time of storing, nothing is stored and the request begins anew. So
a paused endpoint, a new secret or a published mapping holds from the very next request.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from pipshare import db, inbox
from pipshare.crm import CrmMapping, Verification, mapping_of, read_verification
from pipshare.errors import BadInput, PipshareError
from pipshare.inbox.endpoint_stamp import endpoint_stamp
from pipshare.inbox.endpoints import ACTIVE, WEBHOOK, Endpoint
from pipshare.inbox.payloads import REJECTED, NewPayload, StoredBefore
from pipshare.pipeline.crm.hook_settings import HookSettings, hook_settings
from pipshare.pipeline.crm.judge import Judgement, delivery_of, judge, packed

OTHER_CONTENT, NO_MAPPING, NO_ITEMS, PROBLEMS = (
    "other_content", "no_mapping", "no_items", "problems",
)  # fmt: skip
_MOST = 1_000  # doors that are remembered
Connect = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]


@dataclass(frozen=True)
class Door:
    """An endpoint with what a request needs of it. `mapping` None: none is published, or readable.

    `fault`: why the endpoint cannot let anybody in, in a sentence; "" = it can.
    """

    endpoint: Endpoint
    stamp: str
    settings: HookSettings = field(default_factory=HookSettings)
    verification: Verification | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    mapping: CrmMapping | None = None
    version: int = 0
    fault: str = ""

    @property
    def is_open(self) -> bool:
        """Tell whether senders are let in who prove themselves."""
        return self.endpoint.state == ACTIVE and not self.fault


@dataclass(frozen=True)
class Stored:
    """What became of an arrival: its number in the log, or the number of what it repeats.

    `is_stale`: nothing was stored, the endpoint was changed meanwhile.
    """

    id: str = ""
    is_repeat: bool = False
    is_stale: bool = False
    reason: str = ""


class Doors:
    """The doors that were met lately, of one database."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._where: db.Target | None = None
        self._doors: dict[str, Door] = {}
        self._turn = threading.Lock()

    def door(self, code: str) -> Door | None:
        """Return a webhook's door, None where there is no such endpoint. Raises as reading does."""
        if self._where == db.target() and (known := self._doors.get(code)) is not None:
            return known
        return self.anew(code)

    def anew(self, code: str) -> Door | None:
        """Read a door from the database; remember it."""
        with self._connect() as conn:
            found = _read(conn, code)
        with self._turn:
            if self._where != db.target() or len(self._doors) > _MOST:
                self._where, self._doors = db.target(), {}
            if found is not None and found.is_open:
                self._doors[code] = found
            else:  # one that opens again is to be seen at once
                self._doors.pop(code, None)
        return found


def arrival(
    door: Door, body: bytes, content_type: str, *, at_ms: int, delivery: str, sender: str,
    knows: Callable[[str], bool],
) -> tuple[NewPayload, Judgement | None]:  # fmt: skip
    """Return a proven payload as it is to be stored, with what it says; None without a mapping."""
    payload = NewPayload(door.endpoint.id, at_ms, body, content_type, delivery, sender,
                         stamp=door.stamp)  # fmt: skip
    if door.mapping is None:
        detail = "it is kept; no mapping says what it means: publish one, then replay it"
        return replace(payload, reason=NO_MAPPING, detail=detail), None
    found = judge(
        door.mapping, body, content_type, received_ms=at_ms, source=door.endpoint.code,
        delivery=delivery_of(payload.once, payload.id), entity=door.endpoint.entity, knows=knows,
    )  # fmt: skip
    problems = len(found.problems)
    told: dict[str, Any] = {"version": door.version, "items": len(found.items),
                            "problems": problems}  # fmt: skip
    if found.is_unread:
        told |= {"verdict": REJECTED, "reason": found.items[0].code}
    else:
        told["mapped"] = packed(found)
        if problems:
            detail = f"{problems} of {len(found.items)} items have a problem"
            told |= {"reason": PROBLEMS, "detail": detail}
        elif not found.items:
            told["reason"] = NO_ITEMS
    return replace(payload, **told), found


def take_payloads(
    conn: psycopg.Connection[Any], payloads: Sequence[NewPayload]
) -> list[Stored]:  # fmt: skip
    """Store payloads by one statement; tell of each, in order.

    The sender's id of a delivery with other content is no repeat: it is stored beside the other, as
    nothing may be lost, and events are known by ids of their own.
    """
    before = inbox.store_payloads(conn, payloads)
    other = {
        one.id: replace(one, delivery="", reason=OTHER_CONTENT, detail=(
            f"its delivery id was that of {found.id} before, which has other content"
        ))
        for one in payloads
        if (found := before.get(one.id)) is not None and not found.same and not found.is_stale
    }  # fmt: skip
    if other:
        again = inbox.store_payloads(conn, list(other.values()))
        before = {id_: found for id_, found in before.items() if id_ not in other} | again
    return [_stored(one, before.get(one.id), one.id in other) for one in payloads]


def _stored(one: NewPayload, before: StoredBefore | None, is_other: bool) -> Stored:
    if before is None or before.id == one.id:  # its own: a connection was lost
        return Stored(one.id, reason=OTHER_CONTENT if is_other else "")
    if before.is_stale:
        return Stored(is_stale=True)
    return Stored(before.id, is_repeat=True)


def _read(conn: psycopg.Connection[Any], code: str) -> Door | None:
    """Read a door; all of it as it is at one moment, as the connection has to see to."""
    one = next((each for each in inbox.endpoints(conn) if each.code == code), None)
    if one is None or one.kind != WEBHOOK:
        return None
    stamp = endpoint_stamp(conn, one.id)
    try:
        settings = hook_settings(one.settings)
        verification = read_verification(one.verify)
        secrets = tuple(inbox.endpoint_secrets(conn, one.id))
    except PipshareError as error:
        return Door(one, stamp, fault=error.message)
    made = Door(one, stamp, settings, verification, secrets)
    newest = inbox.published(conn, one.id)
    if newest is None:
        return made
    try:
        return replace(made, mapping=mapping_of(newest.mapping), version=newest.version)
    except BadInput:  # published by a version of pipshare that read other mappings
        return made
