"""Submissions that come at the same time share a transaction, and each gets its own answer.

A commit waits for the disk and a booking has a fixed cost, so a hundred callers with a trade each
would queue for a hundred commits. Who comes while a batch is booked is in his server's next.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Condition, Thread

import psycopg

from pipshare import db
from pipshare.errors import PipshareError, Unavailable
from pipshare.pipeline.pushed import Outcome, Pushed, take_pushed
from pipshare.pipeline.run import Run

MOST_ROWS = 5_000  # in one transaction; callers behind it wait for the next
# Callers who were answered together mostly come again together: so long for them to arrive, at
# most, or the first of them would have a transaction of his own and the others wait for it.
GATHER_S = 0.02
_log = logging.getLogger("pipshare.desk")
Waiting = tuple[Pushed, "Future[list[Outcome]]"]


class Desk:
    """Takes submissions from any thread and books them in a thread of its own."""

    def __init__(self, connect: Callable[[], psycopg.Connection] = db.connect) -> None:
        self._connect = connect
        self._waiting: deque[Waiting] = deque()
        self._news = Condition()
        self._open = True
        self._last = 1  # submissions in the batch before
        self._run: Run | None = None
        self._thread = Thread(target=self._serve, name="pipshare-desk", daemon=True)
        self._thread.start()

    def submit(self, pushed: Pushed) -> list[Outcome]:
        """Book a submission, with others that came meanwhile; return when it is durable.

        Raises what the booking raised; then nothing of this submission is stored.
        """
        answer: Future[list[Outcome]] = Future()
        with self._news:
            if not self._open:
                raise Unavailable("closing", "the server is shutting down; send it again")
            self._waiting.append((pushed, answer))
            self._news.notify()
        return answer.result()

    def close(self) -> None:
        """Answer what was submitted, then end."""
        with self._news:
            self._open = False
            self._news.notify()
        self._thread.join()

    def _serve(self) -> None:
        while batch := self._next():
            self._answer(batch)
        self._drop()

    def _next(self) -> list[Waiting]:
        """Wait for submissions; take those of one server of which no two tell of the same trade.

        One server: its callers are on their way again while the next server's trades are booked.
        """
        with self._news:
            self._news.wait_for(lambda: self._waiting or not self._open)
            if self._last > 1:
                self._news.wait_for(
                    lambda: len(self._waiting) >= self._last or not self._open, GATHER_S
                )
            batch: list[Waiting] = []
            others: list[Waiting] = []
            seen: set[int] = set()
            while self._waiting:
                pushed, _ = one = self._waiting.popleft()
                if batch and pushed.door.server != batch[0][0].door.server:
                    others.append(one)
                    continue
                told = set(pushed.frame["ticket"].to_list())
                if batch and (len(seen) + len(told) > MOST_ROWS or told & seen):
                    self._waiting.appendleft(one)
                    break
                batch.append(one)
                seen |= told
            self._waiting.extendleft(reversed(others))  # they came before whoever is left
            self._last = len(batch)
            return batch

    def _answer(self, batch: Sequence[Waiting]) -> None:
        try:
            outcomes = take_pushed(self._ready(), [pushed for pushed, _ in batch])
        except BaseException as error:  # whatever it was, nobody may wait for ever
            self._drop()
            if len(batch) > 1 and not db.is_passing(error):
                for one in batch:  # one bad submission must not cost the others theirs
                    self._answer([one])
                return
            if not isinstance(error, PipshareError):
                _log.error("a pushed submission could not be booked", exc_info=error)
            for _, answer in batch:
                answer.set_exception(error)
            return
        for (_, answer), mine in zip(batch, outcomes, strict=True):
            answer.set_result(mine)

    def _ready(self) -> Run:
        if self._run is None:
            self._run = Run(self._connect(), lasting=True)
        return self._run

    def _drop(self) -> None:
        """Close the connection: what was not committed is undone, and nothing read is kept."""
        if self._run is not None:
            self._run.conn.close()
            self._run = None
