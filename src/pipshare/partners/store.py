"""Read, write and propose relations: the only writer of both relation tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import psycopg

from pipshare import audit, db
from pipshare.partners.plan import CLIENT, PARTNER, signature
from pipshare.partners.verdicts import NOBODY
from pipshare.partners.wording import span
from pipshare.period import FOREVER_MS

PER_PROPOSAL = 10_000  # moves: what one person can still be asked to look at and one row can hold
_MANY = 20_000  # clients: from here on the whole table is read faster than by number
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('pipshare.partners'))"
_KNOWN = """
SELECT {subject}, COALESCE({above}, 0), {start}, {end}, id FROM {table} {where} ORDER BY id
"""
_SCHEMA = dict.fromkeys(("subject", "above", "start", "end", "id"), pl.Int64)
Key = tuple[str, str, str, str, int, int | None]


@dataclass(frozen=True)
class Table:
    """Where relations of one kind are kept."""

    name: str
    subject: str
    above: str


TABLES = {
    CLIENT: Table("partners_client", "client_id", "partner_id"),
    PARTNER: Table("partners_parent", "partner_id", "parent_id"),
}


def lock(conn: psycopg.Connection[Any]) -> None:
    """Let one transaction at a time decide about relations: what it read must still hold."""
    conn.execute(_LOCK)


def known_relations(
    conn: psycopg.Connection[Any], kind: str, subjects: pl.Series | None = None
) -> pl.DataFrame:
    """Return recorded relations: subject, above (0 = nobody), start, end, id, in order of id.

    Those of `subjects` when given; at times more, never less.
    """
    table = TABLES[kind]
    ids = None if subjects is None else subjects.unique()
    some = ids is not None and len(ids) <= _MANY
    query = _KNOWN.format(
        subject=table.subject, above=table.above, table=table.name,
        start=db.ms("valid_from"), end=db.ms("valid_to"),
        where=f"WHERE {table.subject} = ANY(%s::integer[])" if some else "",
    )  # fmt: skip
    params = (ids.to_list(),) if some and ids is not None else None
    return db.read_columns(conn, query, params, schema=_SCHEMA)


def write_relations(
    conn: psycopg.Connection[Any], kind: str, records: pl.DataFrame, by: str, reason: str
) -> None:
    """Append records (subject, above, start, end), in their order: later ones prevail."""
    above = records["above"].to_numpy()
    count = len(records)
    table = TABLES[kind]
    db.copy_in(conn, table.name, {
        table.subject: db.Int4(records["subject"].to_numpy()),
        table.above: db.Int4(above, above != NOBODY),
        "valid_from": db.Timestamp(records["start"].to_numpy(), unbounded=True),
        "valid_to": db.Timestamp(records["end"].to_numpy(), unbounded=True),
        "recorded_by": db.Text(_repeated(by, count)),
        "reason": db.Text(_repeated(reason, count)),
    })  # fmt: skip


def propose_relations(
    conn: psycopg.Connection[Any], kind: str, moves: pl.DataFrame, by: str, reason: str
) -> list[int]:
    """Put moves (as planned) before a second person.

    Returns a number per move. Those of one load share a proposal; one that waits already keeps
    its own.
    """
    waiting = _waiting(conn)
    rows = moves.select("entity", "code", "above_code", "start", "end", "was_code").to_dicts()
    keys = [_key(kind, row["entity"], row["code"], row["above_code"], row["start"], row["end"])
            for row in rows]  # fmt: skip
    fresh = [i for i, key in enumerate(keys) if key not in waiting]
    for at in range(0, len(fresh), PER_PROPOSAL):
        part = fresh[at : at + PER_PROPOSAL]
        number = _propose(conn, kind, [rows[i] for i in part], by, reason)
        waiting.update({keys[i]: number for i in part})
    return [waiting[key] for key in keys]


def _propose(
    conn: psycopg.Connection[Any], kind: str, rows: list[dict[str, Any]], by: str, reason: str
) -> int:
    first = rows[0]
    subject = (
        f"{kind} {first['code']}: {first['was_code']} -> {first['above_code']}, "
        f"{span(first['start'], first['end'])}"
    )
    if len(rows) > 1:
        subject += f", and {len(rows) - 1} more"
    records = []
    for row in rows:
        start, end = signature(row["start"], row["end"])
        records.append({
            "entity": row["entity"], "code": row["code"], "partner": row["above_code"],
            "from_ms": start, "to_ms": end, "was": row["was_code"],
        })  # fmt: skip
    payload = {"kind": kind, "records": records}
    return audit.propose(conn, "relation", subject, payload, reason, by)


def _waiting(conn: psycopg.Connection[Any]) -> dict[Key, int]:
    return {
        _key(one.payload["kind"], r["entity"], r["code"], r["partner"], r["from_ms"], r["to_ms"]): (
            one.id
        )
        for one in audit.pending(conn, "relation")
        for r in one.payload["records"]
    }


def _key(kind: str, entity: str, code: str, above: str, start: int, end: int | None) -> Key:
    return (kind, entity, code, above, *signature(start, FOREVER_MS if end is None else end))


def payload_frame(payload: dict[str, Any]) -> pl.DataFrame:
    """Turn a proposal's records back into a frame as load_relations takes it."""
    records = payload["records"]
    return pl.DataFrame(
        {
            "kind": [payload["kind"]] * len(records),
            **{name: [r[name] for r in records] for name in ("code", "partner", "entity")},
            "valid_from": [r["from_ms"] for r in records],
            "valid_to": [r["to_ms"] for r in records],
            "line": range(1, len(records) + 1),
        },
        schema_overrides={"valid_from": pl.Int64, "valid_to": pl.Int64, "line": pl.Int32},
    )


def _repeated(text: str, count: int) -> pl.Series:
    return pl.repeat(text, count, dtype=pl.String, eager=True)
