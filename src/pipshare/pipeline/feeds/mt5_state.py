"""How far an MT5 source was read: its cursor, in words, and how it fits JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pipshare.errors import BadInput
from pipshare.market import Server
from pipshare.period import HOUR_MS

DAY_S = 86_400
BEFORE_GO_LIVE_DAYS = 40  # of history, where nobody says more: openings of what closes first


@dataclass(frozen=True)
class Progress:
    """Moments in server seconds. What lies before `live_s` and is not history was read.

    History goes from `start_s` to `history_to_s`; `history_s` is the next second to read of it.
    A re-scan under way goes from `rescan_s` to `rescan_to_s`, both 0 when none is; `rescan_deals`
    counts what it compared. `rescan_day`: the server's day of the last one begun, since 1970.
    `drift_ms`: by how much the server's clock differed from what its settings say. `books`: 1 when
    what was read was booked, 0 when it was only compared with another source.
    """

    live_s: int
    start_s: int
    history_s: int
    history_to_s: int
    rescan_day: int
    rescan_s: int = 0
    rescan_to_s: int = 0
    rescan_deals: int = 0
    drift_ms: int = 0
    books: int = 1

    @property
    def in_history(self) -> bool:
        """Whether there is history left to read."""
        return self.history_s < self.history_to_s

    @property
    def in_rescan(self) -> bool:
        """Whether a re-scan is under way."""
        return 0 < self.rescan_s <= self.rescan_to_s

    def to_json(self) -> dict[str, Any]:
        """Return the cursor as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Progress | None:
        """Read a stored cursor; None when there is none yet."""
        if not told:
            return None
        known = {name: int(told[name]) for name in cls.__dataclass_fields__ if name in told}
        return cls(**known)


def begin(
    settings: Mapping[str, str], server: Server, now_s: int, drift_ms: int, *, books: bool
) -> Progress:
    """Return the state of a source that was never read: live from now, history behind it.

    History starts at the setting `from` (a date, or a number of days with d: "730d"), else
    BEFORE_GO_LIVE_DAYS before the server's go-live, or before now where that is earlier.
    Raises BadInput for a setting that is neither.
    """
    start_s = min(_start(settings.get("from", "").strip(), server, now_s), now_s)
    return Progress(
        live_s=now_s, start_s=start_s, history_s=start_s, history_to_s=now_s,
        rescan_day=rescan_day(now_s), drift_ms=drift_ms, books=int(books),
    )  # fmt: skip


def rescan_day(now_s: int) -> int:
    """Return the day whose nightly re-scan is due: it begins at two o'clock of the server."""
    return (now_s - 2 * 3_600) // DAY_S


def _start(text: str, server: Server, now_s: int) -> int:
    if text:
        return _told(text, now_s)
    live_s = now_s if server.go_live_ms is None else server.go_live_ms // 1000
    # A go-live is a moment of UTC: half a day covers every server clock.
    return min(live_s - 12 * HOUR_MS // 1000, now_s) - BEFORE_GO_LIVE_DAYS * DAY_S


def _told(text: str, now_s: int) -> int:
    if text.endswith("d") and text[:-1].isascii() and text[:-1].isdigit() and len(text) < 7:
        return now_s - int(text[:-1]) * DAY_S
    try:
        return (date.fromisoformat(text) - date(1970, 1, 1)).days * DAY_S
    except ValueError:
        raise BadInput(
            "bad_setting",
            f"setting from {text!r} is neither a date such as 2026-01-31 nor days such as 90d",
        ) from None
