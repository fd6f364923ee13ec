"""What a receiver would get: the request of each event, filled in with example data."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from pipshare.errors import PipshareError
from pipshare.outbox import Message, Receiver
from pipshare.outbox.match import wants_type
from pipshare.period import to_ms
from pipshare.pipeline.said.requests import build
from pipshare.tracking.catalogue import TYPES, example_data

POSTBACK, WEBHOOK, REQUEST = "postback", "webhook", "request"
_EXAMPLE_MS = to_ms(datetime(2026, 11, 2, 10, 30, tzinfo=UTC))


def previews(receiver: Receiver, entity: str) -> list[dict[str, Any]]:
    """Return the request of each event that a receiver hears, filled in with example data."""
    wanted = receiver.settings.get("events", ())
    found = []
    for number, (kind, said) in enumerate(TYPES.items(), 1001):
        is_test = kind == "test" and receiver.kind != REQUEST  # which would really do something
        if not (is_test or wants_type(wanted, kind)):
            continue
        if receiver.kind == POSTBACK and not (said.event or kind == "test"):
            continue
        data = _examples(kind, entity, receiver.partner)
        data |= {"crm_id": "ib-5531"} if receiver.kind == REQUEST else {}
        message = Message(number, receiver.entity_id, kind, "", _EXAMPLE_MS, data)
        row: dict[str, Any] = {"name": said.event or kind if receiver.kind == POSTBACK else kind,
                               "about": said.about}  # fmt: skip
        try:
            made = build(receiver, message, 1)
            row |= {"method": made.method, "url": made.url, "headers": made.headers,
                    "body": spread(made.body)}  # fmt: skip
        except PipshareError as error:
            row["error"] = error.message
        found.append(row)
    return found


def test_data(entity: str, partner: str) -> dict[str, Any]:
    """Return what a test message says."""
    return _examples("test", entity, partner)


def _examples(kind: str, entity: str, partner: str) -> dict[str, Any]:
    data = {**example_data(kind), "entity": entity}
    if partner:
        data |= {"partner": partner} if "partner" in data else {}
        data |= {"chain": [partner, *data["chain"][1:]]} if "chain" in data else {}
        data |= (
            {"earned": {partner: next(iter(data["earned"].values()))}} if "earned" in data else {}
        )
    return data


def spread(body: bytes | str) -> str:
    """Return a body for reading: JSON over several lines, anything else as it is."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False) if text else ""
    except ValueError:
        return text
