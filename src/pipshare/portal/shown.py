"""What a page showed, signed: which agreements somebody read, when, and the number of his form.

A form that is sent twice has one number, and makes one application.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing

from pipshare.partners import Agreement

LEAST_S = 2.0  # no person fills a form in within so long
MOST_S = 24 * 3600
_SALT = "pipshare.apply"


@dataclass(frozen=True)
class Shown:
    """What a form was shown with: its number, the moment, the digests of agreements by code."""

    number: str
    at: float
    digests: dict[str, str]

    @property
    def is_hasty(self) -> bool:
        """Whether it came back so soon that no person filled it in."""
        return time.time() - self.at < LEAST_S

    def is_of(self, agreements: Sequence[Agreement]) -> bool:
        """Whether these are the agreements that were shown, to the letter."""
        return self.digests == {one.code: one.digest for one in agreements}


def seal(agreements: Sequence[Agreement]) -> str:
    """Return a token for a form that shows these agreements now."""
    told: dict[str, Any] = {
        "n": secrets.token_urlsafe(18), "t": time.time(),
        "a": {one.code: one.digest for one in agreements},
    }  # fmt: skip
    return signing.dumps(told, salt=_SALT, compress=True)


def opened(token: str) -> Shown | None:
    """Return what a token says, None for one that is not ours or older than a day."""
    try:
        told = signing.loads(token, salt=_SALT, max_age=MOST_S)
    except signing.BadSignature:
        return None
    return Shown(str(told["n"]), float(told["t"]), dict(told["a"]))
