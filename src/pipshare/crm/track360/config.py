"""The settings of one endpoint that speaks Track360's schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipshare.crm.settings import Given
from pipshare.errors import BadInput

LISTS = ("customers", "transactions")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-\[\]]{0,60}")


@dataclass(frozen=True)
class Config:
    """`url` is the host; client_id and the secret are exchanged for a token at `token_path`.

    since_param: name of the parameter by which the API gives only what changed since a moment, ""
    where it has none: then lists are read whole every `whole_s` seconds. overlap_s: how far before
    the last reading the moment lies.
    """

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    token_path: str = "/oauth/token"
    lists: tuple[str, ...] = LISTS
    page: int = 500
    since_param: str = ""
    overlap_s: int = 3_600
    whole_s: int = 600
    poll_s: int = 60

    @classmethod
    def parse(cls, settings: Mapping[str, Any], secret: str) -> Config:
        """Read an endpoint's settings. Raises BadInput that names the setting."""
        given = Given("track360", settings)
        if not secret:
            raise BadInput("bad_setting", "track360: the client secret is missing: give the"
                                          " endpoint a secret")  # fmt: skip
        token_path = given.text("token_path", "/oauth/token")
        if not token_path.startswith("/"):
            raise given.bad("token_path", "begins with /")
        since_param = given.text("since_param", "")
        if since_param and not _NAME.fullmatch(since_param):
            raise given.bad("since_param", f"{since_param[:60]!r} is no name of a parameter")
        found = cls(
            url=given.url(),
            client_id=given.text("client_id"),
            client_secret=secret,
            token_path=token_path,
            lists=given.words("lists", LISTS),
            page=given.whole("page", 500, 1, 5_000),
            since_param=since_param,
            overlap_s=given.whole("overlap_s", 3_600, 0, 9_999_999),
            whole_s=given.whole("whole_s", 600, 1, 9_999_999),
            poll_s=given.whole("poll_s", 60, 1, 86_400),
        )
        given.done()
        return found
