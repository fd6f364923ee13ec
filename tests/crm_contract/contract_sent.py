"""The systems of the contract that send webhooks, each proven in its own way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.crm_contract.contract_systems import (
    DEPOSIT,
    KYC,
    REGISTRATION,
    REVERSAL,
    STEPS,
    System,
    canonical,
    send_standard,
)
from tests.crm_contract.contract_world import Broker
from tests.crm_contract.fake_systems import SECRET


class Sent(System):
    """A system that sends webhooks."""

    def __init__(self, broker: Broker, number: int) -> None:
        self.waiting: list[Any] = []
        self.sent: list[bytes] = []
        super().__init__(broker, number)
        self.key = self.made.secret or self.secret()

    def say(self, told: Any) -> None:
        """Let something happen that the system sends."""
        self.waiting.append(told)

    def deliver(self) -> None:
        for told in self.waiting:
            self.sent.append(json.dumps(told).encode())
            self.send(self.sent[-1])
        self.waiting = []

    def again(self) -> None:
        for body in list(self.sent):
            self.send(body)

    def send(self, body: bytes, status: int = 200) -> bytes:
        """Prove and send a body; return the answer."""
        got, answer = self.broker.post(f"/hooks/{self.endpoint.code}", body, self.headers(body))
        assert got == status, answer
        return answer

    def headers(self, body: bytes) -> Mapping[str, str]:
        raise NotImplementedError


class PheasanTech(Sent):
    name = "pheasantech"

    def send(self, body: bytes, status: int = 200) -> bytes:
        return send_standard(self.broker, self.endpoint.code, self.key, body, status)

    def __getattr__(self, step: str) -> Any:
        if step not in STEPS:
            raise AttributeError(step)
        told = canonical(step, self.client, self.partner_code, f"d-{self.client}")
        return lambda: self.say(told)


class TraderRoom(Sent):
    """The worked example of the reference: a user with all his payments in one payload."""

    name = "trader-room"

    def secret(self) -> str:
        return SECRET

    def headers(self, body: bytes) -> Mapping[str, str]:
        made = base64.b64encode(hmac.new(self.key.encode(), body, hashlib.sha512).digest())
        return {"X-Room-Signature": f"sha512={made.decode()}"}

    def _user(self, *payments: Mapping[str, Any], **more: Any) -> None:
        user = {"no": int(self.client), "registered": "01/03/2026 09:00", "nation": "Cyprus",
                "promo": f" {self.partner_code} ", "click": None, "name": "A. Client"}  # fmt: skip
        self.say({"user": user, "payments": list(payments), **more})

    def registration(self) -> None:
        self._user()

    def kyc(self) -> None:
        self._user(checks=[{"no": self.number, "paper": "passport", "result": "accepted",
                            "decided": "05/03/2026 11:00", "nation": "Cyprus"}])  # fmt: skip

    def deposit(self) -> None:
        self._user({"no": self.number, "kind": "in/card", "state": "done", "cur": "usd",
                    "changed": "03/03/2026 10:00", "cents": 50025})  # fmt: skip

    def reversal(self) -> None:
        self._user({"no": self.number, "kind": "in/card", "state": "refunded", "cur": "usd",
                    "changed": "10/04/2026 10:00", "cents": 50025})  # fmt: skip


class HubSpot(Sent):
    name = "hubspot"
    lacks = (DEPOSIT, REVERSAL)

    def values(self) -> dict[str, str]:
        return {"partner property": "ib_code", "kyc property": "kyc", "country property": "land"}

    def settings(self) -> dict[str, Any]:
        return {"url": self.broker.url(f"/hooks/{self.name}-{self.number}")}

    def secret(self) -> str:
        return SECRET

    def headers(self, body: bytes) -> Mapping[str, str]:
        at = str(int(time.time() * 1000))
        told = f"POST{self.settings()['url']}".encode() + body + at.encode()
        made = base64.b64encode(hmac.new(self.key.encode(), told, hashlib.sha256).digest())
        return {"X-HubSpot-Signature-v3": made.decode(), "X-HubSpot-Request-Timestamp": at}

    def _said(self, kind: str, at: str, **more: Any) -> dict[str, Any]:
        moment = int(datetime.fromisoformat(f"{at}+00:00").timestamp() * 1000)
        return {"eventId": 1, "subscriptionId": 12345, "portalId": 62515, "occurredAt": moment,
                "attemptNumber": 0, "objectId": int(self.client), "changeSource": "CRM",
                "appId": 54321, "subscriptionType": kind, **more}  # fmt: skip

    def registration(self) -> None:
        self.say([self._said("contact.creation", "2026-03-01T09:00:00"), self._said(
            "contact.propertyChange", "2026-03-01T09:00:01", propertyName="ib_code",
            propertyValue=self.partner_code)])  # fmt: skip

    def kyc(self) -> None:
        self.say([self._said("contact.propertyChange", "2026-03-05T09:00:00", propertyName="kyc",
                             propertyValue="approved")])  # fmt: skip


class CTraderInvite(Sent):
    """It says whose client an invited user becomes, and nothing else."""

    name = "ctrader-invite"
    lacks = STEPS

    def values(self) -> dict[str, str]:
        return {"user": "ctrader"}

    def secret(self) -> str:
        return SECRET

    def headers(self, body: bytes) -> Mapping[str, str]:
        made = base64.b64encode(f"ctrader:{self.key}".encode()).decode()
        return {"Authorization": f"Basic {made}"}

    def tell_second(self, step: str) -> None:
        if step == REGISTRATION:
            self.say({"invitedUserId": int(self.client), "partnerUserId": 77001,
                      "brokerPartnerId": self.partner_code, "brokerName": "demo"})  # fmt: skip
            self.deliver()
        super().tell_second(step)


class Track360Pushed(Sent):
    """Track360's schema, pushed with a token of the brand."""

    name = "track360"
    lacks = (KYC,)

    def secret(self) -> str:
        return SECRET.replace(" ", "-")

    def headers(self, body: bytes) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def registration(self) -> None:
        self.say({"customer_id": self.client, "signup_date": "2026-03-01T09:00:00Z",
                  "affiliate_id": self.partner_code, "country": "cy"})  # fmt: skip

    def _money(self, id_: str, kind: str, at: str, **more: Any) -> None:
        self.say({"data": [{"transaction_id": id_, "customer_id": self.client, "currency": "USD",
                            "transaction_type": kind, "transaction_date": at, "amount": "500.25",
                            **more}]})  # fmt: skip

    def deposit(self) -> None:
        self._money(self.client, "deposit", "2026-03-03T10:00:00Z")

    def reversal(self) -> None:
        self._money(f"{self.client}-cb", "chargeback", "2026-04-10T10:00:00Z",
                    original_transaction_id=self.client)  # fmt: skip


SENT = (PheasanTech, TraderRoom, HubSpot, CTraderInvite, Track360Pushed)
