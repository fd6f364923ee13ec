"""The words in which partners' messages speak of moments, spans and codes."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from pipshare.period import FOREVER_MS, from_ms

DIRECT, ROOT = "direct", "root"  # written in place of a partner's code: nobody is above
RESERVED = (DIRECT, ROOT, "none")


def moment(utc_ms: int) -> str:
    """Write a moment: 2026-03-01 or 2026-03-01T13:05:00Z, in UTC."""
    text = from_ms(utc_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return text.replace(".000Z", "Z").replace("T00:00:00Z", "")


def span(start_ms: int, end_ms: int) -> str:
    """Write a half-open span: "always", "from 2026-03-01", "until 2026-04-01"."""
    parts = []
    if start_ms > 0:
        parts.append(f"from {moment(start_ms)}")
    if end_ms < FOREVER_MS:
        parts.append(f"until {moment(end_ms)}")
    return " ".join(parts) or "always"


def hint(wrong: str, allowed: Iterable[str]) -> str:
    """Return " (did you mean P-12?)" when something close is known, else nothing."""
    close = get_close_matches(wrong, list(allowed), 1, 0.6)
    return f" (did you mean {close[0]}?)" if close else ""


class Hints:
    """hint() for many rows: each wrong code once, and only the first few, for it is slow."""

    def __init__(self, allowed: Iterable[str], most: int = 20) -> None:
        self._allowed, self._left = list(allowed), most
        self._known: dict[str, str] = {}

    def of(self, wrong: str) -> str:
        """Return the hint for a code, or nothing once enough were given."""
        if wrong not in self._known and self._left > 0:
            self._left -= 1
            self._known[wrong] = hint(wrong, self._allowed)
        return self._known.get(wrong, "")


def lines(numbers: Iterable[int]) -> str:
    """Write line numbers: "line 3", "lines 3, 4"; the first ten of many."""
    distinct = sorted(set(numbers))
    shown = ", ".join(map(str, distinct[:10])) + (" ..." if len(distinct) > 10 else "")
    return f"line{'s' if len(distinct) > 1 else ''} {shown}"
