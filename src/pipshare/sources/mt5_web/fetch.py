"""Deals of a span of server time: windows fetched a few ahead, handed on one by one in order.

The threads only fetch; cutting, skipping and converting happen in the caller's thread, while the
next windows are on their way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import polars as pl

from pipshare.sources.mt5_web import parse
from pipshare.sources.mt5_web.answer import Answer
from pipshare.sources.mt5_web.config import MIB
from pipshare.sources.mt5_web.errors import Garbled, Overrun, Stuck
from pipshare.sources.mt5_web.values import DealsAnswer, Known
from pipshare.sources.mt5_web.windows import (
    FIRST_S,
    ONE_SECOND,
    Limits,
    Window,
    Windows,
    attempt,
    whole,
)

# Asks for one window: (from_s, to_s, most bytes) -> the answer, whole.
Ask = Callable[[int, int, int], Answer]


class Fetch:
    """Fetches windows; `ahead` = how many at once. What one span taught serves for the next."""

    def __init__(self, size: int, ahead: int) -> None:
        self._size, self._ahead = size, ahead
        self._guess = FIRST_S
        self._pool: ThreadPoolExecutor | None = None

    def close(self) -> None:
        """End the threads, without waiting for answers that nobody wants any more."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def deals(
        self, ask: Ask, span: Window, now_s: int | None, known: Known | None, few: bool = False
    ) -> Iterator[DealsAnswer]:
        """Yield the answers of consecutive windows that make up `span`; now_s: server time.

        `few` asks for the whole span first: some accounts have few deals in years.
        """
        limits = Limits(self._size, span[1] if now_s is None else now_s)
        length = span[1] - span[0] + 1 if few else self._guess
        plan = Windows(*span, self._size // 2, limits.now_s, length)
        for window, first in self._firsts(ask, plan, span, limits):
            try:
                for part, answer in whole(window, first, ask, limits):
                    plan.learn(part, len(answer.body))
                    told = parse.deals(answer, *part, known)
                    check_window(told, answer.where)
                    yield told
            except Overrun:
                raise self._too_many(window) from None
            if not few:
                self._guess = plan.guess

    def _firsts(
        self, ask: Ask, plan: Windows, span: Window, limits: Limits
    ) -> Iterator[tuple[Window, Answer | None]]:
        """Yield each window with its first attempt, some of them under way ahead."""
        under_way: deque[tuple[Window, Future[Answer | None]]] = deque()
        try:
            for window in plan:
                if window == span:  # all of it at once: the common poll
                    yield window, attempt(window, ask, limits)
                    return
                under_way.append((window, self._threads().submit(attempt, window, ask, limits)))
                if len(under_way) == self._ahead:
                    yield under_way[0][0], under_way.popleft()[1].result()
            while under_way:
                yield under_way[0][0], under_way.popleft()[1].result()
        finally:
            for _, future in under_way:
                future.cancel()

    def _too_many(self, window: Window) -> Garbled:
        most = self._size * ONE_SECOND // MIB
        return Garbled(
            f"the deals of a single second (in {window[0]} to {window[1]}, server time) are more "
            f"than {most} MiB; ask for fewer groups in this source, and the rest in another one"
        )

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._ahead, thread_name_prefix="mt5-web")
        return self._pool


def check_window(told: DealsAnswer, where: str) -> None:
    """Raise Stuck when an answer holds deals, all of them of another time than was asked for.

    So does a cache in between that gives the same page for ever, and a server that would take
    from/to for another clock than its own.
    """
    if not len(told.deals) or len(told.deals) < told.count:
        return
    inside = pl.col("time_ms").is_between((told.from_s - 1) * 1000, (told.to_s + 1) * 1000 + 999)
    if not told.deals.select(inside.any()).item():
        first = int(told.deals["time_ms"][0]) // 1000
        raise Stuck(
            f"{where} was asked for deals of server time {told.from_s} to {told.to_s} and gave "
            f"{told.count} deals of other times (such as {first}): it gives the same page whatever "
            "it is asked, or something in between does (a cache, a proxy)"
        )
