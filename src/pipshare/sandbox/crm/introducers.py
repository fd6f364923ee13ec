"""The CRM's door for introducing brokers: applications and agreements come in, and are judged.

Whatever JSON comes, as a signed webhook or a plain request: the CRM gives the applicant a number,
refuses him with a reason, or says nothing. The same applicant gets the same number again.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ACCEPT, REJECT, REJECT_200, TIME_OUT = ANSWERS = ("accept", "reject", "reject-200", "time-out")
_WHO = ("application", "application_id", "partner", "partner_code", "code", "email")


@dataclass
class Answer:
    """How the next `times` requests are answered (-1 = ever); `reason` is why not."""

    answer: str = ACCEPT
    reason: str = "documents are missing"
    times: int = -1

    def __post_init__(self) -> None:
        if self.answer not in ANSWERS:
            raise ValueError(f"no answer {self.answer!r}; there are {', '.join(ANSWERS)}")


class Introducers:
    """Who applied, and how he is answered. Any thread may use it."""

    def __init__(self) -> None:
        self._next: list[Answer] = []
        self._lock = threading.Lock()

    def say(self, answer: Answer) -> None:
        """Answer so from now on, after what was said before is used up."""
        with self._lock:
            self._next = [one for one in self._next if one.times > 0]
            self._next.append(answer)

    def judge(self, told: Mapping[str, Any], body: bytes) -> tuple[int, dict[str, str]] | None:
        """Return status and answer for what came; None = no answer at all."""
        with self._lock:
            rule = self._next[0] if self._next else Answer()
            if rule.times > 0:
                rule.times -= 1
                if not rule.times:
                    self._next.pop(0)
            if rule.answer == TIME_OUT:
                return None
            if rule.answer in (REJECT, REJECT_200):
                status = 422 if rule.answer == REJECT else 200
                return status, {"state": "rejected", "reason": rule.reason}
            return 200, {"state": "accepted", "id": number_of(_applicant(told), body)}


def number_of(who: str, body: bytes) -> str:
    """Return the CRM's number for an applicant: the same after a restart, too."""
    digest = hashlib.sha256(who.encode() or body).digest()
    return f"CD-{100_000 + int.from_bytes(digest[:4], 'big') % 900_000}"


def _applicant(told: Mapping[str, Any]) -> str:
    """Return what names an applicant, at the top or in `data`; "" when nothing does."""
    data = told.get("data")
    for where in (data if isinstance(data, dict) else {}, told):
        for name in _WHO:
            if isinstance(where.get(name), str | int) and where[name] != "":
                return f"{name} {where[name]}"
    return ""
