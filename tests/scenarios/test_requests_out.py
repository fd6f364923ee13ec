"""Requests out of messages: postbacks filled in, webhooks as their schemas have them."""

from __future__ import annotations

import json

import pytest

from pipshare.errors import BadInput
from pipshare.outbox import Message, Receiver
from pipshare.pipeline.said.requests import build, checked, cut_to
from pipshare.tracking.catalogue import TYPES, example_data, schema_of


def _receiver(kind: str, **settings: object) -> Receiver:
    return Receiver(1, 1, None, "IB-1", kind, "his tracker", dict(settings))


def _message(kind: str) -> Message:
    return Message(7, 1, kind, "client:main/C-1001", 1_793_615_400_000, example_data(kind))


def test_a_postback_is_filled_in_with_what_the_partner_earned() -> None:
    receiver = _receiver("postback", url="https://t.example/pb?cid={sub1}&p={payout}&id={id}")
    request = build(receiver, _message("trade.closed"), 3)
    assert (request.method, request.body) == ("GET", b"")
    assert request.url == "https://t.example/pb?cid=s1&p=3.50&id=msg_7"


@pytest.mark.parametrize("kind", TYPES)
def test_a_webhook_has_what_its_schema_needs(kind: str) -> None:
    request = build(_receiver("webhook", url="https://b.example/in"), _message(kind), 3)
    told = json.loads(request.body)
    schema = schema_of(kind)
    assert set(told) == set(schema["required"])
    assert told["sequence"] == 3
    assert set(schema["properties"]["data"]["required"]) <= set(told["data"])
    assert request == build(_receiver("webhook", url="https://b.example/in"), _message(kind), 3)


def test_a_partner_is_told_of_nobody_above_him_and_of_no_others_earnings() -> None:
    earned = {"SUB": {"amount": "1"}, "IB-1": {"amount": "2"}, "MASTER": {"amount": "3"}}
    data = {"partner": "SUB", "chain": ["SUB", "IB-1", "MASTER"], "earned": earned}
    assert cut_to("", data) == data
    assert cut_to("IB-1", data) == {"partner": "SUB", "chain": ["SUB", "IB-1"],
                                    "earned": {"IB-1": {"amount": "2"}}}  # fmt: skip
    assert cut_to("OTHER", data) == {"partner": "SUB", "earned": {}}
    message = Message(7, 1, "trade.closed", "trade:a", 1_793_615_400_000, data)
    hook = Receiver(1, 1, 3, "SUB", "webhook", "his", {"url": "https://b.example/in",
                                                        "headers": {"X-Tenant": "7"}})  # fmt: skip
    request = build(hook, message, 1)
    assert b"MASTER" not in request.body
    assert b"IB-1" not in request.body
    assert ("X-Tenant", "7") in request.headers


def test_a_template_that_cannot_be_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(BadInput, match="Known macros"):
        checked("postback", {"url": "https://t.example/pb?cid={cid}"})
    checked("webhook", {"url": "https://t.example/{anything}"})
