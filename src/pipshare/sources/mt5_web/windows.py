"""Spans of server time cut into windows whose answers stay below a limit.

The API has no paging over groups and names no limit of its own, so the size of an answer is kept
in hand by the time asked for: what a window brought tells how long the next one may be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from pipshare.errors import Unavailable
from pipshare.sources.mt5_web.errors import Overrun

FIRST_S = 600
GROWTH = 4
SLOW_HALVINGS = 3
ONE_SECOND = 16  # times the limit that a single second may have: it cannot be halved
T = TypeVar("T")
Window = tuple[int, int]


class Windows:
    """Consecutive windows over [from_s, to_s], both ends inclusive, of suiting length.

    `now_s` is the server's time: what is asked for beyond it (a margin, as clocks differ) holds
    nothing, so it goes with the window that reaches it. `length` is a first guess.
    """

    def __init__(self, from_s: int, to_s: int, target: int, now_s: int, length: int) -> None:
        self._next, self._to, self._target = from_s, to_s, target
        self._now = max(now_s, from_s)
        self._length = self.guess = length

    def __iter__(self) -> Iterator[Window]:
        while self._next <= self._to:
            end = self._next + self._length - 1
            if end >= min(self._now, self._to):
                end = self._to
            window = (self._next, end)
            self._next = end + 1
            yield window

    def learn(self, window: Window, size: int) -> None:
        """Take in what a window brought: `size` bytes. `guess` is for the next span."""
        seconds = max(1, min(window[1], self._now) - window[0] + 1)
        fits = max(1, seconds * self._target // max(1, size))
        self._length = min(fits, seconds * GROWTH)
        self.guess = min(fits, FIRST_S)


class Limits(NamedTuple):
    """How much to ask for: bytes of an answer, the server's time, halvings of slow windows."""

    size: int
    now_s: int
    slow: int = SLOW_HALVINGS


def attempt(window: Window, ask: Callable[[int, int, int], T], limits: Limits) -> T | None:
    """Ask for a window as `ask(from_s, to_s, size)`; None = it has to be asked for in halves.

    A server that runs out of time or answers partly is asked for halves `slow` times, then left
    alone. Raises Overrun when a single second is too large.
    """
    start, end = window
    try:
        return ask(start, end, limits.size if end > start else limits.size * ONE_SECOND)
    except Overrun:
        if end == start:
            raise
    except Unavailable as error:
        if end == start or not limits.slow or not getattr(error, "halve", False):
            raise
    return None


def whole(
    window: Window, first: T | None, ask: Callable[[int, int, int], T], limits: Limits
) -> Iterator[tuple[Window, T]]:
    """Yield the answers that make up a window: `first`, or as many halves as it takes.

    A half is asked for when the one before has been dealt with, so one answer is held at a time.
    """
    if first is not None:
        yield window, first
        return
    start, end = window
    middle = (start + min(end, max(limits.now_s, start))) // 2
    rest = limits._replace(slow=limits.slow - 1)
    for half in ((start, middle), (middle + 1, end)):
        yield from whole(half, attempt(half, ask, rest), ask, rest)
