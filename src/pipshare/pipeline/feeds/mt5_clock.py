"""The server's clock as the feed trusts it: watched, and never followed into a jump.

Windows are asked for in the server's own time. Its clock should stand where the server's settings
say; a lasting difference is told and used, a sudden one is told and not used: the cursor goes on by
the old difference, while the window is wide enough for deals of either time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipshare.market import Server
from pipshare.sources.mt5_web import Mt5Web
from pipshare.sources.mt5_web.errors import ClockWrong

TOLERANCE_MS = 30_000
LOOK_EVERY_MS = 10_000
ACCEPT_AFTER_MS = 600_000  # a difference that has lasted so long is the server's time
MARGIN_S = 240  # deals are asked for beyond now, as clocks are never quite equal
WIDE_S = 26 * 3_600  # and further while the clock has jumped


@dataclass(frozen=True)
class Now:
    """The server's time in its own seconds: `now_s` trusted, `low_s` the lowest it may be.

    `to_s`: up to where to ask. `alert`: the code and sentence of what is wrong, or None.
    """

    now_s: int
    low_s: int
    to_s: int
    drift_ms: int
    alert: tuple[str, str] | None


class Watch:
    """Looks at the clock every few seconds, and reckons in between. One per feed."""

    def __init__(self, web: Mt5Web, utc_ms: Callable[[], int]) -> None:
        self._web, self._utc_ms = web, utc_ms
        self._looked_ms: int | None = None
        self._odd_since_ms: int | None = None
        self._drift_ms: int | None = None  # as seen last; None: the connector refused to tell
        self._refused = ""

    def now(self, server: Server, accepted_ms: int | None) -> Now:
        """Return the time; `accepted_ms` is the difference that was trusted so far, if any."""
        utc = self._utc_ms()
        if self._looked_ms is None or not 0 <= utc - self._looked_ms < LOOK_EVERY_MS:
            self._look(server)
            self._looked_ms = utc = self._utc_ms()
        expected = expected_ms(server, utc)
        drift = self._drift_ms
        if drift is not None and _holds(drift, accepted_ms):
            self._odd_since_ms = None
            now_s = (expected + drift) // 1000
            return Now(now_s, now_s, now_s + MARGIN_S, drift, self._disagreement(server, drift))
        self._odd_since_ms = utc if self._odd_since_ms is None else self._odd_since_ms
        if drift is not None and utc - self._odd_since_ms >= ACCEPT_AFTER_MS:
            return self.now(server, None)
        held = accepted_ms or 0
        now_s = (expected + held) // 1000
        shown_s = now_s if drift is None else (expected + drift) // 1000
        return Now(now_s, min(now_s, shown_s), max(now_s, shown_s) + WIDE_S, held,
                   ("clock_jump", self._jumped(drift, held)))  # fmt: skip

    def _look(self, server: Server) -> None:
        try:
            told = self._web.server_time()
        except ClockWrong as error:
            self._drift_ms, self._refused = None, error.message
            return
        self._drift_ms = told.server_ms - expected_ms(server, told.utc_ms)

    def _jumped(self, drift: int | None, held: int) -> str:
        if drift is None:
            return f"{self._refused}; it is not followed: reading goes on by the time held so far"
        return (
            f"the server's clock has jumped by {_span(drift - held)}; it is not followed for"
            f" {ACCEPT_AFTER_MS // 60_000} minutes: ask the administrator of the server whether it"
            " is meant, and if so, load its new clock with `pipshare load servers`"
        )

    def _disagreement(self, server: Server, drift: int) -> tuple[str, str] | None:
        if abs(drift) <= TOLERANCE_MS:
            return None
        return (
            "clock_offset",
            f"the server's clock stands {_span(drift)} from what its settings say"
            f" ({server.clocks[-1][1]}): moments of trades are wrong by that; load the right clock"
            " with `pipshare load servers`",
        )


def expected_ms(server: Server, utc_ms: int) -> int:
    """Return what the server's clock shows at a moment of UTC, by its settings."""
    clock = server.clocks[0][1]
    for since, later in server.clocks:
        clock = later if since <= utc_ms else clock
    return int(clock.from_utc(np.array([utc_ms], np.int64))[0])


def _holds(drift: int, accepted_ms: int | None) -> bool:
    return (
        abs(drift) <= TOLERANCE_MS
        or accepted_ms is None
        or abs(drift - accepted_ms) <= TOLERANCE_MS
    )


def _span(ms: int) -> str:
    """Say a difference as people do: 1 h 5 min ahead."""
    minutes, seconds = divmod(abs(ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{n} {unit}" for n, unit in ((hours, "h"), (minutes, "min"), (seconds, "s")) if n]
    return f"{' '.join(parts) or '0 s'} {'ahead' if ms > 0 else 'behind'}"
