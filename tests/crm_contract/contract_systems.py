"""A system of the contract: it tells one client's story in the shape that it documents.

A system that lacks something lets a second door tell it: a signed webhook with the same source.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from datetime import UTC, datetime
from itertools import count
from typing import Any

from standardwebhooks import Webhook
from tests.crm_contract.contract_world import Broker

from pipshare.crm import preset

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
REGISTRATION, KYC, DEPOSIT, REVERSAL = STEPS = ("registration", "kyc", "deposit", "reversal")

TODAY_MS = 1_775_988_000_000  # 12 April 2026: the story is over


class System:
    """One system with one client `number` of one partner; a step is told, then delivered."""

    name = kind = ""
    lacks: tuple[str, ...] = ()
    partner = "IB-{n}"
    reference = "{n}"  # the deposit's event in this source

    def __init__(self, broker: Broker, number: int) -> None:
        self.broker, self.number = broker, number
        self.client = str(1000 + self.number)
        self.endpoint = self.set_up(f"{self.name}-{number}", self.kind or "webhook", self.name)
        mapping = preset(self.name).mapping
        self.source = mapping["source"]
        self.second: Any = None

    @property
    def partner_code(self) -> str:
        """The code of its partner."""
        return self.partner.format(n=self.number)

    def values(self) -> dict[str, str]:
        """What the broker fills into the preset."""
        return {}

    def settings(self) -> dict[str, Any]:
        """The settings of the endpoint."""
        return {}

    def secret(self) -> str:
        """The endpoint's secret."""
        return ""

    def set_up(self, code: str, kind: str, name: str, **more: Any) -> Any:
        """Set up an endpoint as `pipshare crm add` does."""
        from pipshare.pipeline.crm.set_up import set_up

        conn = self.broker.conn
        (entity,) = conn.execute("SELECT id FROM market_entity ORDER BY id").fetchone()
        given = {"settings": self.settings(), "secret": self.secret(), "values": self.values()}
        made = set_up(conn, entity, code, kind, preset=preset(name), by="anna", **(given | more))
        conn.commit()
        self.made = made
        return made.endpoint

    def tell(self, step: str) -> None:
        """Let a step happen, at the system or, where it lacks it, at the second door."""
        if step in self.lacks:
            self.tell_second(step)
        else:
            getattr(self, step)()
            self.deliver()
        self.broker.settle()

    def deliver(self) -> None:
        """Bring what happened to pipshare."""

    def again(self) -> None:
        """Bring all of it once more."""
        self.deliver()

    def close(self) -> None:
        """End what was started."""

    def tell_second(self, step: str) -> None:
        """Tell a step at the door beside: Standard Webhooks in the names of pheasantech."""
        if self.second is None:
            mapping = {**preset("pheasantech").mapping, "source": self.source}
            self.second = self.set_up(
                f"{self.name}-{self.number}-more", "webhook", "pheasantech", settings={},
                secret="", values={}, mapping=mapping,
            )  # fmt: skip
            self.second_secret = self.made.secret
        told = canonical(step, self.client, self.partner_code, self.reference.format(n=self.number))
        send_standard(self.broker, self.second.code, self.second_secret, told)


def canonical(step: str, client: str, partner: str, deposit: str) -> dict[str, Any]:
    """Return a step as we ask PheasanTech to send it."""
    data: dict[str, Any] = {"client_id": client, "id": f"{step}-{client}"}
    type_, at, more = {
        REGISTRATION: ("client.registered", "2026-03-01T09:00:00Z", {"referring_ib": partner}),
        KYC: ("kyc.changed", "2026-03-05T09:00:00Z", {"status": "approved", "jurisdiction": "CY"}),
        DEPOSIT: ("deposit.approved", "2026-03-03T10:00:00Z",
                  {"id": deposit, "amount": "500.25", "currency": "USD", "method": "card"}),
        REVERSAL: ("deposit.reversed", "2026-04-10T10:00:00Z", {"original_id": deposit}),
    }[step]  # fmt: skip
    return {"type": type_, "timestamp": at, "data": {**data, **more}}


def send_standard(broker: Broker, code: str, secret: str, told: Any, status: int = 200) -> bytes:
    """Sign and send by the public library of Standard Webhooks."""
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    at, id_ = datetime.now(UTC), f"msg_{code}_{hashlib.sha256(body).hexdigest()[:20]}"
    headers = {"webhook-id": id_, "webhook-timestamp": str(int(at.timestamp())),
               "webhook-signature": Webhook(secret).sign(id_, at, body.decode())}  # fmt: skip
    got, answer = broker.post(f"/hooks/{code}", body, headers)
    assert got == status, answer
    return answer


class Polled(System):
    """A system that is asked."""

    fake: Any = None
    make: Any = None

    def __init__(self, broker: Broker, number: int) -> None:
        self.rounds = count()
        super().__init__(broker, number)

    def settings(self) -> dict[str, Any]:
        if self.fake is None:
            self.fake = self.make()
        return {"url": self.fake.base}

    def deliver(self) -> None:
        """Do one round, as `pipshare work` does, a minute after the one before."""
        from pipshare import inbox
        from pipshare.pipeline.crm import pollers
        from pipshare.pipeline.crm.polling import poll

        conn = self.broker.conn
        secrets = inbox.endpoint_secrets(conn, self.endpoint.id)
        conn.commit()
        poller = pollers.make(self.endpoint, secrets, LOOPBACK)
        try:
            poll(conn, self.endpoint, poller, now_ms=TODAY_MS + 60_000 * next(self.rounds))
        finally:
            conn.rollback()
            poller.close()

    def again(self) -> None:
        from pipshare import inbox

        inbox.save_endpoint_cursor(self.broker.conn, self.endpoint.id, {})
        self.broker.conn.commit()
        self.deliver()

    def close(self) -> None:
        if self.fake is not None:
            self.fake.close()

    def add(self, name: str, /, **row: Any) -> None:
        """Let a record appear at the system."""
        self.fake.lists.setdefault(name, []).append(row)

    def crowd(self, others: int) -> None:
        """Let others register, so that what is read has several pages."""
        client, number = self.client, self.number
        for other in range(others):
            self.client, self.number = f"{client}{other:03}", 0
            self.registration()
        self.client, self.number = client, number
