"""One JSON Schema per kind of event, made from the table of fields; facts/schemas holds them.

A test holds the committed files equal to what is made here. Writing them anew:
`python -m pipshare.facts.event_schemas FOLDER`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pipshare.facts.events import ALWAYS, ANY, KINDS
from pipshare.facts.fields import FIELDS

VERSION = 1  # of the schemas: more fields are no new version, another meaning is
_DECIMAL = r"^[+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$"
_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string", "maxLength": 1000},
    "e8": {"type": ["string", "number"], "pattern": _DECIMAL},
    "currency": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9]{2,7}$"},
    "int": {"type": ["string", "integer"], "pattern": "^[0-9]+$"},
    "moment": {"type": "string", "description": "ISO 8601 with a zone; a date alone is the start"
               " of the broker's day"},
}  # fmt: skip
_SIGNED = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$"
_EXAMPLES: dict[str, str] = {
    "event": "tx-1001", "at": "2026-07-01T10:00:00Z", "client": "C-1", "source": "crm",
    "amount": "250.00", "currency": "USD", "reference": "tx-1000", "server": "Live-1",
    "login": "1001", "country": "CY", "balance": "1250.00", "credit": "250.00",
    "equity": "1300.50", "cleared_at": "2026-07-01T12:00:00Z", "method": "card",
    "document": "passport", "expires_at": "2031-07-01T00:00:00Z", "version": "1",
    "other_client": "C-9", "partner": "IB-7", "reason": "moved to the desk of IB-7",
    "effective_at": "2026-07-01T00:00:00Z",
}  # fmt: skip


def schema_of(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a kind's events, with an example."""
    one = KINDS[kind]
    asked = {field.name: field for field in FIELDS["events"]}
    names = [*ALWAYS, *one.needs, *one.may, *ANY]
    properties: dict[str, Any] = {}
    for name, field in asked.items():
        if name not in names:
            continue
        told = dict(_TYPES[field.type])
        if name in ("balance", "credit", "equity"):
            told["pattern"] = _SIGNED
        if name == "kind":
            told = {"const": kind}
        properties[name] = {**told, "description": told.get("description") or field.about}
    required = [name for name in asked if name in (*ALWAYS, *one.needs)]
    whole: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:pipshare:event:{kind}:{VERSION}",
        "title": kind,
        "description": one.about,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
    if not {"client", "login"} & set(one.needs):
        whole["anyOf"] = [{"required": ["client"]}, {"required": ["server", "login"]}]
    whole["examples"] = [example(kind)]
    return whole


def example(kind: str) -> dict[str, str]:
    """Return an event of a kind as it may be sent: what it needs, and what it may have."""
    one = KINDS[kind]
    names = (*ALWAYS, *one.needs, *one.may, "client", "source", "version")
    given = {"kind": kind, "status": kind.removeprefix("kyc_"), **_EXAMPLES}
    return {field.name: given[field.name] for field in FIELDS["events"] if field.name in names}


def text_of(kind: str) -> str:
    """Return a schema as its file has it."""
    return json.dumps(schema_of(kind), indent=2) + "\n"


if __name__ == "__main__":
    for _kind in KINDS:
        (Path(sys.argv[1]) / f"{_kind}.json").write_text(text_of(_kind))
