"""What the dispatcher keeps in memory of each receiver; read anew when the receiver changes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from pipshare import db
from pipshare.errors import PipshareError
from pipshare.outbox.courier import Courier, Job, Post
from pipshare.outbox.match import Matcher, sends
from pipshare.outbox.receivers import receivers
from pipshare.outbox.schedule import Health
from pipshare.outbox.sealed import Secret, secrets_of
from pipshare.outbox.sign import Signer
from pipshare.outbox.values import ACTIVE, OFF, PAUSED, REMOVED, Receiver

NEVER = 1 << 62
HOLD, HOLD_LITTLE = 200, 8  # jobs of one receiver in memory; the second when there are many of all
_HEALTH = f"""
SELECT receiver_id, {db.ms("failing_since")}, fails, {db.ms("last_ok")}, error
  FROM outbox_health WHERE receiver_id = ANY(%s)"""
_VERSIONS = "SELECT id, version FROM outbox_receiver WHERE state <> 'removed'"
_log = logging.getLogger("pipshare.outbox")


@dataclass
class Shelf:
    """One receiver: its courier, what is held in memory, and from when on to look for more.

    `low_ms`: whatever is due before it is held. `hungry_ms`: nothing more is due before it.
    """

    receiver: Receiver
    courier: Courier
    health: Health
    held: set[int] = field(default_factory=set)
    low_ms: int = 0
    hungry_ms: int = 0

    def ready_ms(self) -> int:
        """Return the moment from which on there may be something to read."""
        if not sends(self.receiver):
            return NEVER
        return max(self.hungry_ms, self.courier.breaker.until_ms)

    def room(self, most: int) -> int:
        """Return how many jobs to read: none before half of those held are done."""
        if self.courier.breaker.probing:
            return 1 - len(self.held)
        return most - len(self.held) if len(self.held) * 2 <= most else 0

    def back(self, job: Job, now_ms: int) -> None:
        """Take a job back that was not tried."""
        self.held.discard(job.id)
        self.low_ms = min(self.low_ms, job.due_ms)
        self.hungry_ms = min(self.hungry_ms, now_ms)


class Shelves:
    """All receivers. `tell` calls a function in the event loop."""

    def __init__(self, post: Post, tell: Callable[..., Any]) -> None:
        self.post, self.tell = post, tell
        self.by_id: dict[int, Shelf] = {}
        self.matcher = Matcher([])
        self.ending: set[int] = set()  # off or removed, with deliveries that have not ended
        self._versions: dict[int, int] = {}

    def refresh(self, conn: psycopg.Connection[Any]) -> None:
        """Read anew the receivers that changed."""
        versions = dict(conn.execute(_VERSIONS).fetchall())
        if versions == self._versions:
            return
        changed = {key for key, value in versions.items() if self._versions.get(key) != value}
        gone = self._versions.keys() - versions.keys()
        now = {one.id: one for one in receivers(conn)}
        signers = _signers(conn, changed & now.keys())
        health = {row[0]: Health(*row[1:]) for row in conn.execute(_HEALTH, (list(changed),))}
        for key in changed & now.keys():
            one = now[key]
            if key not in signers:
                one = replace(one, state=PAUSED)  # its secrets cannot be opened: said in the log
            self._place(one, signers.get(key) or Signer([]), health.get(key) or Health())
        for key in gone & self.by_id.keys():
            shelf = self.by_id[key]
            self._place(replace(shelf.receiver, state=REMOVED), Signer([]), shelf.health)
        self._versions = {key: versions[key] for key in versions if key in now}
        self.matcher = Matcher(now.values())

    def _place(self, one: Receiver, signer: Signer, health: Health) -> None:
        shelf = self.by_id.get(one.id)
        if shelf is None:
            shelf = self.by_id[one.id] = Shelf(one, Courier(self.post, one, signer), health)
        else:
            shelf.receiver, shelf.health, shelf.hungry_ms = one, health, 0
            self.tell(shelf.courier.update, one, signer)
        if one.state in (OFF, REMOVED):
            self.ending.add(one.id)

    def doubt(self, receiver_id: int) -> None:
        """Read a receiver anew at the next refresh, whatever its version."""
        self._versions.pop(receiver_id, None)

    def stop(self, shelf: Shelf) -> None:
        """Send nothing more to one who is being switched off."""
        if shelf.receiver.state == ACTIVE:
            shelf.receiver = replace(shelf.receiver, state=PAUSED)
            self.tell(shelf.courier.update, shelf.receiver, shelf.courier.signer)


def _signers(conn: psycopg.Connection[Any], receiver_ids: set[int]) -> dict[int, Signer]:
    """Return who signs for each; absent whose secrets cannot be opened."""
    try:
        opened = secrets_of(conn, list(receiver_ids))
    except PipshareError:
        opened = {}
        for number in list(receiver_ids):
            try:
                opened[number] = secrets_of(conn, [number]).get(number, [])
            except PipshareError as error:
                _log.error("receiver %d rests: %s", number, error.message)
                receiver_ids = receiver_ids - {number}
    found: dict[int, list[Secret]] = opened
    return {number: Signer(found.get(number, [])) for number in receiver_ids}
