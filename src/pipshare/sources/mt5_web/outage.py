"""When a server fails: leave it alone for a while, longer each time, and tell it once.

A production server is known to answer 403 for hours, and to be down for minutes every week; a
client that asks each second is then part of the trouble.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from threading import Lock

from pipshare.errors import PipshareError

FIRST_S = 1.0
MOST_S = 120.0
SPREAD = 0.2  # of the pause, either way: many clients must not come back together
CONNECT = "connect"


class Outage:
    """Whether a server fails at present. May be used from several threads.

    `failed` and `works` name what was tried: an outage ends when the same thing works again, so
    that one command that fails between others that work is one outage and not many.
    """

    def __init__(self, where: str, log: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._where, self._log, self._clock = where, log, clock
        self._lock = Lock()
        self._what: str | None = None
        self._error: PipshareError | None = None
        self._since = self._not_before = 0.0
        self._fails = 0

    def wait_s(self) -> float:
        """Seconds until another attempt makes sense; 0 when the server works."""
        with self._lock:
            left = self._not_before - self._clock() if self._error else 0.0
            return min(max(0.0, left), MOST_S * (1 + SPREAD))  # our clock may have been set

    def check(self) -> None:
        """Raise the error of the last attempt while the server is left alone."""
        if self.wait_s() > 0 and self._error is not None:
            raise self._error.with_traceback(None)

    def failed(self, what: str, error: PipshareError) -> None:
        """Note an attempt that failed: the first of an outage is logged. Told twice, it is one."""
        with self._lock:
            if error is self._error:
                return
            now = self._clock()
            first = self._error is None
            if first:
                self._since, self._fails = now, 0
            self._what, self._error = what, error
            pause = min(FIRST_S * 2 ** min(self._fails, 20), MOST_S)
            self._fails += 1
            self._not_before = now + pause * random.uniform(1 - SPREAD, 1 + SPREAD)
        if first:
            self._log(f"MT5 server {self._where} fails: {error.message}")

    def works(self, what: str) -> None:
        """Note that something worked: an outage of that very thing ends, and is logged."""
        with self._lock:
            if self._error is None or self._what != what:
                return
            lasted, fails = max(0, round(self._clock() - self._since)), self._fails
            self._what = self._error = None
        self._log(
            f"MT5 server {self._where} works again after {lasted} s ({fails} failed attempts)"
        )
