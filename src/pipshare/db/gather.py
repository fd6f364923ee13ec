"""Group commit: who comes while a transaction commits is in the next one, with all the others.

A commit waits for the disk, so a hundred callers with a row each would queue for a hundred of them.
Here each waits for one or two, and has his answer only when what he brought is durable. There is no
thread of its own: whoever finds nobody at it stores what has come so far, for all of them.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, Lock
from typing import Any, Generic, TypeVar

import psycopg

from pipshare.db import connection
from pipshare.db.faults import is_passing
from pipshare.errors import PipshareError, Unavailable

MOST = 500  # in one transaction; callers behind it wait for the next
# Who was answered together mostly comes again together: so long for as many to arrive, at most.
GATHER_S = 0.001
_LIMITS: dict[str, Any] = {"statement_timeout": "20s", "lock_timeout": "10s"}
_log = logging.getLogger("pipshare.gather")
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class _Waiting(Generic[Item, Answer]):
    """A caller with his item, held at his lock until it is stored or his turn to store comes."""

    __slots__ = ("answer", "error", "is_done", "item", "lock")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.answer: Answer | None = None
        self.error: BaseException | None = None
        self.is_done = False
        self.lock = Lock()
        self.lock.acquire()


class Gather(Generic[Item, Answer]):
    """Stores items from any thread, those that come together in one transaction.

    `take(conn, items)` stores items, in their order, and returns an answer for each; it neither
    commits nor rolls back. When it fails for several together it is called again for each alone:
    one bad item does not cost the others theirs. After a lost connection, too, it is called again
    with what was rolled back: it must keep nothing elsewhere than in the database.

    `one_statement`: take stores by a single statement, which is its own transaction (autocommit);
    a repeat of it must change nothing, as a connection may be lost behind it.

    The connection follows db.target(); a process that is forked has one of its own.
    """

    def __init__(
        self,
        take: Callable[[psycopg.Connection[Any], Sequence[Item]], Sequence[Answer]],
        *,
        name: str = "pipshare-gather",
        most: int = MOST,
        one_statement: bool = False,
    ) -> None:
        self._take, self._name, self._most = take, name, most
        self._autocommit = one_statement
        self._is_open, self._is_busy = True, False
        self._conn: psycopg.Connection[Any] | None = None
        self._where: connection.Target | None = None
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def submit(self, item: Item) -> Answer:
        """Store an item, with others that came meanwhile; return its answer when it is durable.

        Raises what `take` raised for it, Unavailable when the database does not answer: then it
        is not stored, or nobody can tell (the connection was lost in the commit).
        """
        mine: _Waiting[Item, Answer] = _Waiting(item)
        with self._turn:
            if not self._is_open:
                raise Unavailable("closing", "the server is shutting down; send it again")
            self._waiting.append(mine)
            if len(self._waiting) == self._wanted:
                self._full.notify()
            must_wait, self._is_busy = self._is_busy, True
        if must_wait:
            mine.lock.acquire()
        if not mine.is_done:
            self._lead()
        if mine.error is not None:
            raise mine.error
        return mine.answer  # type: ignore[return-value]

    def close(self) -> None:
        """Take no more, and close the connection once what was submitted is answered."""
        with self._turn:
            self._is_open = False
            if not self._is_busy:
                self._drop()

    def _begin(self) -> None:
        """Begin in this process: a fork has neither its parent's callers nor its connection."""
        self._waiting: deque[_Waiting[Item, Answer]] = deque()
        self._turn = Lock()
        self._full = Condition(self._turn)
        self._last, self._wanted = 1, 0  # callers of the batch before; for how many one waits
        self._is_busy = False
        self._conn = None  # psycopg leaves the socket alone: it is the parent's

    def _lead(self) -> None:
        """Store what has come, this caller's item first; then hand the turn to who came since."""
        with self._turn:
            if len(self._waiting) < self._last:
                self._wanted = self._last
                self._full.wait(GATHER_S)
                self._wanted = 0
            self._last = count = min(len(self._waiting), self._most)
            batch = [self._waiting.popleft() for _ in range(count)]
        try:
            self._answer(batch)
        finally:
            with self._turn:
                if self._waiting:
                    self._waiting[0].lock.release()
                else:
                    self._is_busy = False
                    if not self._is_open:
                        self._drop()
            for one in batch[1:]:
                one.is_done = True
                one.lock.release()

    def _answer(self, batch: Sequence[_Waiting[Item, Answer]]) -> None:
        try:
            answers = self._stored([one.item for one in batch])
        except BaseException as error:  # whatever it was, nobody may wait for ever
            self._undo()
            if len(batch) > 1 and not (is_passing(error) or isinstance(error, Unavailable)):
                for one in batch:
                    self._answer([one])
                return
            if not isinstance(error, PipshareError):
                _log.error("%s could not store what was sent", self._name, exc_info=error)
            for one in batch:
                one.error = _told(error)
            return
        for one, answer in zip(batch, answers, strict=True):
            one.answer = answer

    def _stored(self, items: list[Item]) -> Sequence[Answer]:
        """Store items in one transaction; return the answers once it is committed."""
        try:
            answers = self._take(self._ready(), items)
        except psycopg.OperationalError:
            if self._conn is None or not self._conn.broken:
                raise
            answers = self._take(self._ready(), items)  # the database was restarted, perhaps
        if len(answers) != len(items):
            raise ValueError(f"{self._name}: {len(answers)} answers to {len(items)} items")
        if not self._autocommit:
            assert self._conn is not None
            self._conn.commit()
        return answers

    def _ready(self) -> psycopg.Connection[Any]:
        if self._conn is None or self._conn.closed or self._where != connection.target():
            self._drop()
            self._where = connection.target()
            self._conn = connection.connect("app", autocommit=self._autocommit, **_LIMITS)
        return self._conn

    def _undo(self) -> None:
        """Roll back; a connection that does not even do that is closed."""
        try:
            if self._conn is not None:
                self._conn.rollback()
        except psycopg.Error:
            self._drop()

    def _drop(self) -> None:
        """Close the connection: what was not committed is undone."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None


def _told(error: BaseException) -> BaseException:
    """Return what a caller is told of an error: an exception of his own, where it is raised."""
    if isinstance(error, psycopg.OperationalError | Unavailable):
        return Unavailable("no_database", "the database does not answer; send it again")
    return error
