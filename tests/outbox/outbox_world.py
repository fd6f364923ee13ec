"""A database with an entity, receivers and messages, for the tests of the outbox."""

from __future__ import annotations

import json
import time
from typing import Any

import polars as pl
import psycopg

from pipshare import outbox
from pipshare.outbox import Message, Receiver


def entity(conn: psycopg.Connection[Any]) -> int:
    """Return the id of the entity that every installation has."""
    row = conn.execute("SELECT id FROM market_entity ORDER BY id LIMIT 1").fetchone()
    assert row is not None
    return int(row[0])


def hook(conn: psycopg.Connection[Any], name: str, url: str, **settings: Any) -> Receiver:
    """Add a webhook receiver that fails quickly, with a secret."""
    kind = settings.pop("kind", "webhook")
    partner = settings.pop("partner", "")
    told = {"url": url, "timeout_s": 2, **settings}
    made = outbox.add(
        conn, entity(conn), kind, name, told,
        partner_id=7 if partner else None, partner=partner, by="test",
    )  # fmt: skip
    if kind == "webhook":
        outbox.rotate_secret(conn, made, by="test")
    return made


def said(number: int, subject: str = "", *, entity_id: int = 1, **data: Any) -> dict[str, Any]:
    """Return a row for `say`, the number its key."""
    kind = data.pop("type", "trade.closed")
    return {
        "entity_id": entity_id, "type": kind, "key": f"k{number}",
        "subject": subject or f"trade:{number}", "at_ms": int(time.time() * 1000),
        "data": json.dumps({"n": str(number), **data}),
    }  # fmt: skip


def say(conn: psycopg.Connection[Any], *rows: dict[str, Any]) -> int:
    """Say rows of `said`."""
    return outbox.say(conn, pl.DataFrame(list(rows), schema=outbox.MESSAGES))


def message(kind: str = "trade.closed", entity_id: int = 1, **data: Any) -> Message:
    """Return a message as the matcher gets it."""
    return Message(1, entity_id, kind, "trade:1", 0, data)


def receiver(number: int = 1, **given: Any) -> Receiver:
    """Return a receiver as the matcher gets it; what is not a field is a setting."""
    fields = {key: given.pop(key) for key in ("kind", "partner", "state", "off_at_ms", "entity_id")
              if key in given}  # fmt: skip
    plain = {"entity_id": 1, "partner": "", "kind": "webhook", **fields}
    partner_id = 7 if plain["partner"] else None
    return Receiver(id=number, name=f"r{number}", partner_id=partner_id, settings=given, **plain)
