"""The CRM's webhooks, in words of its own, signed as Standard Webhooks are.

    {"event": "dispute.lost", "id": "H-7000204", "time": "2026-11-23T10:00:00.250+02:00",
     "trader": 70002, "payment": {"transaction": 7000203, "action": "Incoming Funds - Card",
     "cents": 50000, "coin": "USD"}}

`transaction` is a TransactionID of the partner API, `trader` a TraderID.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from pipshare.sandbox.crm.people import Trader


@dataclass(frozen=True)
class Webhook:
    """A message: its id stays the same however often it is sent."""

    id: str
    event: str
    trader: int
    body: bytes


_EVENTS = {
    "payment failed": "payment.failed",
    "payment reversed": "payment.reversed",
    "dispute opened": "dispute.opened",
    "dispute won": "dispute.won",
    "dispute lost": "dispute.lost",
    "payout failed": "payout.failed",
    "payout cancelled": "payout.cancelled",
    "kyc": "kyc.changed",
    "bonus": "bonus.granted",
    "bonus removed": "bonus.removed",
    "moved": "trader.moved",
    "merged": "trader.merged",
    "unmerged": "trader.unmerged",
    "duplicate": "trader.duplicate",
    "not duplicate": "trader.not_duplicate",
}
EVENTS = tuple(_EVENTS.values())


def webhook(who: Trader, what: str, told: dict[str, Any]) -> Webhook:
    """Return the webhook that tells of a deed."""
    event, number = _EVENTS[what], f"H-{told['number']}"
    at = told["at"].isoformat(timespec="milliseconds")
    body = {"event": event, "id": number, "time": at, "trader": who.number}
    said = json.dumps(body | _part(who, what, told))
    return Webhook(number, event, who.number, said.encode())


def _part(who: Trader, what: str, told: dict[str, Any]) -> dict[str, Any]:
    money = {"cents": told.get("cents", 0), "coin": who.coin}
    why = told.get("why", "")
    if what == "kyc":
        said = {"state": told["state"], "residence": who.country, "paper": told["paper"],
                "valid_until": str(told.get("valid_until", ""))}  # fmt: skip
        return {"kyc": {key: value for key, value in said.items() if value}}
    if what in ("bonus", "bonus removed"):
        return {"bonus": {"number": told.get("of", told["number"]), **money,
                          "rule": told.get("rule", "")}}  # fmt: skip
    if what == "moved":
        effective = told["at"].replace(microsecond=0).isoformat()
        return {"moved": {"from": who.tag, "to": told["to"], "effective": effective, "why": why}}
    if what in ("merged", "unmerged"):
        return {"merged": {"into": told["other"], "why": why}}
    if what in ("duplicate", "not duplicate"):
        return {"duplicate": {"of": told["other"], "why": why}}
    said = {"transaction": told.get("of", told["number"]), "action": told["action"], **money}
    return {"payment": said | ({"why": why} if why else {})}


def signed(message: Webhook, secret: str, at_s: int) -> dict[str, str]:
    """Return the headers of a Standard Webhook. `secret`: base64, maybe behind whsec_; "" = none.

    Raises ValueError for a secret that is not base64.
    """
    headers = {"Content-Type": "application/json", "webhook-id": message.id,
               "webhook-timestamp": str(at_s)}  # fmt: skip
    if secret:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        said = f"{message.id}.{at_s}.".encode() + message.body
        digest = hmac.new(key, said, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers
