"""The one dispatcher: an event loop that sends, beside a thread that keeps the books."""

from __future__ import annotations

import asyncio
import random
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from psycopg import sql

from pipshare.outbox.books import Books, OnOff
from pipshare.outbox.courier import Done, Job, Post
from pipshare.outbox.egress import Network
from pipshare.outbox.network import Resolve, resolver
from pipshare.outbox.say import CHANNEL
from pipshare.outbox.schedule import PACE, Pace
from pipshare.outbox.send import Way
from pipshare.outbox.shelf import Shelves
from pipshare.outbox.values import Build, Read

GRACE_S = 5.0  # for requests under way when told to end; what is cut off then is sent again
_IDLE_S = 30.0  # a connection that nobody used for so long is closed
_LOOK_S = 0.1
_RESOLVERS = 64  # names looked up at the same time


class Dispatcher:
    """Sends what is due until told to end. Only for who holds the lease, on `conn`.

    `ears` is a connection of its own in autocommit mode, for wake-ups; both are the caller's.
    `read` says what answers to receivers of kind request mean. `allowed` are networks that the
    operator opened; `tls` says whom to trust, by default the machine's authorities.
    """

    def __init__(
        self,
        conn: psycopg.Connection[Any],
        ears: psycopg.Connection[Any],
        build: Build,
        on_off: OnOff,
        *,
        read: Read | None = None,
        allowed: Sequence[Network] = (),
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        pace: Pace = PACE,
        luck: Callable[[], float] = random.random,
    ) -> None:
        self.conn, self.ears, self.build, self.on_off = conn, ears, build, on_off
        self.read = read
        self.allowed, self.resolve, self.tls = tuple(allowed), resolve, tls
        self.pace, self.luck = pace, luck
        self.error: BaseException | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`. Raises what the database raised; the next one then goes on."""
        threads = ThreadPoolExecutor(_RESOLVERS, "outbox-resolve")
        try:
            asyncio.run(self._run(stop, self.resolve or resolver(threads)))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
        if self.error is not None:
            raise self.error

    async def _run(self, stop: threading.Event, resolve: Resolve) -> None:
        loop = asyncio.get_running_loop()
        post = Post(
            Way(resolve, self.allowed, self.tls), self.build, self.pace, self.luck,
            lambda: int(time.time() * 1000), self._done, self._returned, self.read,
        )  # fmt: skip
        self.shelves = Shelves(post, loop.call_soon_threadsafe)
        self.books = Books(
            self.conn, self.shelves,
            lambda jobs: loop.call_soon_threadsafe(self._hand_out, jobs), self.on_off,
        )  # fmt: skip
        self.ears.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
        heard = self.ears.fileno()
        loop.add_reader(heard, self._hear)
        keeper = threading.Thread(target=self._keep, name="outbox-books", daemon=True)
        keeper.start()
        try:
            while not stop.is_set() and keeper.is_alive():
                await asyncio.sleep(_LOOK_S)
                await self._tidy()
            await self._end()
        finally:
            loop.remove_reader(heard)
            self.books.closing = True
            self.books.bell.set()
            await loop.run_in_executor(None, keeper.join)

    def _keep(self) -> None:
        try:
            self.books.run()
        except BaseException as error:
            self.error = error

    def _done(self, done: Done) -> None:
        self.books.done.append(done)
        if not self.books.bell.is_set():
            self.books.bell.set()

    def _returned(self, jobs: list[Job]) -> None:
        self.books.returned.append(jobs)
        self.books.bell.set()

    def _hand_out(self, jobs: dict[int, list[Job]]) -> None:
        for receiver_id, found in jobs.items():
            self.shelves.by_id[receiver_id].courier.take(found)

    def _hear(self) -> None:
        """Somebody said something, or changed a receiver; or the database has gone."""
        try:
            self.ears.pgconn.consume_input()
            while self.ears.pgconn.notifies() is not None:
                pass
        except psycopg.OperationalError as error:
            asyncio.get_running_loop().remove_reader(self.ears.fileno())
            self.error = self.error or error
            self.books.closing = True
        self.books.knocked.set()
        self.books.bell.set()

    async def _tidy(self) -> None:
        before = time.monotonic() - _IDLE_S
        for shelf in list(self.shelves.by_id.values()):
            if shelf.courier.idle and shelf.courier.idle[0].idle_since < before:
                await shelf.courier.close_idle(before)

    async def _end(self) -> None:
        """Let requests under way end, for a while; then cut them off and close everything."""
        couriers = [shelf.courier for shelf in list(self.shelves.by_id.values())]
        for one in couriers:
            one.halt()
        tasks = {task for one in couriers for task in one.tasks}
        if tasks:
            _, cut = await asyncio.wait(tasks, timeout=0 if self.error else GRACE_S)
            for task in cut:
                task.cancel()
            await asyncio.gather(*cut, return_exceptions=True)
        for one in couriers:
            await one.close_idle(float("inf"))
