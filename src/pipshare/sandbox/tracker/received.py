"""What came, newest first, and how often the same came again."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any

KEPT = 10_000


@dataclass(frozen=True)
class Received:
    """One request: whose dialect, what it said, what was wrong with it, what it was answered.

    `identity` is what a repeat has again (webhook-id, transaction id), `repeats` how often it had
    come before. `verified`: signed well; None = not signed.
    """

    number: int
    at: str
    method: str
    path: str
    dialect: str
    said: dict[str, str]
    wrong: list[str]
    answered: str
    identity: str = ""
    repeats: int = 0
    verified: bool | None = None
    body: str = ""
    told: dict[str, str] = field(default_factory=dict)


class Log:
    """Keeps the last requests; counts all. Any thread may use it."""

    def __init__(self) -> None:
        self._kept: deque[Received] = deque(maxlen=KEPT)
        self._seen: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self.count = 0

    def add(self, dialect: str, identity: str, **told: Any) -> Received:
        """Keep a request; returns it with its number."""
        with self._lock:
            self.count += 1
            before = self._seen[dialect, identity] if identity else 0
            if identity:
                self._seen[dialect, identity] += 1
            one = Received(self.count, dialect=dialect, identity=identity, repeats=before, **told)
            self._kept.append(one)
            return one

    def newest(self, limit: int = 200, dialect: str = "", after: int = 0) -> list[dict[str, Any]]:
        """Return requests, newest first."""
        with self._lock:
            kept = list(self._kept)
        found = [one for one in reversed(kept)
                 if one.number > after and dialect in ("", one.dialect)]  # fmt: skip
        return [asdict(one) for one in found[:limit]]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._seen.clear()
            self.count = 0
