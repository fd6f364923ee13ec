"""The settings of one Broctagon endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pipshare.crm.settings import Given
from pipshare.errors import BadInput

MOST = 500  # records of a page, as documented
SHA256, SHA1 = "v2", "v1"


@dataclass(frozen=True)
class Config:
    """`url` is what stands before /public/v1; the secret is the API key. `since`: first day.

    signature: v2 (HMAC-SHA256 of the body) or v1 (SHA-1 of its sorted fields), as the CRM's
    version has it. clients_s: seconds between two readings of all clients.
    """

    url: str
    since: date
    key: str = field(repr=False)
    signature: str = SHA256
    page: int = MOST
    overlap_days: int = 3
    clients_s: int = 600
    poll_s: int = 60

    @classmethod
    def parse(cls, settings: Mapping[str, Any], secret: str) -> Config:
        """Read an endpoint's settings. Raises BadInput that names the setting."""
        given = Given("broctagon", settings)
        if not secret or not secret.isascii() or secret != secret.strip():
            raise BadInput("bad_setting", "broctagon: the API key is missing or is none (CRM Back"
                           " Office, Settings, Dev Space): give the endpoint a secret")  # fmt: skip
        signature = given.text("signature", SHA256)
        if signature not in (SHA256, SHA1):
            raise given.bad("signature", f"{signature!r} is neither v2 nor v1")
        found = cls(
            url=given.url(),
            since=given.day("since"),
            key=secret,
            signature=signature,
            page=given.whole("page", MOST, 1, MOST),
            overlap_days=given.whole("overlap_days", 3, 0, 60),
            clients_s=given.whole("clients_s", 600, 1, 9_999_999),
            poll_s=given.whole("poll_s", 60, 1, 86_400),
        )
        given.done()
        return found
