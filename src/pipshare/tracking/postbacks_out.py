"""Postbacks to trackers: a message and a receiver's settings become one HTTP request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipshare.errors import BadInput
from pipshare.tracking.catalogue import EVENTS, TYPES
from pipshare.tracking.macros import (
    Template,
    body_template,
    checked_json,
    checked_url,
    header_template,
    url_template,
)

_KINDS = {"form": "application/x-www-form-urlencoded", "json": "application/json"}


@dataclass(frozen=True)
class Call:
    """An HTTP request, ready to be sent."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Postback:
    """How a tracker wants to be told: checked once, when it is set up.

    `events` and `statuses` are the tracker's words, by our event's name (catalogue.EVENTS).
    """

    url: Template
    method: str = "GET"
    body: Template | None = None
    headers: tuple[tuple[str, Template], ...] = ()
    events: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> Postback:
        """Read settings: url, method, body, body_type, headers, event_names, statuses.

        Raises BadInput that names the setting and what to do.
        """
        method = str(told.get("method") or "GET").upper()
        if method not in ("GET", "POST"):
            raise BadInput("bad_method", f"method {method!r}: a postback is sent by GET or POST")
        url, body = url_template(str(told.get("url") or "")), None
        if told.get("body"):
            if method == "GET":
                raise BadInput("bad_body", "a GET has no body: choose POST, or leave body away")
            body = body_template(str(told["body"]), str(told.get("body_type") or "form"))
        headers = tuple(
            (name, header_template(name, str(text)))
            for name, text in (told.get("headers") or {}).items()
        )
        words = [dict(told.get(name) or {}) for name in ("event_names", "statuses")]
        for name in (*words[0], *words[1]):
            if name not in EVENTS:
                raise BadInput(
                    "unknown_event", f"{name!r} is no event; there are {', '.join(EVENTS)}"
                )
        return cls(url, method, body, headers, *words)

    def call(self, values: Mapping[str, str]) -> Call:
        """Fill in. Raises BadInput when what comes out cannot be sent."""
        url = checked_url(self.url.fill(values))
        headers = [(name, text.fill(values)) for name, text in self.headers]
        body = b""
        if self.body is not None:
            text = self.body.fill(values)
            body = (checked_json(text) if self.body.way == "json" else text).encode()
            headers.append(("content-type", _KINDS[self.body.way]))
        return Call(self.method, url, tuple(headers), body)

    def values(
        self, kind: str, data: Mapping[str, Any], *, at: datetime, partner: str, message_id: str
    ) -> dict[str, str]:
        """Return the macros' values for a message of type `kind`.

        `partner` is the receiver's: his payout counts; "" = the client's introducing broker's.
        """
        event = TYPES[kind].event or kind
        earned = (data.get("earned") or {}).get(partner or data.get("partner", ""), {})
        own = {name: str(told) for name, told in data.items() if isinstance(told, str)}
        return {
            **own,
            "event": self.events.get(event, event),
            # A test says what a registration does: some trackers refuse a status they do not know.
            "status": self.statuses.get("registration" if kind == "test" else event, ""),
            "payout": earned.get("amount", ""),
            "currency": earned.get("currency") or own.get("currency", ""),
            "amount_currency": own.get("currency", ""),
            "txid": (own.get("reference") if event == "reversal" else "") or own.get("txid", ""),
            "id": message_id,
            "type": kind,
            "client_id": own.get("client", ""),
            "time": str(int(at.timestamp())),
            "date_time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
