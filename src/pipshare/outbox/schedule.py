"""When to try again, and when not: pure rules about answers, waits, and receivers that fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

OK, TEMPORARY, PERMANENT = "ok", "temporary", "permanent"
GONE = 410
_DAY_MS: Final = 24 * 3600 * 1000
_TEMPORARY = frozenset({408, 425, 429})


@dataclass(frozen=True)
class Pace:
    """The numbers of delivery. Seconds, but for names in `_ms`."""

    waits_s: tuple[float, ...] = (5, 300, 1800, 7200, 18_000, 36_000, 36_000)
    jitter_percent: int = 20  # a wait is longer by up to so much, never shorter
    retry_after_most_ms: int = _DAY_MS
    breaker_fails: int = 5  # in a row; then the receiver rests
    breaker_rest_s: float = 30  # the first rest; each next one is twice as long, up to
    breaker_most_s: float = 600
    off_after_ms: int = 3 * _DAY_MS  # of unbroken failure, with as many fails as open the breaker


PACE = Pace()


def outcome(status: int) -> str:
    """Return what an answer's status means: ok, temporary (try again) or permanent (do not).

    A redirect is permanent: it is never followed, or a receiver could send us anywhere.
    """
    if 200 <= status < 300:
        return OK
    return TEMPORARY if status >= 500 or status in _TEMPORARY else PERMANENT


def next_try(
    tries: int, now_ms: int, retry_after_ms: int | None, luck: float, pace: Pace = PACE
) -> int | None:
    """Return the moment (UTC ms) of the next try after the `tries`th failed; None: no more.

    `luck` from 0 to 1 spreads what failed together. A receiver that asked for time (Retry-After)
    gets it, a day at most; asking for less than our own wait changes nothing.
    """
    if tries > len(pace.waits_s):
        return None
    wait_ms = int(pace.waits_s[tries - 1] * 1000 * (1 + luck * pace.jitter_percent / 100))
    return now_ms + max(wait_ms, retry_after_ms or 0)


def retry_after(value: str | None, now_ms: int, pace: Pace = PACE) -> int | None:
    """Return the milliseconds that a Retry-After header asks for, 0 to a day; None if unreadable.

    It is a number of seconds or an HTTP date (RFC 9110, 10.2.3).
    """
    text = (value or "").strip()
    if not text:
        return None
    if text.isdecimal() and text.isascii():
        asked = int(text[:12]) * 1000
    else:
        try:
            asked = int(parsedate_to_datetime(text).timestamp() * 1000) - now_ms
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0, min(asked, pace.retry_after_most_ms))


class Breaker:
    """Whether a receiver may be tried: after so many failures in a row it rests, then one probes.

    What waits meanwhile is not tried, so its attempts are not used up.
    """

    def __init__(self, pace: Pace = PACE) -> None:
        self.pace, self.fails, self.rests = pace, 0, 0
        self.until_ms = 0  # it rests until then

    @property
    def probing(self) -> bool:
        """Whether only one may be tried: it has rested and not answered since."""
        return self.rests > 0

    def worked(self) -> None:
        """Note an answer that shows the receiver to be alive."""
        self.fails = self.rests = self.until_ms = 0

    def failed(self, now_ms: int, luck: float) -> None:
        """Note a temporary failure; it may have to rest from now on."""
        self.fails += 1
        if self.fails >= self.pace.breaker_fails and now_ms >= self.until_ms:
            rest_s = min(self.pace.breaker_rest_s * 2 ** min(self.rests, 10),
                         self.pace.breaker_most_s)  # fmt: skip
            self.rests += 1
            self.until_ms = now_ms + int(rest_s * 1000 * (1 + luck * 0.1))

    def asked_for(self, rest_ms: int, now_ms: int) -> None:
        """Rest as the receiver asked; no sign that anything is wrong."""
        self.until_ms = max(self.until_ms, now_ms + rest_ms)


@dataclass
class Health:
    """How a receiver fares over days: failing since when without a success, and how often."""

    failing_since_ms: int | None = None
    fails: int = 0
    last_ok_ms: int | None = None
    error: str = ""
    noted_ms: int = 0  # when it was stored last

    def worked(self, now_ms: int) -> bool:
        """Note a success; true when that is worth storing: news, or a minute old."""
        news = self.failing_since_ms is not None or now_ms - self.noted_ms > 60_000
        self.failing_since_ms, self.fails, self.error, self.last_ok_ms = None, 0, "", now_ms
        return news

    def failed(self, now_ms: int, error: str, pace: Pace = PACE) -> bool:
        """Note a failure; true when it has failed for so long that it is to be switched off."""
        if self.failing_since_ms is None:
            self.failing_since_ms = now_ms
        self.fails += 1
        self.error = error
        lasted = now_ms - self.failing_since_ms
        return lasted >= pace.off_after_ms and self.fails >= pace.breaker_fails


Luck = Callable[[], float]
