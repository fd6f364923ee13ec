"""The settings of one B2CORE endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipshare.crm.settings import Given
from pipshare.errors import BadInput

LISTS = ("clients", "accounts", "transactions")


@dataclass(frozen=True)
class Config:
    """`url` is the host (https://backoffice.example.com); the secret is a bearer token.

    overlap: rows of each list that are read again in every round. whole_s: a list is read whole
    again after so many seconds: that is how an old transaction's refund is seen.
    """

    url: str
    token: str = field(repr=False)
    lists: tuple[str, ...] = LISTS
    page: int = 100
    overlap: int = 500
    whole_s: int = 86_400
    poll_s: int = 60

    @classmethod
    def parse(cls, settings: Mapping[str, Any], secret: str) -> Config:
        """Read an endpoint's settings. Raises BadInput that names the setting."""
        given = Given("b2core", settings)
        if not secret or not secret.isascii() or secret != secret.strip():
            raise BadInput("bad_setting", "b2core: the bearer token is missing or is no token: give"
                                          " the endpoint a secret")  # fmt: skip
        found = cls(
            url=given.url(),
            token=secret,
            lists=given.words("lists", LISTS),
            page=given.whole("page", 100, 1, 1_000),
            overlap=given.whole("overlap", 500, 0, 100_000),
            whole_s=given.whole("whole_s", 86_400, 60, 9_999_999),
            poll_s=given.whole("poll_s", 60, 1, 86_400),
        )
        given.done()
        return found
