"""Sends the webhooks, each again and again until it is taken; badly on request."""

from __future__ import annotations

import base64
import http.client
import os
import threading
import time
from collections import deque
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from pipshare.sandbox.crm.faults import Fault
from pipshare.sandbox.crm.webhooks import Webhook, signed
from pipshare.sandbox.tracker.faults import Faults

PATIENCE_S = 10.0
HOLD_S = 5.0  # longest that messages are held back, to be sent the last first
WAITS_S = (0.5, 1, 2, 5, 10, 30, 30, 30, 60, 60)  # then it is given up
_KEPT, _SHOWN = 20_000, 500
WAITING, TAKEN, GIVEN_UP = "waiting", "taken", "given up"


@dataclass(eq=False)
class Sent:
    """A webhook and what became of it; `status` and `answer` are the last that came."""

    message: Webhook
    state: str = WAITING
    attempts: int = 0
    status: int = 0
    answer: str = ""
    due: float = 0.0
    fault: str = ""

    def told(self) -> dict[str, Any]:
        """Return it for the page."""
        message = asdict(self.message) | {"body": self.message.body.decode()}
        rest = {key: value for key, value in asdict(self).items() if key not in ("message", "due")}
        return message | rest


class Courier:
    """Sends in a thread until `stopping`. Where to may be said later; until then all waits."""

    def __init__(self, stopping: threading.Event) -> None:
        self.faults = Faults[Fault]()
        self._url, self._secret = "", ""
        self._stopping, self._lock = stopping, threading.Lock()
        self._waiting: list[Sent] = []
        self._all: deque[Sent] = deque(maxlen=_KEPT)
        self._held: list[Sent] = []
        self._hold, self._hold_until = 0, 0.0

    def send_to(self, url: str, secret: str) -> None:
        """Say where to. Raises ValueError for an address or a secret that is none."""
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError(f"{url!r} is no address of the web")
        signed(Webhook("x", "x", 0, b""), secret, 0)
        with self._lock:
            self._url, self._secret = url, secret
            for one in self._waiting:
                one.due = 0.0

    def add(self, message: Webhook) -> None:
        """Send a message as soon as it can be."""
        with self._lock:
            one = Sent(message)
            self._all.append(one)
            fault = self.faults.take(message.event)
            one.fault = fault.kind if fault else ""
            if one.fault == "shuffle" and fault:
                self._hold = int(fault.value or 5)
                self._hold_until = time.monotonic() + HOLD_S
            (self._held if self._hold else self._waiting).append(one)
            if one.fault == "duplicate":
                twin = Sent(message)
                self._all.append(twin)
                self._waiting.append(twin)
            if self._hold and len(self._held) >= self._hold:
                self._let_go()

    def again(self, name: str = "") -> int:
        """Send once more what was given up, or the message of that id, whatever became of it."""
        with self._lock:
            found = [one for one in self._all
                     if (one.message.id == name if name else one.state == GIVEN_UP)]  # fmt: skip
            for one in found:
                one.state, one.attempts, one.due = WAITING, 0, 0.0
                if one not in self._waiting:
                    self._waiting.append(one)
            return len(found)

    def newest(self, limit: int, state: str = "") -> list[dict[str, Any]]:
        """Return messages, newest first."""
        with self._lock:
            found = [one for one in reversed(self._all) if state in ("", one.state)]
            return [one.told() for one in found[:limit]]

    def counts(self) -> dict[str, int]:
        """Return how many messages are in which state."""
        with self._lock:
            states = [one.state for one in self._all]
        return {state: states.count(state) for state in (TAKEN, WAITING, GIVEN_UP)}

    def _let_go(self) -> None:
        """Send what is held back, the last first."""
        self._waiting += reversed(self._held)
        self._held, self._hold = [], 0

    def run(self) -> None:
        """Send until `stopping`."""
        while not self._stopping.is_set():
            with self._lock:
                now = time.monotonic()
                if self._hold and now > self._hold_until:
                    self._let_go()
                ready = [one for one in self._waiting if one.due <= now] if self._url else []
                if ready:
                    self._waiting.remove(ready[0])
            if ready:
                self._try(ready[0])
            else:
                self._stopping.wait(0.05)

    def _try(self, one: Sent) -> None:
        try:
            one.status, one.answer = self._post(one)
        except (OSError, http.client.HTTPException) as error:
            one.status, one.answer = 0, f"{type(error).__name__}: {error}"
        one.attempts += 1
        with self._lock:
            if 200 <= one.status < 300:
                one.state = TAKEN
            elif one.attempts > len(WAITS_S):
                one.state = GIVEN_UP
            else:
                one.due = time.monotonic() + WAITS_S[one.attempts - 1]
                self._waiting.append(one)

    def _post(self, one: Sent) -> tuple[int, str]:
        message, secret, body = one.message, self._secret, one.message.body
        now = int(time.time())
        if one.fault and not one.attempts:  # only the first time; then it is sent rightly
            if one.fault == "bad-signature":
                secret = base64.b64encode(os.urandom(24)).decode()
            elif one.fault == "stale":
                now -= 3_600
            elif one.fault == "cut":
                body = body[: len(body) // 2]
        headers = signed(message, secret, now)
        where = urlsplit(self._url)
        kind = (http.client.HTTPSConnection if where.scheme == "https"
                else http.client.HTTPConnection)  # fmt: skip
        path = (where.path or "/") + (f"?{where.query}" if where.query else "")
        with closing(kind(where.netloc, timeout=PATIENCE_S)) as wire:
            wire.request("POST", path, body, headers)
            answer = wire.getresponse()
            return answer.status, answer.read(1 << 16)[:_SHOWN].decode("utf-8", "replace")
