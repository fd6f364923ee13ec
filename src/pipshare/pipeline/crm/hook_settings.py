"""Settings of a webhook's endpoint: how it answers, how much it takes, under which address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipshare.crm.settings import Given
from pipshare.errors import BadInput

# What a sender is told: all of it; nothing, but always 200; or as cTrader wants it.
FULL, PLAIN, INVITE = ANSWERS = ("full", "plain", "ctrader-invite")
MOST_JSON, MOST_LINES = 1024**2, 8 * 1024**2
_MOST = 16 * 1024**2


@dataclass(frozen=True)
class HookSettings:
    """`limit`, `lines_limit`: bytes of a body and of one of NDJSON; `url`: as the sender calls it.

    `answer` PLAIN: 200 with nothing in it once the payload is stored, for CRMs that switch a
    webhook off when it tells them what is wrong.
    """

    answer: str = FULL
    limit: int = MOST_JSON
    lines_limit: int = MOST_LINES
    url: str = ""


def hook_settings(told: Mapping[str, Any]) -> HookSettings:
    """Check settings that were read from JSON. Raises BadInput naming the one that is wrong."""
    given = Given("webhook", told)
    answer = given.text("answer", FULL)
    if answer not in ANSWERS:
        raise BadInput("bad_setting", f"webhook: setting answer: {answer!r} is none of"
                                      f" {', '.join(ANSWERS)}")  # fmt: skip
    found = HookSettings(
        answer,
        given.whole("limit", MOST_JSON, 1024, _MOST),
        given.whole("lines_limit", MOST_LINES, 1024, _MOST),
        given.url() if "url" in told else "",
    )
    given.done()
    return found
