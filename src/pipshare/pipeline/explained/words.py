"""Words that every explanation uses, on the command line and in the console."""

from __future__ import annotations

_HELD = {
    "kyc": "held until the client's KYC is approved",
    "suspended": "held: the partner is suspended",
    "dispute": "held: the deposit is disputed",
}


def held_words(held_by: str) -> str:
    """Say why a line is held, "" where it is not."""
    return _HELD.get(held_by, f"held: {held_by}") if held_by else ""


def held_by_books(state: str, cause: str) -> str:
    """Return why an account holds its lines: kyc or suspended; "" where it holds none."""
    if state != "held":
        return ""
    return "kyc" if cause.startswith("kyc") else "suspended"
