"""Signatures of webhooks, as Standard Webhooks wants them, by the public reference library."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from pipshare.outbox.sealed import Secret


def message_id(number: int) -> str:
    """Return the id under which a receiver knows a message: the same for each repeat."""
    return f"msg_{number}"


class Signer:
    """Signs with all secrets of a receiver that hold, newest first; sends his secret headers."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        self._signing = [(Webhook(one.text), one.until_ms) for one in secrets if not one.header]
        self.own = [
            (one.header.encode("ascii"), one.text.encode("latin-1"))
            for one in secrets
            if one.header
        ]

    def headers(self, number: int, body: bytes, now_ms: int) -> list[tuple[str, str]]:
        """Return the headers that identify and sign a webhook, sent at `now_ms`."""
        name, text = message_id(number), body.decode()
        at = datetime.fromtimestamp(now_ms // 1000, UTC)
        signed = [key.sign(name, at, text) for key, until in self._signing if now_ms < until]
        found = [("webhook-id", name), ("webhook-timestamp", str(now_ms // 1000))]
        return [*found, ("webhook-signature", " ".join(signed))] if signed else found
