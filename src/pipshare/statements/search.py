"""Find trades: by a number, by what they wait for, or back in time window by window.

The table of trades has no order by close, only summaries of page ranges (trades 0002). So a search
looks at windows of time, the newest first, each longer than the last, until a page is full or its
time is used up; then the page says how far back it looked, and the next goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare.statements.found import Found, Key, dressed
from pipshare.statements.looking import (
    STANDINGS,
    is_small,
    newest_ms,
    numbered,
    waiting_keys,
    window,
)

__all__ = ["STANDINGS", "After", "Asked", "Page", "search"]
PATIENCE_MS = 60  # after so long a page is shown as it is, with a way further back;
_LONGEST_MS = 400  # after so long even if there is next to nothing on it
_ENOUGH = 15  # trades that make a page worth showing
_HOUR_MS = 3_600_000
_NOBODY = -1  # server id of a place that no trade has: all that closed before it comes after
_GROWTH = 4  # each window is so many times as long as the one before
FOREVER_MS = 2**42


@dataclass(frozen=True)
class Asked:
    """What is looked for. Moments are UTC milliseconds, half-open; empty values ask for nothing.

    `number` is a ticket, a position or its opening deal; `symbol` the beginning of a printed name.
    `state`: closed, cancelled, revised; `standing`: one of STANDINGS, waiting, or unrated.
    """

    number: int | None = None
    login: int | None = None
    server_id: int | None = None
    symbol: str = ""
    state: str = ""
    standing: str = ""
    reason: str = ""
    from_ms: int | None = None
    to_ms: int | None = None

    @property
    def is_about_waiting(self) -> bool:
        """Whether trades are asked for by what they wait for: these come by ticket."""
        return self.standing == "waiting" or bool(self.reason)


@dataclass(frozen=True)
class After:
    """Where a page ended: close (UTC ms), server and ticket of the last row looked at."""

    close_ms: int = FOREVER_MS
    server_id: int = 2**31 - 1
    ticket: int = 2**63 - 1


@dataclass(frozen=True)
class Page:
    """Trades, and where the next page begins (None at the end).

    `looked_to_ms` is set when the page ended before it was full: all that closed since is in it.
    """

    trades: list[Found]
    after: After | None
    looked_to_ms: int | None = None


def search(
    conn: psycopg.Connection[Any],
    asked: Asked,
    after: After | None = None,
    *,
    scope: Sequence[int] | None = None,
    limit: int = 50,
    go_on: Callable[[int], bool] | None = None,
) -> Page:
    """Return a page of trades as they now stand, the newest close first.

    `scope` (partner ids; None = all) limits to trades with one of them in the chain, and amounts
    to theirs. `go_on` tells, by how many are found, whether to look further back; by default until
    patience ends.
    """
    start = after or After()
    if asked.number is not None:
        keys = numbered(conn, asked.number, asked.server_id)
        return Page(dressed(conn, keys, scope), None)
    if asked.is_about_waiting:
        place = (start.server_id, start.ticket)
        rows = waiting_keys(conn, asked, place, scope, limit + 1)
        more = After(start.close_ms, *rows[limit - 1][:2]) if len(rows) > limit else None
        return Page(dressed(conn, rows[:limit], scope), more)
    return _back_in_time(conn, asked, start, scope, limit, go_on or _patience())


def _patience() -> Callable[[int], bool]:
    began = time.monotonic_ns()

    def go_on(found: int) -> bool:
        limit = PATIENCE_MS if found >= _ENOUGH else _LONGEST_MS
        return time.monotonic_ns() - began < limit * 1_000_000

    return go_on


def _back_in_time(
    conn: psycopg.Connection[Any],
    asked: Asked,
    start: After,
    scope: Sequence[int] | None,
    limit: int,
    go_on: Callable[[int], bool],
) -> Page:
    """Look at windows of time until the page is full, the beginning reached, or patience ends."""
    lowest = asked.from_ms or 0
    upper = min(asked.to_ms or FOREVER_MS, start.close_ms + 1)
    place = (start.close_ms, start.server_id, start.ticket)
    size = _HOUR_MS
    lower = lowest
    if not is_small(conn):
        newest = newest_ms(conn)
        if start.server_id == _NOBODY:  # further back: in strides as long as the way so far
            size = max(size, newest - start.close_ms)
        lower = max(lowest, min(upper, newest + 1) - size)
    found: list[tuple[Key, int]] = []
    while True:
        room = limit + 1 - len(found)
        found += window(conn, asked, (lower, upper), place, scope, room)
        if len(found) > limit:
            keys = [key for key, _ in found[:limit]]
            (server, ticket, _), close_ms = found[limit - 1]
            return Page(dressed(conn, keys, scope), After(close_ms, server, ticket))
        keys = [key for key, _ in found]
        if lower <= lowest:
            return Page(dressed(conn, keys, scope), None)
        if not go_on(len(found)):
            return Page(dressed(conn, keys, scope), After(lower, _NOBODY, 0), lower)
        size *= _GROWTH
        upper, lower = lower, max(lowest, lower - size)
