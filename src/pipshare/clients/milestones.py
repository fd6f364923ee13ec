"""What clients reached: registered, qualified by their deposits, first trade; and what was undone.

The only writer of its table. What is reached is worked out by the pipeline, from all that is known
now; here it is compared with what was noted before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare.db import ms

REGISTERED, QUALIFIED, FIRST_TRADE = "registered", "qualified", "first_trade"
WAITING, SAID, HISTORY, NOBODY = "waiting", "said", "history", "nobody"
_OF = f"""
SELECT id, client_id, kind, number, {ms("at")}, source, event, amount_e8, currency, said
  FROM clients_milestone m
 WHERE client_id = ANY(%s::int[]) AND undone_at IS NULL ORDER BY client_id, kind, number
"""
_ADD = """
INSERT INTO clients_milestone
       (client_id, kind, number, at, source, event, amount_e8, currency, said)
SELECT %(client)s, %(kind)s,
       1 + coalesce((SELECT max(number) FROM clients_milestone
                      WHERE client_id = %(client)s AND kind = %(kind)s), 0),
       to_timestamp(%(at)s / 1000.0), %(source)s, %(event)s, %(amount)s, %(currency)s, %(said)s
RETURNING id, number
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


def add_milestone(conn: psycopg.Connection[Any], reached: Reached, said: str) -> Milestone:
    """Note that a client reached something; one process at a time does it for a client."""
    row = conn.execute(_ADD, {
        "client": reached.client_id, "kind": reached.kind, "at": reached.at_ms,
        "source": reached.source, "event": reached.event, "amount": reached.amount_e8,
        "currency": reached.currency, "said": said,
    }).fetchone()  # fmt: skip
    assert row is not None
    return Milestone(row[0], row[1], said, reached)


def undo_milestone(conn: psycopg.Connection[Any], milestone: Milestone, by: str) -> None:
    """Note that what was reached is gone, and which event took it."""
    conn.execute(_UNDO, (by, milestone.id))


def mark_said(conn: psycopg.Connection[Any], ids: Iterable[int], said: str = SAID) -> None:
    """Note that the outside was told, or that there is nobody to tell."""
    conn.execute(_MARK, (said, list(ids)))
