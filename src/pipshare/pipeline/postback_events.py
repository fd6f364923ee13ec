"""Postbacks as events of clients: registrations always, money where the tracker is believed."""

from __future__ import annotations

from typing import Any

from pipshare.inbox.postbacks_due import DuePostback
from pipshare.inbox.trackers import Tracker
from pipshare.tracking.postbacks import DEPOSIT, MONEY, REGISTRATION, REVERSAL, WITHDRAWAL

_KINDS = {REGISTRATION: "registration", DEPOSIT: "deposit", WITHDRAWAL: "withdrawal"}
_TAKEN_BACK = {DEPOSIT: "deposit_reversed", WITHDRAWAL: "withdrawal_reversed"}


def is_booked(tracker: Tracker, kind: str) -> bool:
    """Tell whether a tracker's postbacks of a kind become events."""
    return kind == REGISTRATION or (kind in MONEY and kind in tracker.money)


def event_row(one: DuePostback, source: str, entity: str, line: int) -> dict[str, Any]:
    """Return a postback as a row of the `events` of facts.fields, amounts in 1e-8.

    Numbers are unique for a tracker and kind only, so the event's name has both: `deposit:17`.
    """
    is_reversal = one.kind == REVERSAL
    return {
        "event": f"{one.kind}:{one.txid}",
        "kind": _TAKEN_BACK[one.of] if is_reversal else _KINDS[one.kind],
        "at": one.happened_ms,
        "client": one.client,
        "entity": entity,
        "source": source,
        "amount": one.amount_e8 or None,
        "currency": one.currency or None,
        "reference": f"{one.of}:{one.reference}" if is_reversal else "",
        "server": "",
        "country": one.country if one.kind == REGISTRATION else "",
        "method": one.method if one.kind != REGISTRATION else "",
        "document": "",
        "status": "",
        "version": 1,
        "line": line,
    }
