"""What clients reached: registered, qualified by their deposits, first trade; and what was undone.

The only writer of its table. What is reached is worked out by the pipeline, from all that is known
now; here it is compared with what was noted before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare.clients.stage import numbers
from pipshare.db import Int4, Int8, Text, Timestamp, copy_in, ms

REGISTERED, QUALIFIED, FIRST_TRADE = "registered", "qualified", "first_trade"
WAITING, SAID, HISTORY, NOBODY = "waiting", "said", "history", "nobody"
_OF = f"""
SELECT id, client_id, kind, number, {ms("at")}, source, event, amount_e8, currency, said
  FROM clients_milestone m
 WHERE client_id = ANY(%s::int[]) AND undone_at IS NULL ORDER BY client_id, kind, number
"""
_NUMBERS = """
SELECT client_id, kind, max(number) FROM clients_milestone
 WHERE client_id = ANY(%s::int[]) GROUP BY 1, 2
"""
_ENTITIES = "SELECT id, entity_id FROM clients_client WHERE id = ANY(%s::int[]) ORDER BY id"
_FIRST_STAGE = """
CREATE TEMP TABLE clients_first_stage (client_id integer, at timestamptz, source text, event text,
                                       said text) ON COMMIT DROP
"""
_FIRST = f"""
WITH noted AS (
    INSERT INTO clients_milestone AS m (client_id, kind, number, at, source, event, said)
    SELECT client_id, '{FIRST_TRADE}', 1, at, source, event, said
      FROM clients_first_stage ORDER BY client_id
        ON CONFLICT (client_id, kind, number) DO UPDATE
       SET at = excluded.at, source = excluded.source, event = excluded.event
     WHERE excluded.at < m.at AND m.said IN ('{HISTORY}', '{NOBODY}')
 RETURNING client_id, said
)
SELECT client_id FROM noted WHERE said = '{WAITING}' ORDER BY client_id
"""
_UNDO = """
UPDATE clients_milestone SET undone_at = now(), undone_by = %s
 WHERE id = %s AND undone_at IS NULL
"""
_MARK = "UPDATE clients_milestone SET said = %s WHERE id = ANY(%s::bigint[])"


@dataclass(frozen=True)
class Reached:
    """Something that a client reached. `source` and `event` name what did it; `at_ms` is UTC."""

    client_id: int
    kind: str
    at_ms: int
    source: str
    event: str
    amount_e8: int = 0
    currency: str = ""


@dataclass(frozen=True)
class Milestone:
    """Something reached, as noted: `said` is WAITING, SAID, HISTORY or NOBODY."""

    id: int
    number: int
    said: str
    reached: Reached


def milestones_of(conn: psycopg.Connection[Any], client_ids: Sequence[int]) -> list[Milestone]:
    """Return what stands noted of clients, without what was undone."""
    return [
        Milestone(id_, number, said, Reached(client, kind, at, source, event, amount, currency))
        for id_, client, kind, number, at, source, event, amount, currency, said in conn.execute(
            _OF, (list(client_ids),)
        )
    ]


def add_milestones(
    conn: psycopg.Connection[Any], reached: Sequence[tuple[Reached, str]]
) -> list[Milestone]:
    """Note what clients reached, and whether it is to be said; of a kind once for each client.

    One process at a time does it for a client.
    """
    if not reached:
        return []
    who = sorted({one.client_id for one, _ in reached})
    last = {(client, kind): number for client, kind, number in conn.execute(_NUMBERS, (who,))}
    ids = numbers(conn, "clients_milestone", len(reached)).to_list()
    made = [
        Milestone(id_, last.get((one.client_id, one.kind), 0) + 1, said, one)
        for id_, (one, said) in zip(ids, reached, strict=True)
    ]
    _store(conn, made)
    return made


def _store(conn: psycopg.Connection[Any], made: Sequence[Milestone]) -> None:
    told = [one.reached for one in made]
    copy_in(conn, "clients_milestone", {
        "id": Int8(np.array([one.id for one in made], np.int64)),
        "client_id": Int4(np.array([one.client_id for one in told], np.int64)),
        "kind": Text(pl.Series([one.kind for one in told])),
        "number": Int4(np.array([one.number for one in made], np.int64)),
        "at": Timestamp(np.array([one.at_ms for one in told], np.int64)),
        "source": Text(pl.Series([one.source for one in told])),
        "event": Text(pl.Series([one.event for one in told])),
        "amount_e8": Int8(np.array([one.amount_e8 for one in told], np.int64)),
        "currency": Text(pl.Series([one.currency for one in told])),
        "said": Text(pl.Series([one.said for one in made])),
    })  # fmt: skip


def note_first_trades(conn: psycopg.Connection[Any], first: pl.DataFrame) -> list[int]:
    """Note first trades: client_id, each once, at_ms, source, event, said; return who waits.

    A first trade is noted once for each client. One of which nobody was told makes way for an
    earlier one; any other stands. Returned are the clients of whom it is to be said now.
    """
    if not len(first):
        return []
    conn.execute("DROP TABLE IF EXISTS pg_temp.clients_first_stage")
    conn.execute(_FIRST_STAGE)
    copy_in(conn, "clients_first_stage", {
        "client_id": Int4(first["client_id"].to_numpy()),
        "at": Timestamp(first["at_ms"].to_numpy()),
        "source": Text(first["source"]),
        "event": Text(first["event"]),
        "said": Text(first["said"]),
    })  # fmt: skip
    return [row[0] for row in conn.execute(_FIRST)]


def entities_of(conn: psycopg.Connection[Any], client_ids: Sequence[int]) -> dict[int, int]:
    """Return the entities of clients, by client."""
    return dict(conn.execute(_ENTITIES, (list(client_ids),)).fetchall())


def undo_milestone(conn: psycopg.Connection[Any], milestone: Milestone, by: str) -> None:
    """Note that what was reached is gone, and which event took it."""
    conn.execute(_UNDO, (by, milestone.id))


def mark_said(conn: psycopg.Connection[Any], ids: Iterable[int], said: str = SAID) -> None:
    """Note that the outside was told, or that there is nobody to tell."""
    conn.execute(_MARK, (said, list(ids)))
