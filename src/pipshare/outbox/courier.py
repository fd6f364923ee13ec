"""Carries one receiver's messages: so many at a time, so many a minute, resting when he fails."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pipshare.errors import PipshareError
from pipshare.outbox.match import sends
from pipshare.outbox.receiver_settings import CONCURRENCY, TIMEOUT_S
from pipshare.outbox.schedule import (
    GONE,
    OK,
    PERMANENT,
    TEMPORARY,
    Breaker,
    Luck,
    Pace,
    next_try,
    outcome,
    retry_after,
)
from pipshare.outbox.sealed import check_header
from pipshare.outbox.send import Answer, Line, Way
from pipshare.outbox.sign import Signer
from pipshare.outbox.values import (
    DEAD,
    DELIVERED,
    DUE,
    REQUEST,
    WEBHOOK,
    Attempt,
    Build,
    Heard,
    Message,
    Read,
    Receiver,
    Request,
)

_KEPT = 4 * 1024  # characters of a body and of an answer that an attempt keeps
_URL_KEPT = 2 * 1024
_NOTHING = Heard()
_log = logging.getLogger("pipshare.outbox")


@dataclass(frozen=True, slots=True)
class Job:
    """A delivery that is due, with its message."""

    id: int
    receiver_id: int
    message: Message
    seq: int
    attempts: int
    tries: int
    due_ms: int


@dataclass(frozen=True, slots=True)
class Done:
    """A job after an attempt: the row of the attempt, and what becomes of the delivery."""

    job: Job
    attempt: Attempt
    state: str  # delivered, dead, or due again
    next_ms: int
    ours: bool = False  # nothing was sent: the request could not be built
    gone: bool = False  # the receiver said that it is gone for good
    heard: Heard = _NOTHING  # what the answer to a request says


@dataclass(frozen=True)
class Post:
    """What all couriers share: how to build and send, by which numbers, and whom to tell."""

    way: Way
    build: Build
    pace: Pace
    luck: Luck
    now_ms: Callable[[], int]
    done: Callable[[Done], None]
    returned: Callable[[list[Job]], None]
    read: Read | None = None


class Courier:
    """Lives in the event loop; from elsewhere only `breaker` may be read."""

    def __init__(self, post: Post, receiver: Receiver, signer: Signer) -> None:
        self.post, self.receiver, self.signer = post, receiver, signer
        self.breaker = Breaker(post.pace)
        self.queue: deque[Job] = deque()
        self.idle: list[Line] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.busy = 0
        self.halted = False
        self._next_slot = 0.0

    def update(self, receiver: Receiver, signer: Signer) -> None:
        """Go on with other settings or another state. What waits here is given back on a pause."""
        self.receiver, self.signer = receiver, signer
        self.breaker.worked()  # what was changed may be what was wrong
        if not sends(receiver):
            self._give_back()

    def halt(self) -> None:
        """Begin nothing more; what is under way ends."""
        self.halted = True
        self._give_back()

    def take(self, jobs: list[Job]) -> None:
        """Send these, in order of their due moments."""
        self.queue.extend(jobs)
        if not self._may_send():
            self._give_back()
        most = int(self.receiver.settings.get("concurrency", CONCURRENCY))
        for _ in range(min(most - self.busy, len(self.queue))):
            self.busy += 1
            task = asyncio.get_running_loop().create_task(self._work())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def _may_send(self) -> bool:
        resting = self.breaker.until_ms > self.post.now_ms()
        return not self.halted and not resting and sends(self.receiver)

    def _give_back(self) -> None:
        if self.queue:
            self.post.returned(list(self.queue))
            self.queue.clear()

    async def _work(self) -> None:
        line = self.idle.pop() if self.idle else Line(self.post.way)
        try:
            while self.queue:
                await self._slot()
                if not self._may_send():
                    self._give_back()
                elif self.queue:
                    await self._carry(line, self.queue.popleft())
        finally:
            self.busy -= 1
            line.idle_since = time.monotonic()
            self.idle.append(line)

    async def _slot(self) -> None:
        """Wait for the receiver's rate limit."""
        per_minute = self.receiver.settings.get("per_minute")
        if per_minute:
            now = time.monotonic()
            at = max(now, self._next_slot)
            self._next_slot = at + 60 / int(per_minute)
            if at > now:
                await asyncio.sleep(at - now)

    async def _carry(self, line: Line, job: Job) -> None:
        """Make one attempt, and tell what became of it."""
        receiver, at_ms, began = self.receiver, self.post.now_ms(), time.perf_counter()
        try:
            request = self.post.build(receiver, job.message, job.seq)
            extra = list(request.headers)
            for name, value in extra:
                check_header(name, value)
            if receiver.kind == WEBHOOK:
                extra += self.signer.headers(job.message.id, request.body, at_ms)
        except Exception as error:
            if not isinstance(error, PipshareError):
                _log.exception("receiver %s: a request could not be built", receiver.name)
            said = str(error) or type(error).__name__
            row = _row(job, Request("", ""), [], at_ms, 0, Answer(), PERMANENT, said)
            self.post.done(Done(job, row, DEAD, at_ms, ours=True))
            return
        sent = [(name.encode("ascii"), value.encode("latin-1")) for name, value in extra]
        timeout_s = int(receiver.settings.get("timeout_s", TIMEOUT_S))
        answer = await line.send(request, sent + self.signer.own, timeout_s)
        lasted = int((time.perf_counter() - began) * 1000)
        now_ms = self.post.now_ms()
        asked_ms = retry_after(answer.retry_after, now_ms, self.post.pace)
        meant = answer.outcome if answer.status is None else outcome(answer.status)
        heard = self._heard(job, answer)
        if meant == OK and (heard.rejected or heard.wrong):
            meant = PERMANENT
        self._note(meant, answer, asked_ms, now_ms)
        tries, state, next_ms = job.tries + 1, DELIVERED if meant == OK else DEAD, now_ms
        if meant == TEMPORARY:
            again = next_try(tries, now_ms, asked_ms, self.post.luck(), self.post.pace)
            state, next_ms = (DEAD, now_ms) if again is None else (DUE, again)
        error_text = "" if meant == OK and not answer.error else _said(answer, heard)
        row = _row(job, request, extra, at_ms, lasted, answer, meant, error_text)
        gone = answer.status == GONE
        self.post.done(Done(job, row, state, next_ms, gone=gone, heard=heard))

    def _heard(self, job: Job, answer: Answer) -> Heard:
        """Return what the answer to a request says; of others nothing is read."""
        read = self.post.read
        if self.receiver.kind != REQUEST or answer.status is None or read is None:
            return _NOTHING
        try:
            return read(self.receiver, job.message, answer.status, answer.body)
        except Exception as error:
            if not isinstance(error, PipshareError):
                _log.exception("receiver %s: an answer could not be read", self.receiver.name)
            return Heard(wrong=f"the answer could not be read: {error}")

    def _note(self, meant: str, answer: Answer, asked_ms: int | None, now_ms: int) -> None:
        """Let the breaker know. Who answers is alive, unless he says himself that he is not."""
        if meant == TEMPORARY and answer.status != 429:
            self.breaker.failed(now_ms, self.post.luck())
        elif answer.status is not None:
            self.breaker.worked()
        if asked_ms and answer.status in (429, 503):
            self.breaker.asked_for(asked_ms, now_ms)

    async def close_idle(self, before: float) -> None:
        """Close connections that nobody has used since `before` (monotonic seconds)."""
        stale = [line for line in self.idle if line.idle_since < before]
        self.idle = [line for line in self.idle if line.idle_since >= before]
        for line in stale:
            await line.close()


def _row(
    job: Job,
    request: Request,
    headers: list[tuple[str, str]],
    at_ms: int,
    ms: int,
    answer: Answer,
    meant: str,
    error: str,
) -> Attempt:
    """Return the row of an attempt; bodies are cut, and secret headers were never in it."""
    return Attempt(
        job.id, job.attempts + 1, job.due_ms, at_ms, ms, request.method,
        _text(request.url[:_URL_KEPT]), json.dumps(dict(headers)), _cut(request.body),
        answer.status, _cut(answer.body), meant, _text(error[:_URL_KEPT]),
    )  # fmt: skip


def _said(answer: Answer, heard: Heard) -> str:
    """Return the error of an answer in words."""
    if heard.rejected or heard.wrong:
        return f"rejected: {heard.rejected}" if heard.rejected else heard.wrong
    if answer.status is None or answer.error:
        return answer.error
    if 300 <= answer.status < 400:
        return f"answered {answer.status}, a redirect, which is never followed: correct the URL"
    return f"answered {answer.status}"


def _cut(body: bytes) -> str:
    return _text(body[:_KEPT].decode("utf-8", "replace"))


def _text(value: str) -> str:
    """Return a text that PostgreSQL can keep."""
    return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
