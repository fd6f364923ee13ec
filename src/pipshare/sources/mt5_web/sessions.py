"""Several sessions with one server: lent out one request at a time, signed in anew when lost.

A request that only reads is tried once more on a new connection when an old one turns out to be
dead: servers drop what was idle for 180 s, and a restart drops all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import LifoQueue

from pipshare.errors import PipshareError, Unavailable
from pipshare.sources.mt5_web import retcodes
from pipshare.sources.mt5_web.answer import Answer
from pipshare.sources.mt5_web.config import Config
from pipshare.sources.mt5_web.connection import Connection
from pipshare.sources.mt5_web.errors import Ambiguous
from pipshare.sources.mt5_web.lost import Forbidden, Lost, TimedOut
from pipshare.sources.mt5_web.outage import CONNECT, Outage

PING_S = 20
STALE_S = 150  # the server drops a session after 180 s without packets
FREQUENT_TRIES = 3


class Sessions:
    """The sessions of one client. Requests may come from several threads."""

    def __init__(self, config: Config, outage: Outage, sleep: Callable[[float], object]) -> None:
        self._config, self._outage, self._sleep = config, outage, sleep
        self._all = [Connection(config) for _ in range(config.connections)]
        self._free: LifoQueue[Connection] = LifoQueue()
        for one in reversed(self._all):
            self._free.put(one)
        self.last = self._all[0]  # the session that signed in last: version and certificate

    def open(self) -> None:
        """Sign one session in, unless one is."""
        self._outage.check()
        with self._lent() as one:
            if not one.is_open:
                self._sign_in(one)

    def close(self) -> None:
        """Sign out of all sessions that nobody is using; the others are dropped."""
        free = []
        while not self._free.empty():
            free.append(self._free.get())
        for one in free:
            one.quit()
            self._free.put(one)
        for one in self._all:
            if one not in free:
                one.close()

    def ping_if_due(self) -> None:
        """Ping sessions that were idle for 20 s. One that is gone is dropped without a word."""
        free = [self._free.get() for _ in range(self._free.qsize())]
        for one in free:
            try:
                if one.is_open and time.monotonic() - one.used_at >= PING_S:
                    one.ping()
            except PipshareError:
                one.close()
            finally:
                self._free.put(one)

    def ask(self, path: str, limit: int | None = None, /, **params: object) -> Answer:
        """Ask one reading command; retcodes "ok", "no data" and "not found" are answers.

        Raises what Connection and retcodes.fault say, and Overrun.
        """
        self._outage.check()
        for attempt in range(FREQUENT_TRIES):
            with self._lent() as one:
                answer = self._asked(one, path, limit, params)
            if answer.code != retcodes.TOO_FREQUENT or attempt == FREQUENT_TRIES - 1:
                break
            self._sleep(1.0 + attempt)
        error = retcodes.fault(answer.code, answer.text, path, self._config.login)
        if error is not None:
            raise error
        return answer

    def once(self, path: str, /, **params: object) -> Answer:
        """Ask a command that changes something: sent at most once.

        Raises Ambiguous when it was sent and no answer came; anything else means: not done.
        """
        self._outage.check()
        with self._lent() as one:
            for attempt in range(2):
                self._ready(one)
                try:
                    return one.get(path, **params)
                except Forbidden:  # refused before it was carried out
                    if attempt:
                        raise
                except Unavailable as error:
                    raise Ambiguous(
                        f"{path} was sent, and its answer was lost ({error.message}): it may or "
                        "may not have been carried out. Look for its comment among the deals "
                        "before anybody repeats it"
                    ) from error
        raise AssertionError

    def _asked(
        self, one: Connection, path: str, limit: int | None, params: dict[str, object]
    ) -> Answer:
        old = one.is_open and time.monotonic() - one.used_at < STALE_S
        if not old:
            self._sign_in(one)
        try:
            answer = one.get(path, limit, **params)
            if answer.code not in retcodes.SESSION or not old:
                return answer
        except (Forbidden, Lost) as error:
            if not old or isinstance(error, TimedOut):
                raise
        self._sign_in(one)
        return one.get(path, limit, **params)

    def _ready(self, one: Connection) -> None:
        """Have a session that has just answered, so that what is sent next does arrive."""
        if one.is_open:
            try:
                one.ping()
                return
            except PipshareError:
                one.close()
        self._sign_in(one)

    def _sign_in(self, one: Connection) -> None:
        try:
            one.open()
        except PipshareError as error:
            self._outage.failed(CONNECT, error)
            raise
        self._outage.works(CONNECT)
        self.last = one

    @contextmanager
    def _lent(self) -> Iterator[Connection]:
        one = self._free.get()
        try:
            yield one
        finally:
            self._free.put(one)
