"""Group commit: who comes while a transaction commits is in the next one, with all the others.

A commit waits for the disk, so a hundred callers with a row each would queue for a hundred of them.
Here each waits for one, and has his answer only when what he brought is durable.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

import psycopg

from pipshare.db import connection
from pipshare.errors import PipshareError, Unavailable

MOST = 500  # in one transaction; callers behind it wait for the next
_LIMITS: dict[str, Any] = {"statement_timeout": "20s", "lock_timeout": "10s"}
_log = logging.getLogger("pipshare.gather")
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Gather(Generic[Item, Answer]):
    """Takes items from any thread and stores them in a thread and a connection of its own.

    `take(conn, items)` stores items, in their order, and returns an answer for each; it neither
    commits nor rolls back. When it fails for several together it is called again for each alone:
    one bad item does not cost the others theirs. After a lost connection, too, it is called again
    with what was rolled back: it must keep nothing elsewhere than in the database.

    The thread starts with the first item, in each process of a server that forks; the connection
    follows db.target().
    """

    def __init__(
        self,
        take: Callable[[psycopg.Connection[Any], Sequence[Item]], Sequence[Answer]],
        *,
        name: str = "pipshare-gather",
        most: int = MOST,
    ) -> None:
        self._take, self._name, self._most = take, name, most
        self._conn: psycopg.Connection[Any] | None = None
        self._where: connection.Target | None = None
        self._thread: Thread | None = None
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def submit(self, item: Item) -> Answer:
        """Store an item, with others that came meanwhile; return its answer when it is durable.

        Raises what `take` raised for it, Unavailable when the database does not answer: then it
        is not stored, or nobody can tell (the connection was lost in the commit).
        """
        answer: Future[Answer] = Future()
        with self._news:
            if not self._open:
                raise Unavailable("closing", "the server is shutting down; send it again")
            if self._thread is None:
                self._thread = Thread(target=self._serve, name=self._name, daemon=True)
                self._thread.start()
            self._waiting.append((item, answer))
            self._news.notify()
        return answer.result()

    def close(self) -> None:
        """Answer what was submitted, then end; submit raises from now on."""
        with self._news:
            self._open = False
            self._news.notify()
        if self._thread is not None:
            self._thread.join()

    def _begin(self) -> None:
        """Begin in this process: a fork has neither its parent's thread nor its connection."""
        self._waiting: deque[tuple[Item, Future[Answer]]] = deque()
        self._news = Condition()
        self._open = True
        self._thread = None
        self._conn = None  # psycopg leaves the socket alone: it is the parent's

    def _serve(self) -> None:
        while batch := self._next():
            self._answer(batch)
        self._drop()

    def _next(self) -> list[tuple[Item, Future[Answer]]]:
        with self._news:
            self._news.wait_for(lambda: self._waiting or not self._open)
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]

    def _answer(self, batch: Sequence[tuple[Item, Future[Answer]]]) -> None:
        try:
            answers = self._stored([item for item, _ in batch])
        except BaseException as error:  # whatever it was, nobody may wait for ever
            self._undo()
            if len(batch) > 1 and not isinstance(error, psycopg.OperationalError | Unavailable):
                for one in batch:
                    self._answer([one])
                return
            if not isinstance(error, PipshareError):
                _log.error("%s could not store what was sent", self._name, exc_info=error)
            for _, future in batch:
                future.set_exception(_told(error))
            return
        for (_, future), mine in zip(batch, answers, strict=True):
            future.set_result(mine)

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
        assert self._conn is not None
        self._conn.commit()
        return answers

    def _ready(self) -> psycopg.Connection[Any]:
        if self._conn is None or self._conn.closed or self._where != connection.target():
            self._drop()
            self._where = connection.target()
            self._conn = connection.connect("app", **_LIMITS)
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
