"""The words of the rooms: what waits and the way to mend it, how a trade stands, what a line is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipshare.rating import Wait


class Mend(NamedTuple):
    """Why trades wait, what to do about it, and the command that does it ("" = none)."""

    why: str
    what: str
    command: str


_LOAD = "pipshare load"
_MENDS = {
    "unknown_account": Mend(
        "The account is not known, so nobody can say whose client traded.",
        "Load the account with its client.",
        f"{_LOAD} accounts accounts.csv",
    ),
    "no_relation": Mend(
        "Nobody has said who introduced the client.",
        "Load the client's partner, or direct for nobody.",
        f"{_LOAD} relations relations.csv",
    ),
    "unpriced": Mend(
        "No rate of the programme fits the symbol.",
        "Load the symbol with its group, or add a rate to the programme.",
        f"{_LOAD} symbols symbols.csv",
    ),
    "no_terms": Mend(
        "The partner has no terms at the close.",
        "Load terms; the programme none says that nothing is earned, on purpose.",
        f"{_LOAD} terms terms.csv",
    ),
    "not_in_force": Mend(
        "The programme has no version in force at the close.",
        "Apply a version that begins earlier.",
        "pipshare plan apply programme.toml",
    ),
    "no_fx": Mend(
        "No exchange rate of the seven days before the close.",
        "Load the rates of these days.",
        f"{_LOAD} fx fx.csv",
    ),
    "opening_unknown": Mend(
        "The deal that opened the position was not seen yet.",
        "Import the deals that opened it; a live source fetches them by itself.",
        "pipshare import deals.csv --server NAME",
    ),
    "volume_unknown": Mend(
        "Nothing tells how much of the position closed.",
        "Import the deals that opened it.",
        "pipshare import deals.csv --server NAME",
    ),
    "child_waits": Mend(
        "A share of what the level below earns, and that waits.",
        "Nothing: it follows by itself.",
        "",
    ),
    "no_lot_factor": Mend(
        "A cent account in no known group.",
        "Load its group with a lot factor.",
        f"{_LOAD} groups groups.csv",
    ),
    "too_large": Mend(
        "The amount is larger than an amount can be.",
        "Check the trade's lots and the programme's rate.",
        "",
    ),
    "native_agent": Mend(
        "The platform pays an agent for this account by itself, so it could be paid twice.",
        "Decide for the login: pay here, or not.",
        "pipshare agent list",
    ),
}
_SENTENCES = {wait.word: wait.sentence for wait in Wait}
STANDINGS = {
    "introduced": "Introduced",
    "direct": "Direct",
    "excluded": "Excluded",
    "history": "Before go-live",
    "waiting": "Waiting",
    "unrated": "Not booked",
}
STANDING_TONES = {"introduced": "good", "waiting": "warn"}
NOBODY_EARNS = {
    "unbooked": "The server has no go-live, so nothing of it is booked. Set one: "
    "pipshare load servers servers.csv, with a go_live.",
    "history": "It closed before the server's go-live: kept, and never booked.",
    "direct": "It is no partner's trade: nobody earns.",
    "excluded": "The account is excluded: nobody earns.",
    "unknown": "It waits: whose client traded is not known.",
}


def mend(reason: str) -> Mend:
    """Return what a waiting reason means and the way to mend it."""
    if reason in _MENDS:
        return _MENDS[reason]
    return Mend(_SENTENCES.get(reason, reason.replace("_", " ").capitalize() + "."), "", "")


def reasons() -> list[str]:
    """Return every reason to wait, by its words."""
    return sorted({*_MENDS, *_SENTENCES}, key=short)


def short(reason: str) -> str:
    """Return a reason in a few words: `no fx` for `no_fx`."""
    return reason.replace("_", " ")


def told(causes: Mapping[str, Any]) -> str:
    """Say in few words what brought a window's difference: 3 trades, 1 event."""
    parts = list(causes.get("because", ()))
    for kind, one, many in (("trades", "trade", "trades"), ("events", "event", "events")):
        number = len(causes.get(kind, ())) + int(causes.get(f"more_{kind}", 0))
        if number:
            parts.append(f"{number} {one if number == 1 else many}")
    return ", ".join(parts)
