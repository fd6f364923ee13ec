"""What an MT5 feed does in the time that the newest deals leave: one step at a time.

In this order: openings that were put off, history, deals not shown any more, the nightly re-scan,
counts. The steps of history and re-scan grow and shrink, so that each takes about half a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pipshare.pipeline.feeds.mt5_absent import Absent
from pipshare.pipeline.feeds.mt5_clock import Now
from pipshare.pipeline.feeds.mt5_drift import Drift
from pipshare.pipeline.feeds.mt5_openings import Openings
from pipshare.pipeline.feeds.mt5_state import DAY_S, Progress, rescan_day
from pipshare.pipeline.feeds.mt5_take import Brought, Desk, Tally
from pipshare.sources.mt5_web import Config, DealsAnswer, Mt5Web

RESCAN_S = 35 * DAY_S
_QUIET_S = 300  # the last minutes are the minute's own
_SHORT, _LONG = 0.2, 0.6  # seconds a step should take: the newest deals wait meanwhile
_LEAST_S, _MOST_S = 60, 30 * DAY_S


class Reader(Protocol):
    """What a step needs of the feed."""

    config: Config
    desk: Desk
    web: Mt5Web
    openings: Openings
    absent: Absent
    progress: Progress | None

    def is_known(
        self, tickets: npt.NDArray[np.int64], hashes: npt.NDArray[np.uint64]
    ) -> npt.NDArray[np.bool_]: ...


class Behind:
    """The steps, and how long one may be. One per feed."""

    def __init__(self, feed: Reader) -> None:
        self.feed = feed
        self.drift = Drift(feed.desk, feed.web, feed.absent)
        self._step_s = 6 * 3_600

    def step(self, now: Now) -> tuple[Tally, bool]:
        """Take one step, if there is any to take; return its tally and whether more is left."""
        feed = self.feed
        assert feed.progress is not None
        if now.alert and now.alert[0] == "clock_jump":
            return Tally(), False  # moments are not to be trusted: the newest deals suffice
        return self._take_step(feed.progress, now), self._left(now)

    def _take_step(self, progress: Progress, now: Now) -> Tally:
        feed = self.feed
        if feed.openings.waiting:
            asked_ms = feed.desk.asked_ms()
            return feed.desk.take(feed.openings.next(), asked_ms, None)
        if progress.in_history:
            return self._history(progress)
        if not feed.desk.books:
            return Tally()
        if feed.absent.open and not progress.in_rescan:
            return feed.absent.next()
        if progress.in_rescan:
            return self._rescan(progress, now)
        if self.drift.open:
            return self.drift.next()
        if rescan_day(now.now_s) > progress.rescan_day:
            self._begin_rescan(progress, now)
        return Tally()

    def _left(self, now: Now) -> bool:
        feed, progress = self.feed, self.feed.progress
        assert progress is not None
        if feed.openings.waiting or progress.in_history:
            return True
        due = progress.in_rescan or rescan_day(now.now_s) > progress.rescan_day
        return feed.desk.books and (due or feed.absent.open or self.drift.open)

    def _history(self, progress: Progress) -> Tally:
        """Read the next piece of history, oldest first, so that openings come before closings."""
        end_s = min(progress.history_s + self._step_s, progress.history_to_s) - 1

        def take(answer: DealsAnswer, progress: Progress, asked_ms: int) -> Tally:
            brought = Brought.of(answer)
            brought = self.feed.openings.complete(brought) if self.feed.desk.books else brought
            return self.feed.desk.take(brought, asked_ms, progress)

        return self._piece(
            progress.history_s, end_s, take, lambda p, to_s: replace(p, history_s=to_s + 1)
        )

    def _begin_rescan(self, progress: Progress, now: Now) -> None:
        first_s = max(progress.start_s, now.now_s - RESCAN_S)
        self.feed.absent.begin()
        self.feed.openings.put_off_waiting()
        self.feed.progress = replace(
            progress, rescan_day=rescan_day(now.now_s), rescan_s=first_s,
            rescan_to_s=now.low_s - _QUIET_S,
        )  # fmt: skip

    def _rescan(self, progress: Progress, now: Now) -> Tally:
        """Read the next piece again: late and changed deals come in, absent ones are noticed."""
        feed = self.feed
        end_s = min(progress.rescan_s + self._step_s - 1, progress.rescan_to_s)

        def take(answer: DealsAnswer, progress: Progress, asked_ms: int) -> Tally:
            return feed.desk.take(
                feed.openings.complete(Brought.of(answer)), asked_ms, progress,
                lambda: feed.absent.compare(answer.seen, answer.from_s, answer.to_s),
            )  # fmt: skip

        tally = self._piece(
            progress.rescan_s, end_s, take, lambda p, to_s: replace(p, rescan_s=to_s + 1)
        )
        if not feed.progress.in_rescan:  # type: ignore[union-attr]
            feed.absent.open = True
            self.drift.begin(feed.progress, now.now_s)  # type: ignore[arg-type]
        return tally

    def _piece(
        self,
        start_s: int,
        end_s: int,
        take: Callable[[DealsAnswer, Progress, int], Tally],
        moved: Callable[[Progress, int], Progress],
    ) -> Tally:
        """Read a piece answer by answer; each moves the cursor with what it brought."""
        feed, tally, began = self.feed, Tally(), monotonic()
        asked_ms = feed.desk.asked_ms()
        for answer in feed.web.deals(feed.config.groups, start_s, end_s, known=feed.is_known):
            assert feed.progress is not None
            progress = moved(feed.progress, min(answer.to_s, end_s))
            if answer.count or progress.in_rescan or answer.to_s >= end_s:
                tally.add(take(answer, progress, asked_ms))
            feed.progress = progress  # ahead of the stored one by nothing at all, else the same
            if monotonic() - began > 2 * _LONG:
                break  # the newest deals first; the rest is the next piece
            asked_ms = feed.desk.asked_ms()
        took = monotonic() - began
        if took < _SHORT:
            self._step_s = min(_MOST_S, 2 * self._step_s)
        elif took > _LONG:
            self._step_s = max(_LEAST_S, self._step_s // 2)
        return tally
