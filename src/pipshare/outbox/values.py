"""What the outbox hands around: receivers, messages, requests, deliveries, attempts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

POSTBACK, WEBHOOK, REQUEST = KINDS = ("postback", "webhook", "request")
ACTIVE, PAUSED, OFF, REMOVED = "active", "paused", "off", "removed"
BEHIND, DUE, DELIVERED, DEAD, CANCELLED = "behind", "due", "delivered", "dead", "cancelled"
TEST, SWITCHED_OFF = "test", "receiver.switched_off"  # the types that are the outbox's own

# What `say` takes. `data` is the text of a JSON object; moments are UTC milliseconds.
MESSAGES = {
    "entity_id": pl.Int64, "type": pl.String, "key": pl.String, "subject": pl.String,
    "at_ms": pl.Int64, "data": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Receiver:
    """Somebody who is told. `partner` is his partner's code, "" for the broker's own.

    `settings` hold url, method, headers, body and what else the builder of requests reads, and what
    the outbox reads: see receiver_settings. No secrets.
    """

    id: int
    entity_id: int
    partner_id: int | None
    partner: str
    kind: str
    name: str
    settings: dict[str, Any]
    state: str = ACTIVE
    off_at_ms: int | None = None
    off_reason: str = ""
    version: int = 1


@dataclass(frozen=True)
class Message:
    """What is said. `data` is the message's JSON object, all values texts or objects of texts."""

    id: int
    entity_id: int
    type: str
    subject: str
    at_ms: int
    data: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Request:
    """An HTTP request as it is to be sent. The outbox adds signatures and secret headers."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


# (receiver, message, sequence number) -> what to send. A PipshareError that it raises is permanent.
Build = Callable[[Receiver, Message, int], Request]


@dataclass(frozen=True)
class Heard:
    """What the answer to a request says: the receiver's own id of what it was told of, or why it
    refuses it (`rejected`), or what is wrong with the answer (`wrong`)."""

    crm_id: str = ""
    rejected: str = ""
    wrong: str = ""


# (receiver, message, status, body) -> what an answer to a receiver of kind request says.
Read = Callable[[Receiver, Message, int, bytes], Heard]


@dataclass(frozen=True)
class Delivery:
    """One message to one receiver, as it stands. Moments are UTC milliseconds."""

    id: int
    receiver: str
    message_id: int
    type: str
    subject: str
    seq: int
    state: str
    attempts: int
    not_before_ms: int
    ended_ms: int | None
    reason: str
    said_ms: int
    data: dict[str, Any]


@dataclass(frozen=True)
class Attempt:
    """One attempt: what was sent, what came back. `status` is None when nothing did."""

    delivery_id: int
    number: int
    due_ms: int
    at_ms: int
    ms: int
    method: str
    url: str
    headers: str
    body: str
    status: int | None
    answer: str
    outcome: str
    error: str
