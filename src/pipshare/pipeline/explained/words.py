"""Words that every explanation uses, on the command line and in the console."""

from __future__ import annotations

from pipshare.facts.jurisdictions import Counts, Jurisdiction
from pipshare.period import from_ms

_HELD = {
    "kyc": "held until the client's KYC is approved",
    "suspended": "held: the partner is suspended",
    "dispute": "held: the deposit is disputed",
}


def held_words(held_by: str) -> str:
    """Say why a line is held, "" where it is not."""
    return _HELD.get(held_by, f"held: {held_by}") if held_by else ""


def barred_words(held: Jurisdiction, which: Counts) -> str:
    """Say by which of a client's countries nobody earns by him, since when, and who said why."""
    whose = "lives in" if which == "residence" else "has a document of"
    since = f"blocked since {from_ms(held.from_ms):%Y-%m-%d %H:%M} UTC" if held.from_ms > 0 else (
        "which is blocked"
    )  # fmt: skip
    return f"{whose} {held.country}, {since}: {held.reason} ({held.recorded_by})"


def held_by_books(state: str, cause: str) -> str:
    """Return why an account holds its lines: kyc or suspended; "" where it holds none."""
    if state != "held":
        return ""
    return "kyc" if cause.startswith("kyc") else "suspended"
