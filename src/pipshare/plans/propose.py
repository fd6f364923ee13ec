"""Puts changes of terms before a second person: one proposal per load, kept readable for him."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare import audit
from pipshare.partners.wording import span
from pipshare.period import FOREVER_MS
from pipshare.plans.participants import NOTHING

KIND = "terms"
Key = tuple[str, str, str, str, int, int | None]


def propose_terms(
    conn: psycopg.Connection[Any], rows: pl.DataFrame, by: str, reason: str
) -> list[int]:
    """Propose resolved rows (with `was`, what held before); returns a number per row.

    What waits already from an earlier load keeps its number.
    """
    waiting = {
        _key(record): one.id
        for one in audit.pending(conn, KIND)
        for record in one.payload["records"]
    }
    records = [_record(row) for row in rows.to_dicts()]
    fresh = [record for record in records if _key(record) not in waiting]
    if fresh:
        number = audit.propose(conn, KIND, _subject(fresh), {"records": fresh}, reason, by)
        waiting.update({_key(record): number for record in fresh})
    return [waiting[_key(record)] for record in records]


def proposed_frame(payload: dict[str, Any]) -> pl.DataFrame:
    """Turn a proposal's records back into a frame as load_terms takes it."""
    records = payload["records"]
    names = ("partner", "programme", "entity", "card")
    return pl.DataFrame(
        {
            **{name: [record[name] for record in records] for name in names},
            "valid_from": [record["from_ms"] for record in records],
            "valid_to": [record["to_ms"] for record in records],
            "line": range(1, len(records) + 1),
        },
        schema_overrides={"valid_from": pl.Int64, "valid_to": pl.Int64, "line": pl.Int32},
    )


def says(programme: str, card: str) -> str:
    """Return terms in words."""
    return "earns nothing" if programme == NOTHING else f"{programme}, card {card}"


def _record(row: dict[str, Any]) -> dict[str, Any]:
    end = row["end"]
    return {
        "entity": row["entity"], "partner": row["partner"], "programme": row["programme"],
        "card": row["card"], "from_ms": row["start"], "to_ms": None if end >= FOREVER_MS else end,
        "was": row["was"],
    }  # fmt: skip


def _key(record: dict[str, Any]) -> Key:
    names = ("entity", "partner", "programme", "card", "from_ms", "to_ms")
    entity, partner, programme, card, start, end = (record[name] for name in names)
    return entity, partner, programme, card, start, end


def _subject(records: list[dict[str, Any]]) -> str:
    first = records[0]
    when = span(first["from_ms"], FOREVER_MS if first["to_ms"] is None else first["to_ms"])
    subject = (
        f"terms of partner {first['partner']}: {first['was']} -> "
        f"{says(first['programme'], first['card'])}, {when}"
    )
    return subject + (f", and {len(records) - 1} more" if len(records) > 1 else "")
