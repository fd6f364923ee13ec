"""Addresses for whoever builds postbacks: one per event, with placeholders to be filled in.

Pure. The placeholders are words in braces, as trackers write their macros; a postback in which one
was left is refused by that name.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from pipshare.tracking.postbacks import (
    DEPOSIT,
    FIRST_TRADE,
    REGISTRATION,
    REVERSAL,
    TRADE,
    WITHDRAWAL,
)


@dataclass(frozen=True)
class Example:
    """An event as a developer meets it: when it is sent, the fields it has, and values of them."""

    about: str
    fields: dict[str, str]


_WHO = {"client": "C-1001"}
_MONEY = {"amount": "250.00", "currency": "USD"}
_AT = {"at": "2026-03-02T10:00:00Z"}
EXAMPLES: dict[str, Example] = {
    REGISTRATION: Example(
        "when somebody has registered; click_id as it came with the visitor, partner as typed",
        {
            **_WHO,
            "click_id": "06h4k2q8s0v2c9m7r3t6a8n1e5",
            "partner": "IB-7",
            "country": "CY",
            **_AT,
        },
    ),
    DEPOSIT: Example(
        "when a deposit was approved; txid is its own number at the sender",
        {"txid": "D-17", **_WHO, **_MONEY, "method": "card", **_AT},
    ),
    FIRST_TRADE: Example("when the client traded for the first time", {**_WHO, **_AT}),
    TRADE: Example("when the client closed a trade", {"txid": "T-99", **_WHO, **_AT}),
    WITHDRAWAL: Example(
        "when a withdrawal was approved", {"txid": "W-5", **_WHO, **_MONEY, "method": "wire", **_AT}
    ),
    REVERSAL: Example(
        "when a deposit (or of=withdrawal) was taken back; reference is that one's txid, without an"
        " amount all of it",
        {"txid": "R-2", "reference": "D-17", "of": "deposit", **_MONEY, **_AT},
    ),
}


def url_of(base: str, kind: str, token: str, *, is_signed: bool = False) -> str:
    """Return the address of an event with a placeholder for each of its fields."""
    fields = "".join(f"&{name}={{{name}}}" for name in EXAMPLES[kind].fields)
    return f"{base}/s2s/{kind}?token={token}{fields}{'&sig={sig}' if is_signed else ''}"


def example_url(base: str, kind: str, token: str) -> str:
    """Return the address of an event filled in with values, as it would be called."""
    told = EXAMPLES[kind].fields
    fields = "".join(f"&{name}={quote(value, safe='')}" for name, value in told.items())
    return f"{base}/s2s/{kind}?token={token}{fields}"
