"""The CRM's clock: stories go faster than life, and nothing is dated in the future."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DAY_S = 86_400


@dataclass(frozen=True)
class Clock:
    """A day of a story takes `day_s` real seconds from `started` on.

    What happens is dated from `began`, as days of life, until the present is reached; from then on
    at the moment at which it happens. Both are one formula, so the order never turns round.
    """

    started: datetime
    day_s: float
    began: datetime

    def story_s(self, now: datetime) -> float:
        """Return how many seconds of the stories have passed."""
        return (now - self.started).total_seconds() * DAY_S / self.day_s

    def stamp(self, story_s: float) -> datetime:
        """Return the moment, to the millisecond, that is written on what happened then."""
        past = self.began + timedelta(seconds=story_s)
        live = self.started + timedelta(seconds=story_s * self.day_s / DAY_S)
        at = min(past, live)
        return at.replace(microsecond=at.microsecond // 1000 * 1000)


def now_utc() -> datetime:
    """Return the present."""
    return datetime.now(UTC)
