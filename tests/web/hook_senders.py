"""Senders of webhooks: they sign as the systems do, by code that is not pipshare's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from standardwebhooks import Webhook

from pipshare import db as pg
from pipshare.pipeline.crm.set_up import set_up

LINES = "application/x-ndjson"
JSON = "application/json"
MAPPING: dict[str, Any] = {
    "format": 1, "name": "flat", "zone": "UTC",
    "rules": [
        {"name": "test", "when": [{"from": "test", "is": "true"}], "skip": "a test"},
        {"name": "one", "kind": {"from": "kind"}, "fields": [
            {"field": name, "from": name} for name in
            ("event", "at", "client", "amount", "currency", "reference", "country", "status",
             "partner_code")
        ]},
    ],
}  # fmt: skip
_numbers = count(1)


@dataclass
class Endpoint:
    """An endpoint, and one who sends to it by Standard Webhooks through `post`."""

    code: str
    secret: str
    post: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Return its address."""
        return f"/hooks/{self.code}"

    def send(
        self, told: Any, *, id_: str = "", at: float = 0.0, secret: str = "", kind: str = JSON,
        **more: str,
    ) -> Any:  # fmt: skip
        """Sign and send; a text or bytes go as they are."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        headers = signed(secret or self.secret, body, id_, at)
        return self.post(self.path, body, content_type=kind, headers={**headers, **more})


def signed(secret: str, body: bytes, id_: str = "", at: float = 0.0) -> dict[str, str]:
    """Return the headers of the public library for a body."""
    moment = datetime.fromtimestamp(at or time.time(), UTC)
    id_ = id_ or f"msg_{next(_numbers)}_{time.time_ns()}"
    try:
        signature = Webhook(secret).sign(id_, moment, body.decode())
    except UnicodeDecodeError:
        signature = "v1,AAAA"
    return {"webhook-id": id_, "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": signature}  # fmt: skip


def hmac_of(secret: str, body: bytes, digest: Any = hashlib.sha256) -> bytes:
    """Return the HMAC of a body."""
    return hmac.new(secret.encode(), body, digest).digest()


def hubspot(secret: str, url: str, body: bytes, at_ms: int) -> dict[str, str]:
    """Return HubSpot's headers, version 3."""
    told = f"POST{url}".encode() + body + str(at_ms).encode()
    signature = base64.b64encode(hmac_of(secret, told)).decode()
    return {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": str(at_ms)}


def endpoint(
    post: Any, *, code: str = "", mapping: Mapping[str, Any] | None = MAPPING, **given: Any
) -> Endpoint:
    """Set up an endpoint of entity main, under a code of its own."""
    code = code or f"crm-{next(_numbers)}"
    with pg.transaction() as conn:
        (entity,) = conn.execute("SELECT id FROM market_entity ORDER BY id").fetchone() or (0,)
        made = set_up(conn, entity, code, mapping=mapping, by="anna", **given)
    return Endpoint(code, made.secret or given.get("secret", ""), post)


def deposit(event: str, **more: Any) -> dict[str, Any]:
    """Return a deposit of 500 in the flat mapping's words."""
    return {"kind": "deposit", "event": event, "at": "2026-05-01T10:00:00Z", "client": "C-1",
            "amount": "500.00", "currency": "USD", **more}  # fmt: skip
