"""Requests to receivers: a postback for a tracker, the body of a webhook, a mapped request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from pipshare.outbox import Message, Receiver, Request
from pipshare.period import from_ms
from pipshare.pipeline.said import mapped
from pipshare.tracking.postbacks_out import Postback
from pipshare.tracking.webhooks import body_of

_KEPT = 1_000  # templates that were parsed once


def build(receiver: Receiver, message: Message, seq: int) -> Request:
    """Return the request that tells a receiver of a message; `seq` counts those of its subject.

    Raises BadInput when a template, filled in, cannot be sent: sending it again would not help.
    """
    message = replace(message, data=cut_to(receiver.partner, message.data))
    if receiver.kind == "webhook":
        body = body_of(message.type, from_ms(message.at_ms), message.data, seq)
        own = (receiver.settings.get("headers") or {}).items()
        headers = (("content-type", "application/json"), *((name, str(text)) for name, text in own))
        return Request("POST", receiver.settings["url"], headers, body)
    if receiver.kind == "request":
        return mapped.build(receiver, message, seq)
    template = _template(json.dumps(receiver.settings, sort_keys=True))
    return filled_in(template, receiver.partner, message)


def cut_to(partner: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a partner may be told: nobody above him, and nobody's earnings but his own.

    The broker's own receivers ("") are told everything.
    """
    told = dict(data)
    if not partner:
        return told
    told.pop("parent", None)
    if "earned" in told:
        told["earned"] = {who: one for who, one in told["earned"].items() if who == partner}
    chain = told.pop("chain", [])
    if partner in chain:
        told["chain"] = chain[: chain.index(partner) + 1]
    return told


def filled_in(template: Postback, partner: str, message: Message) -> Request:
    """Return a postback as it is sent for a message: for previews, too."""
    values = template.values(
        message.type, message.data, at=from_ms(message.at_ms), partner=partner,
        message_id=f"msg_{message.id}",
    )  # fmt: skip
    call = template.call(values)
    return Request(call.method, call.url, call.headers, call.body)


def checked(kind: str, settings: Mapping[str, Any]) -> None:
    """Refuse settings with which no request can be built. Raises BadInput that says what to do."""
    if kind == "postback":
        Postback.parse(settings)
    if kind == "request":
        mapped.check(settings)


@lru_cache(_KEPT)
def _template(settings: str) -> Postback:
    return Postback.parse(json.loads(settings))
