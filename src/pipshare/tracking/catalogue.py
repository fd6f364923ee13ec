"""What is said to the outside: the types of messages, their fields, and a JSON Schema of each.

A message is a type, a moment and data: one flat object of strings but for `chain` and `earned`.
Fields that are not known are left out. Trackers know six of the types by shorter names. The files
in tracking/schemas are made by `python -m pipshare.tracking.catalogue FOLDER`; a test holds them.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Said:
    """A type of message: what it says, the tracker's name for it, and the fields it has.

    `event` is what the macro {event} and a tracker's filter call it, "" = not for trackers.
    """

    about: str
    event: str
    needs: tuple[str, ...]
    may: tuple[str, ...] = ()


_CLIENT = ("entity", "client", "partner", "chain")
_FROM = ("country", "click_id", "link", "campaign", "sub1", "sub2", "sub3", "sub4", "sub5")
_TRADE = ("server", "login", "ticket", "symbol", "lots", "open_time", "close_time",
          "open_price", "close_price", "revision")  # fmt: skip
_MONEY = ("amount", "currency")
_IB = ("application", "external", "source", "partner", "told_by")
_PERSON = ("name", "email", "company", "country", "phone", "website")
TYPES: dict[str, Said] = {
    "client.registered": Said("a client registered", "registration", (*_CLIENT, "txid"), _FROM),
    "client.qualified": Said(
        "a client's deposits are cleared and reach what a deposit has to be to qualify",
        "qualified_deposit", (*_CLIENT, "txid", *_MONEY), _FROM,
    ),
    "client.first_trade": Said(
        "a client's first execution on any of his accounts, opening or closing",
        "first_trade", (*_CLIENT, "txid", "server", "login"), (*_FROM, "ticket", "symbol", "lots"),
    ),
    "trade.closed": Said(
        "a client's trade was closed; a higher revision says it again with other content",
        "trade", (*_CLIENT, "txid", *_TRADE), (*_FROM, "earned"),
    ),
    "commission.posted": Said(
        "a partner earned an amount", "commission",
        ("entity", "partner", "txid", "component", "earned", *_MONEY),
        ("client", "chain", *_FROM, *_TRADE, "period", "reference"),
    ),
    "commission.reversed": Said(
        "an amount that a partner had earned is taken back, whole or in part: it is below zero",
        "reversal",
        ("entity", "partner", "txid", "component", "earned", *_MONEY),
        ("client", "chain", *_FROM, *_TRADE, "period", "reference", "reason"),
    ),
    "deposit.reversed": Said(
        "what a client had qualified by is gone: his deposit was reversed or charged back",
        "reversal", (*_CLIENT, "txid", "reference"), (*_FROM, *_MONEY, "reason"),
    ),
    "ib.applied": Said(
        "somebody applied to become an introducing broker", "",
        ("entity", "application", "source", "name", "currency"),
        ("external", "told_by", "parent", *_PERSON),
    ),
    "ib.approved": Said(
        "an application was approved: he is a partner now", "",
        ("entity", "application", "source", "partner", "currency"),
        ("external", "told_by", "parent", "programme", "tier", *_PERSON),
    ),
    "ib.rejected": Said(
        "an application was rejected", "", ("entity", "application", "source", "reason"),
        ("external", "told_by", "name"),
    ),
    "ib.agreement_changed": Said(
        "an applicant or partner accepted a version of an agreement, or is to accept a new one", "",
        ("entity", "agreement", "version", "digest", "status"), _IB,
    ),
    "ib.tier_changed": Said(
        "terms were recorded: the programme and rate card of a partner from a moment on", "",
        ("entity", "partner", "programme", "tier"),
        ("application", "external", "source", "told_by", "valid_from", "valid_to"),
    ),
    "kyc.expiring": Said(
        "an approved client's document ends within so many days; said once for each number of days",
        "", ("entity", "client", "expires_at", "days"), ("document",),
    ),
    "receiver.switched_off": Said(
        "a receiver of messages failed for days and is not called any more", "",
        ("entity", "receiver", "reason"), ("partner",),
    ),
    "test": Said("somebody pressed the test button", "", ("entity",), _FROM),
}  # fmt: skip
EVENTS = tuple(dict.fromkeys(said.event for said in TYPES.values() if said.event))

FIELDS: dict[str, tuple[str, str]] = {
    "entity": ("code of the legal entity", "main"),
    "client": ("the client's code", "C-1001"),
    "country": ("of the client, ISO 3166 two-letter", "CY"),
    "partner": ("code of the client's introducing broker; of commissions: of who earned", "IB-1"),
    "chain": ("codes of all partners above the client, his introducing broker first", ""),
    "click_id": ("our id of the click he came by", "01K9XJ4T8QWZ3M5N7P2R6S0V1B"),
    "link": ("code of the link he came by", "spring"),
    "campaign": ("of that link", "spring-2026"),
    **{f"sub{n}": (f"sub{n} of that click, as the link had it", f"s{n}") for n in range(1, 6)},
    "txid": ("id of what happened: deposit, deal or trade; the same whenever it is said", "t-7"),
    "reference": ("txid of the message that this one takes back, or corrects", "dep-1001"),
    "amount": ("exact decimal", "250.00"),
    "currency": ("of the amount", "USD"),
    "server": ("trade server", "Live-1"),
    "login": ("trading account", "700001"),
    "ticket": ("MT4 ticket or MT5 deal", "123456"),
    "symbol": ("as the platform writes it", "EURUSD"),
    "lots": ("closed lots; of first trades: executed", "0.50"),
    "open_time": ("UTC", "2026-11-02T09:00:00Z"),
    "close_time": ("UTC", "2026-11-02T10:30:00Z"),
    "open_price": ("exact decimal", "1.1012"),
    "close_price": ("exact decimal", "1.1034"),
    "revision": ("of the trade's content, from 1", "1"),
    "earned": ("by partner's code what he earned by it: amount and currency", ""),
    "component": ("code of the programme's component", "lots"),
    "period": ("of sums over a window: its first day", "2026-11-01"),
    "reason": ("why", "chargeback_lost"),
    "document": ("kind of the document, as it was told", "passport"),
    "expires_at": ("the document's end, UTC", "2026-12-02T00:00:00Z"),
    "days": ("so many days before the end, or fewer", "30"),
    "receiver": ("name of the receiver", "IB-1 Voluum"),
    "application": ("number of the application", "17"),
    "source": ("where it came from: apply, the public page, or the CRM that told of it", "apply"),
    "external": ("the introducing broker's id in that CRM", "ib-5531"),
    "told_by": ("the CRM that told of it; left out: it was decided here", "our-crm"),
    "name": ("of the applicant", "Sofia Marques"),
    "email": ("of the applicant", "sofia@ib.example"),
    "company": ("of the applicant", "Marques Lda"),
    "phone": ("of the applicant", "+351 21 000 0000"),
    "website": ("of the applicant", "https://ib.example"),
    "parent": ("code of the partner above", "MASTER"),
    "programme": ("code of the programme; none = he earns nothing, on purpose", "standard"),
    "tier": ("his rate card in the programme", "gold"),
    "agreement": ("code of the agreement", "partner"),
    "version": ("of the agreement, from 1", "2"),
    "digest": ("SHA-256 of the agreement's text in UTF-8, hex", "9f86d081884c7d65"),
    "status": ("accepted, or offered: he is to accept it", "accepted"),
    "valid_from": ("UTC; left out: always", "2026-12-01T00:00:00Z"),
    "valid_to": ("UTC; left out: until further notice", "2027-12-01T00:00:00Z"),
}  # fmt: skip
_AMOUNT = {
    "type": "object",
    "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}},
    "required": ["amount", "currency"],
}
_SHAPES: dict[str, dict[str, Any]] = {
    "chain": {"type": "array", "items": {"type": "string"}},
    "earned": {"type": "object", "additionalProperties": _AMOUNT},
}
_EXAMPLES: dict[str, Any] = {
    "chain": ["IB-1", "MASTER"],
    "earned": {"IB-1": {"amount": "3.50", "currency": "USD"}},
}
_TAKEN_BACK = {
    "amount": "-3.50",
    "currency": "USD",
    "earned": {"IB-1": {"amount": "-3.50", "currency": "USD"}},
}


def schema_of(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the whole body of a type of message."""
    said = TYPES[kind]
    names = [name for name in FIELDS if name in (*said.needs, *said.may)]
    shapes = {
        name: {**_SHAPES.get(name, {"type": "string"}), "description": FIELDS[name][0]}
        for name in names
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:pipshare:message:{kind}",
        "title": kind,
        "description": said.about,
        "type": "object",
        "properties": {
            "type": {"const": kind},
            "timestamp": {"type": "string", "description": "when it happened, UTC"},
            "sequence": {
                "type": "integer",
                "description": "counts up per receiver and per client or trade, without gaps",
            },
            "data": {
                "type": "object",
                "properties": shapes,
                "required": [name for name in names if name in said.needs],
            },
        },
        "required": ["type", "timestamp", "sequence", "data"],
        "examples": [example(kind)],
    }


def example(kind: str) -> dict[str, Any]:
    """Return a whole body of a type as it may be sent."""
    return {"type": kind, "timestamp": "2026-11-02T10:30:00Z", "sequence": 3,
            "data": example_data(kind)}  # fmt: skip


def example_data(kind: str) -> dict[str, Any]:
    """Return data of a type, with every field that it may have: for previews and tests."""
    said = TYPES[kind]
    told = {
        name: _EXAMPLES.get(name, FIELDS[name][1])
        for name in FIELDS
        if name in (*said.needs, *said.may)
    }
    return told | (_TAKEN_BACK if kind == "commission.reversed" else {})


def text_of(kind: str) -> str:
    """Return a schema as its file has it."""
    return json.dumps(schema_of(kind), indent=2) + "\n"


if __name__ == "__main__":
    for _kind in TYPES:
        (Path(sys.argv[1]) / f"{_kind}.json").write_text(text_of(_kind))
