"""Windows in the database: which are due, what was booked of them, and the lines that settle them.

A shard is a tree of partners (partners.shards): one worker at a time settles one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import psycopg
from psycopg.types.json import Jsonb

from pipshare import db

_LOCK = 7104  # class of this stage's advisory locks for shards; the object is the shard
MOST_CAUSES = 50  # named on a line; more are counted
_MARK = """
INSERT INTO rating_due (entity_id, component, shard, window_start, window_end, client_id, causes)
VALUES (%s, %s, %s, to_timestamp(%s / 1000.0), to_timestamp(%s / 1000.0), %s, %s)
"""
# With a window all notes of it: it is settled once, whatever touched it.
_CLAIM = f"""
WITH oldest AS (
    SELECT DISTINCT component, shard, window_start, window_end, client_id FROM (
        SELECT * FROM rating_due WHERE entity_id = %(entity)s ORDER BY id LIMIT %(limit)s
           FOR UPDATE SKIP LOCKED) d)
DELETE FROM rating_due WHERE id IN (
    SELECT id FROM rating_due
     WHERE entity_id = %(entity)s
       AND (component, shard, window_start, window_end, client_id) IN (SELECT * FROM oldest)
       FOR UPDATE SKIP LOCKED)
RETURNING component, shard, {db.ms("window_start")}, {db.ms("window_end")}, client_id, causes
"""
# What a client's life brought stands by the day on which it was earned: no two facts of it are one.
_BOOKED = f"""
SELECT {db.ms("window_start")} AS start_ms, {db.ms("max(window_end)")} AS end_ms, client_id,
       level, payee_kind, payee_id, account,
       CASE WHEN client_id <> 0 THEN day - date '1970-01-01' END AS day,
       max(day) - date '1970-01-01' AS last_day, max(seq) AS seq,
       sum(amount_e8)::bigint AS amount_e8, sum(orig_e8)::bigint AS orig_e8
  FROM rating_window_line
 WHERE component = %(component)s
   AND window_start < to_timestamp(%(last)s / 1000.0)
   AND window_end > to_timestamp(%(first)s / 1000.0)
   AND CASE WHEN client_id <> 0 THEN client_id = ANY(%(clients)s::int[])
            ELSE shard = ANY(%(shards)s::int[])
              OR payee_kind = 'partner' AND payee_id = ANY(%(partners)s::int[]) END
 GROUP BY window_start, client_id, level, payee_kind, payee_id, account, 8
"""
# `day`: since 1970, of what is booked of a client's life, null for a tree's window; `last_day`: the
# last on which something of it was earned.
BOOKED = {
    "start_ms": pl.Int64, "end_ms": pl.Int64, "client_id": pl.Int64, "level": pl.Int64,
    "payee_kind": pl.String, "payee_id": pl.Int64, "account": pl.Int64, "day": pl.Int64,
    "last_day": pl.Int64, "seq": pl.Int64, "amount_e8": pl.Int64, "orig_e8": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True)
class Due:
    """A window that something touched: its component, shard and span in UTC ms, half-open.

    `client_id` is that of a CPA, 0 otherwise. `causes` as stored: lists under "trades" (server,
    ticket), "events" and "because".
    """

    component: int
    shard: int
    start_ms: int
    end_ms: int
    client_id: int = 0
    causes: Mapping[str, Any] = field(default_factory=dict)


def mark_due(conn: psycopg.Connection, entity_id: int, windows: Iterable[Due]) -> None:
    """Note windows that are to be settled, in the transaction of what touched them."""
    rows = [
        (entity_id, one.component, one.shard, one.start_ms, one.end_ms, one.client_id,
         Jsonb(dict(one.causes)))
        for one in windows
    ]  # fmt: skip
    if rows:
        with conn.cursor() as cursor:
            cursor.executemany(_MARK, rows)


def any_due(conn: psycopg.Connection) -> bool:
    """Tell whether any window is due."""
    row = conn.execute("SELECT EXISTS (SELECT FROM rating_due)").fetchone()
    return row is not None and bool(row[0])


def claim_due(conn: psycopg.Connection, entity_id: int, limit: int) -> list[Due]:
    """Take windows that are due, the oldest notes first, and all other notes of the same windows.

    What others work on is left out. They are due again if this is rolled back.
    """
    values = {"entity": entity_id, "limit": limit}
    return [Due(*row) for row in conn.execute(_CLAIM, values)]


def take_shards(conn: psycopg.Connection, shards: Iterable[int]) -> None:
    """Be the only one to settle these shards until the transaction ends; in one order, for all."""
    for shard in sorted(set(shards)):
        conn.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_LOCK, shard))


def booked_windows(
    conn: psycopg.Connection,
    component: int,
    *,
    first_ms: int,
    last_ms: int,
    shards: Sequence[int] = (),
    partners: Sequence[int] = (),
    clients: Sequence[int] = (),
) -> pl.DataFrame:
    """Return what stands booked (BOOKED) of a component's windows that overlap a span of UTC ms.

    Of trees: what was filed under `shards`, or is of `partners` who belong to them by now. Of
    `clients`: what was booked of their lives.
    """
    values = {"component": component, "first": first_ms, "last": last_ms, "shards": list(shards),
              "partners": list(partners), "clients": list(clients)}  # fmt: skip
    return db.read_columns(conn, _BOOKED, values, schema=BOOKED)


def store_window_lines(
    conn: psycopg.Connection, lines: pl.DataFrame, causes: Sequence[Mapping[str, Any]]
) -> None:
    """Store settled lines: component, shard, start_ms, end_ms, client_id, level, payee_kind,
    payee_id, seq, account, transfer, day, amount_e8, currency, orig_e8, reason; `causes` by row.
    """

    def numbers(name: str) -> Any:
        return lines[name].cast(pl.Int64).to_numpy()

    db.copy_in(conn, "rating_window_line", {
        "component": db.Int4(numbers("component")),
        "shard": db.Int4(numbers("shard")),
        "window_start": db.Timestamp(numbers("start_ms")),
        "window_end": db.Timestamp(numbers("end_ms")),
        "client_id": db.Int4(numbers("client_id")),
        "level": db.Int2(numbers("level")),
        "payee_kind": db.Text(lines["payee_kind"]),
        "payee_id": db.Int4(numbers("payee_id")),
        "seq": db.Int4(numbers("seq")),
        "account": db.Int4(numbers("account")),
        "transfer_id": db.Int8(numbers("transfer")),
        "day": db.Date(numbers("day").astype(np.int32)),
        "amount_e8": db.Int8(numbers("amount_e8")),
        "currency": db.Text(lines["currency"]),
        "orig_e8": db.Int8(numbers("orig_e8")),
        "reason": db.Int2(numbers("reason")),
        "causes": db.Text(pl.Series([shortened(one) for one in causes], dtype=pl.String)),
    })  # fmt: skip


def merged(causes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Join several causes into one, each thing named once and in the order it came."""
    joined: dict[str, list[Any]] = {}
    for one in causes:
        for kind, names in one.items():
            kept = joined.setdefault(kind, [])
            kept += [name for name in names if name not in kept]
    return {kind: names for kind, names in joined.items() if names}


def shortened(causes: Mapping[str, Any]) -> str:
    """Return causes as JSON text: of each kind the first ones, and how many more there are."""
    short: dict[str, Any] = {}
    for kind, names in causes.items():
        short[kind] = list(names)[:MOST_CAUSES]
        if len(names) > MOST_CAUSES:
            short[f"more_{kind}"] = len(names) - MOST_CAUSES
    return json.dumps(short)
