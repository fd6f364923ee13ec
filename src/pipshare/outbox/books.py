"""The dispatcher's books: one thread, one transaction a turn, many results in each."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from pipshare.outbox import fetch
from pipshare.outbox.courier import Done, Job
from pipshare.outbox.fan_out import AT_ONCE, fan_out
from pipshare.outbox.replay import work_off
from pipshare.outbox.schedule import OK, Health
from pipshare.outbox.settle import settle, store_health
from pipshare.outbox.shelf import HOLD, HOLD_LITTLE, NEVER, Shelf, Shelves
from pipshare.outbox.switch_off import sweep
from pipshare.outbox.values import DUE, WEBHOOK, Receiver

TURN_S = 0.02  # the least from one turn to the next, so that results share a commit
POLL_S = 1.0  # a wake-up may be lost: looked without one, too
MANY = 10_000  # jobs in memory, from which on each receiver holds few
_MOST = 5_000  # results of one turn
OnOff = Callable[[Receiver, str, int], None]  # (receiver, reason, now): in a transaction of its own
_log = logging.getLogger("pipshare.outbox")


class Books:
    """Writes results, hands out what was said, and reads what is due, turn by turn."""

    def __init__(
        self,
        conn: psycopg.Connection[Any],
        shelves: Shelves,
        hand_out: Callable[[dict[int, list[Job]]], object],
        on_off: OnOff,
    ) -> None:
        self.conn, self.shelves, self.hand_out, self.on_off = conn, shelves, hand_out, on_off
        self.done: deque[Done] = deque()
        self.returned: deque[list[Job]] = deque()
        self.bell, self.knocked = threading.Event(), threading.Event()
        self.knocked.set()
        self.closing = False
        self.aside = ThreadPoolExecutor(1, "outbox-off")
        self._looked = self._last_ms = 0
        self._busy = False  # more was said, or asked for, than one turn takes

    def run(self) -> None:
        """Take turns until `closing` and everything is written."""
        wake_ms = 0
        while True:
            wait_s = (wake_ms - self.now_ms()) / 1000
            self.bell.wait(min(POLL_S, max(0.0, wait_s)))
            began = time.monotonic()
            self.bell.clear()
            closing = self.closing
            wake_ms = self.turn()
            if closing and not self.done:
                break
            time.sleep(max(0.0, TURN_S - (time.monotonic() - began)))
        self.aside.shutdown(wait=True)

    def now_ms(self) -> int:
        """Return the moment; it never goes back, whatever happens to the machine's clock."""
        self._last_ms = max(self._last_ms, self.shelves.post.now_ms())
        return self._last_ms

    def turn(self) -> int:
        """Do what there is to do in one transaction; return when (UTC ms) to come again at last."""
        now = self.now_ms()
        look = self.knocked.is_set() or now - self._looked >= POLL_S * 1000 or self._busy
        if look:
            self.knocked.clear()
            self._looked = now
            self.shelves.refresh(self.conn)
        self._take_back(now)
        due = self._settle(now)
        if look:
            due |= self._look(now)
        for receiver_id in due & self.shelves.by_id.keys():
            shelf = self.shelves.by_id[receiver_id]
            shelf.hungry_ms = min(shelf.hungry_ms, now)
        jobs = {} if self.closing else self._fetch(now)
        self.conn.commit()
        if jobs:
            self.hand_out(jobs)
        return now if self._busy else self._next()

    def _take_back(self, now: int) -> None:
        while self.returned:
            for job in self.returned.popleft():
                self.shelves.by_id[job.receiver_id].back(job, now)

    def _settle(self, now: int) -> set[int]:
        """Write what became of deliveries, and how receivers fare by it."""
        done = [self.done.popleft() for _ in range(min(len(self.done), _MOST))]
        if not done:
            return set()
        due = settle(self.conn, done, now)
        fares: dict[int, Health] = {}
        for one in done:
            shelf = self.shelves.by_id[one.job.receiver_id]
            shelf.held.discard(one.job.id)
            if one.state == DUE:
                shelf.hungry_ms = min(shelf.hungry_ms, one.next_ms)
            if not one.ours and not one.heard.rejected and self._fares(shelf, one, now):
                fares[shelf.receiver.id] = shelf.health
                shelf.health.noted_ms = now
        if fares:
            store_health(self.conn, fares)
        return due

    def _fares(self, shelf: Shelf, one: Done, now: int) -> bool:
        """Note how a receiver fares; true when that is to be stored. May have to switch him off."""
        if one.attempt.outcome == OK:
            return shelf.health.worked(now)
        gone = one.gone and shelf.receiver.kind == WEBHOOK
        long = shelf.health.failed(now, one.attempt.error, self.shelves.post.pace)
        if gone:
            self._switch_off(shelf, "it answered 410 Gone: it wants no more webhooks", now)
        elif long:
            at = time.gmtime((shelf.health.failing_since_ms or now) / 1000)
            since = time.strftime("%Y-%m-%d %H:%M", at)
            self._switch_off(
                shelf,
                f"every attempt since {since} UTC failed, the last: {one.attempt.error}",
                now,
            )
        return True

    def _switch_off(self, shelf: Shelf, reason: str, now: int) -> None:
        """Switch a receiver off by a transaction of its own: it waits for bookings, we do not."""
        before = shelf.receiver
        self.shelves.stop(shelf)
        if shelf.receiver is not before:
            self.aside.submit(self._off, before, reason, now)

    def _off(self, receiver: Receiver, reason: str, now: int) -> None:
        try:
            self.on_off(receiver, reason, now)
        except Exception:
            _log.exception("receiver %s cannot be switched off now", receiver.name)
            self.shelves.doubt(receiver.id)

    def _look(self, now: int) -> set[int]:
        """Hand out what was said, what is to be sent again, and end what is of no use any more."""
        said, due = fan_out(self.conn, self.shelves.matcher, now)
        again = work_off(self.conn, now)
        if again is not None:
            due.add(again)
        self._busy = said == AT_ONCE or again is not None
        for receiver_id in list(self.shelves.ending):
            shelf = self.shelves.by_id[receiver_id]
            if sweep(self.conn, shelf.receiver, shelf.held, now):
                self.shelves.ending.discard(receiver_id)
        return due

    def _fetch(self, now: int) -> dict[int, list[Job]]:
        """Read what is due to whoever has room for it."""
        shelves = self.shelves.by_id
        ready = [shelf for shelf in shelves.values() if shelf.ready_ms() <= now]
        most = HOLD if sum(len(shelf.held) for shelf in ready) < MANY else HOLD_LITTLE
        asks = {
            shelf.receiver.id: fetch.Ask(shelf.receiver.id, room, shelf.low_ms)
            for shelf in ready if (room := shelf.room(most)) > 0
        }  # fmt: skip
        if not asks:
            return {}
        held = [number for key in asks for number in shelves[key].held]
        found: dict[int, list[Job]] = {}
        for job in fetch.due(self.conn, asks.values(), held, now):
            found.setdefault(job.receiver_id, []).append(job)
        empty = [key for key, ask in asks.items() if len(found.get(key, ())) < ask.room]
        later = fetch.later(self.conn, empty, now) if empty else {}
        for key in asks:
            shelf = shelves[key]
            jobs = found.get(key, [])
            shelf.held.update(job.id for job in jobs)
            if len(jobs) == asks[key].room:
                shelf.low_ms, shelf.hungry_ms = jobs[-1].due_ms, now
            else:
                shelf.low_ms, shelf.hungry_ms = now, later.get(key, NEVER)
        return found

    def _next(self) -> int:
        """Return when something is due next to somebody who has room for it."""
        return min(
            (shelf.ready_ms() for shelf in self.shelves.by_id.values() if shelf.room(HOLD) > 0),
            default=NEVER,
        )
