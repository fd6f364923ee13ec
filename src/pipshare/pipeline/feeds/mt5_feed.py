"""Feed of an MT5 server over its Web API: what closes is booked within seconds.

A poll reads the newest deals with a little overlap; every minute it reaches back five minutes. In
what time is left, one step at a time and never before the newest deals: openings that are missing,
history from the start, deals that are not shown any more, the nightly re-scan of 35 days, counts.
Each answer is whole for its own window: it is taken in, and the cursor moved, in one transaction.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare import inbox
from pipshare.inbox import Gap, Source
from pipshare.pipeline.feeds import Polled
from pipshare.pipeline.feeds.mt5_absent import Absent
from pipshare.pipeline.feeds.mt5_behind import Behind
from pipshare.pipeline.feeds.mt5_clock import Now, Watch
from pipshare.pipeline.feeds.mt5_known import Known, keys
from pipshare.pipeline.feeds.mt5_openings import Openings
from pipshare.pipeline.feeds.mt5_state import Progress, begin
from pipshare.pipeline.feeds.mt5_take import Brought, Desk, Tally
from pipshare.pipeline.feeds.state_mt5 import sync_state
from pipshare.pipeline.run import Run
from pipshare.sources.mt5_web import Config, Mt5Web
from pipshare.sources.mt5_web.errors import NotAllowed

OVERLAP_S = 3
MINUTE_S, MINUTE_BACK_S = 60, 300
LAGS_MS = 2_000  # a poll that took longer leaves no time for what lies behind
HURRY_S, MANY = 20, 2_000  # so far behind, with so many at once, missing openings are put off
GAP_S = 5  # a source that was read up to less than this ago was polled without a gap
SAVE_EVERY_MS = 15_000  # the cursor, when nothing is new
STATE_EVERY_MS = 300_000  # accounts, groups and symbols
_CLOCK_ALERTS = ("clock_jump", "clock_offset")
_LOG = logging.getLogger("pipshare.mt5")


def make(run: Run, source: Source) -> Mt5Feed:
    """Return the feed of an mt5_web source. Raises BadInput for settings that cannot be."""
    password = inbox.secret_of(run.conn, source)
    run.conn.commit()
    return Mt5Feed(run, source, Config.parse(source.settings, password))


def utc_now_ms() -> int:
    """Return the present moment in UTC milliseconds."""
    return time.time_ns() // 1_000_000


class Mt5Feed:
    """Polls one MT5 server, for one thread. Its memory is never ahead of what is committed."""

    def __init__(
        self, run: Run, source: Source, config: Config, *, utc_ms: Callable[[], int] = utc_now_ms
    ) -> None:
        self.halt = threading.Event()
        self.config, self._utc_ms = config, utc_ms
        self.desk = Desk(run, source, utc_ms)
        self.web = Mt5Web(
            config,
            log=lambda line: _LOG.warning("%s: %s", source.code, line),
            clock=lambda: utc_ms() / 1000,
            sleep=lambda seconds: self.halt.wait(seconds),
        )
        self.known = Known()
        self.watch = Watch(self.web, utc_ms)
        self.openings = Openings(self.desk, self.web)
        self.absent = Absent(self.desk, self.web)
        self.behind = Behind(self)
        self.progress: Progress | None = None
        self._live_ms, self._saved_ms, self._minute_s = 0, 0, 0
        self._state_ms: int | None = None
        self._alerted: str | None = "unknown"
        self._polled_s, self._gap = 0, Gap(0, 0)  # polled without a gap since, in server seconds

    def poll(self) -> Polled:
        """Read what is new, then take one step of what lies behind. Raises what the source did."""
        try:
            return self._poll()
        except BaseException:
            self.desk.conn.rollback()
            self.progress = None  # what is committed holds; all of it is read again
            self._minute_s = 0
            raise

    def close(self) -> None:
        """Sign out."""
        self.web.close()

    def _poll(self) -> Polled:
        began = self._utc_ms()
        now, progress = self._loaded()
        tally, every_ms = Tally(), int(self.config.poll_s * 1000)
        if self._state_ms is None:
            self._observe()  # whose groups and currencies are known is booked at once
        if not 0 <= began - self._live_ms < every_ms:
            tally = self._live(progress, now)
            self._live_ms = began
        more = False
        if not self.halt.is_set() and self._utc_ms() - began < LAGS_MS:
            if not 0 <= began - (self._state_ms or 0) < STATE_EVERY_MS:
                self._observe()
            step, more = self.behind.step(now)
            tally.add(step)
        if self.absent.restored:
            self.known.clear()
            self.absent.restored = False
        self.web.ping_if_due()
        left_ms = min(every_ms, max(0, self._live_ms + every_ms - self._utc_ms()))
        return Polled(
            tally.new, tally.revised, tally.trades, 0.0 if more else left_ms / 1000,
            tally.lags_ms, more, replace(self._gap, trades=tally.late) if tally.late else None,
        )  # fmt: skip

    def _loaded(self) -> tuple[Now, Progress]:
        """Return the server's time and how far it was read; a source never read begins now."""
        desk = self.desk
        resumes = self.progress is None
        if self.progress is None:
            desk.run.refresh()  # what it remembers may have been rolled back
            self.progress = Progress.from_json(inbox.cursor(desk.conn, desk.source.id))
            desk.conn.commit()
        else:
            desk.asked_ms()  # settings may have changed: the clock, who books
        accepted = None if self.progress is None else self.progress.drift_ms
        now = self.watch.now(desk.server, accepted)
        self._tell(now)
        if self.progress is None or self.progress.books != int(desk.books):
            # One who only compared has stored nothing: he begins anew when he is to book.
            self.known.clear()
            self.progress = begin(
                desk.source.settings, desk.server, now.now_s, now.drift_ms, books=desk.books
            )
            inbox.save_cursor(desk.conn, desk.source.id, self.progress.to_json())
            desk.conn.commit()
        if resumes:
            self._note_gap(self.progress, now)
        return now, self.progress

    def _note_gap(self, progress: Progress, now: Now) -> None:
        """What closed while nobody could poll is caught up with: it has no lag to be told."""
        lasted_s = now.now_s - progress.live_s
        if lasted_s > GAP_S:
            self._polled_s, self._gap = now.now_s, Gap(self._utc_ms(), lasted_s * 1000)
        else:
            self._polled_s = self._polled_s or progress.live_s - OVERLAP_S

    def _observe(self) -> None:
        """Keep what the server tells of accounts, groups and symbols."""
        desk = self.desk
        try:
            sync_state(desk.run, desk.source, self.web, now_ms=self._utc_ms())
            inbox.resolve_alert(desk.conn, "state_not_allowed", source_id=desk.source.id)
        except NotAllowed as error:
            inbox.raise_alert(
                desk.conn, "state_not_allowed", desk.source.code,
                f"{error.message}; trades are read all the same, and groups and currencies of"
                " accounts are those that were loaded", source_id=desk.source.id,
            )  # fmt: skip
        desk.conn.commit()
        self._state_ms = self._utc_ms()

    def _tell(self, now: Now) -> None:
        """Raise what is wrong with the server's clock once, and resolve it when it is over."""
        code = now.alert[0] if now.alert else None
        if code == self._alerted:
            return
        desk = self.desk
        for one in _CLOCK_ALERTS:
            if one != code:
                inbox.resolve_alert(desk.conn, one, source_id=desk.source.id)
        if now.alert:
            inbox.raise_alert(
                desk.conn, now.alert[0], desk.source.code, now.alert[1], source_id=desk.source.id
            )
        desk.conn.commit()
        self._alerted = code

    def _live(self, progress: Progress, now: Now) -> Tally:
        """Read from the cursor on, with its overlap; every minute from five minutes back."""
        start_s = min(progress.live_s, now.low_s) - OVERLAP_S
        behind = now.now_s - progress.live_s > MINUTE_BACK_S
        is_minute = not behind and not 0 <= now.now_s - self._minute_s < MINUTE_S
        if is_minute:
            start_s = min(start_s, now.low_s - MINUTE_BACK_S)
            self.absent.begin()
        seen: list[npt.NDArray[np.int64]] = []
        tally, asked_ms = Tally(), self.desk.asked_ms()
        for answer in self.web.deals(self.config.groups, start_s, now.to_s, known=self.is_known):
            read_s = max(progress.live_s, min(answer.to_s, now.now_s))
            progress = replace(progress, live_s=read_s, drift_ms=now.drift_ms)
            brought = Brought.of(answer)
            due = self._due(brought, progress)
            if due is None and not brought.refused:
                self.progress = progress  # ahead of the stored one, by nothing that is new
                seen.append(answer.seen)
                continue
            if self.desk.books:
                hurry = now.now_s - answer.from_s > HURRY_S and answer.count > MANY
                brought = self.openings.complete(brought, hurry=hurry)
            # What had closed before the source was first connected has no lag to be told.
            fresh = answer.deals.filter(pl.col("time_ms") >= progress.history_to_s * 1000)
            polled = fresh["time_ms"] >= self._polled_s * 1000
            done = self.desk.take(
                brought, asked_ms, due,
                timed=fresh.filter(polled)["deal"], late=fresh.filter(~polled)["deal"],
            )  # fmt: skip
            self.progress = progress
            tally.add(done)
            if not done.older:
                self.known.learn(keys(answer.deals["deal"].to_numpy(), answer.hashes))
            seen.append(answer.seen)
            if self.halt.is_set():
                return tally
            asked_ms = self.desk.asked_ms()
        if is_minute:
            self._minute_s = now.now_s
            self._compare(np.concatenate([*seen, np.zeros(0, np.int64)]), now)
        return tally

    def is_known(
        self, tickets: npt.NDArray[np.int64], hashes: npt.NDArray[np.uint64]
    ) -> npt.NDArray[np.bool_]:
        """Tell which records were taken in as they are."""
        return self.known.has(keys(tickets, hashes))

    def _due(self, brought: Brought, progress: Progress) -> Progress | None:
        """Return the cursor to save: always with news, else every few seconds."""
        now_ms = self._utc_ms()
        if len(brought.deals) or not 0 <= now_ms - self._saved_ms < SAVE_EVERY_MS:
            self._saved_ms = now_ms
            return progress
        return None

    def _compare(self, seen: npt.NDArray[np.int64], now: Now) -> None:
        """Compare the last minutes that are surely whole with what is stored."""
        self.absent.open = True  # a person may have decided
        if not self.desk.books or (now.alert and now.alert[0] == "clock_jump"):
            return
        first_s, last_s = now.low_s - MINUTE_BACK_S, now.low_s - OVERLAP_S
        self.absent.compare(seen, first_s, last_s)
        self.desk.conn.commit()
