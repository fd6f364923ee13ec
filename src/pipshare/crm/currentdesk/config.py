"""The settings of one CurrentDesk endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pipshare.crm.settings import Given
from pipshare.errors import BadInput

LISTS = ("LeadRegistration", "TradeInfo", "TransactionInfo", "TraderStatus")
READ = LISTS[:3]  # TraderStatus is trading activity: that comes from the platform


@dataclass(frozen=True)
class Config:
    """`url` ends before the list's name (…/api). `since`: the first day to read.

    window_days: days asked for at once; overlap_days: days read again in every round.
    """

    url: str
    user: str
    since: date
    password: str = field(repr=False)
    lists: tuple[str, ...] = READ
    window_days: int = 7
    overlap_days: int = 3
    poll_s: int = 60

    @classmethod
    def parse(cls, settings: Mapping[str, Any], secret: str) -> Config:
        """Read an endpoint's settings. Raises BadInput that names the setting."""
        given = Given("currentdesk", settings)
        if not secret:
            raise BadInput("bad_setting", "currentdesk: the password is missing: give the endpoint"
                                          " a secret")  # fmt: skip
        found = cls(
            url=given.url(),
            user=given.text("user"),
            since=given.day("since"),
            password=secret,
            lists=given.words("lists", LISTS) if "lists" in given.left else READ,
            window_days=given.whole("window_days", 7, 1, 366),
            overlap_days=given.whole("overlap_days", 3, 0, 90),
            poll_s=given.whole("poll_s", 60, 1, 86_400),
        )
        given.done()
        return found
