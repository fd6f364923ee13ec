"""Move amounts between accounts in one balanced transfer: a closing, a payout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import psycopg

from pipshare import db

_TRANSFER = """
INSERT INTO ledger_transfer (entity_id, kind, earned_day, period, cause)
VALUES (%s, %s, %s, GREATEST(%s, ledger_open_period(%s)), %s) RETURNING id
"""


@dataclass(frozen=True)
class Move:
    """`amount_e8` (in 1e-8) leaves one account for another, both of one entity and currency."""

    source: int
    target: int
    amount_e8: int


def move(
    conn: psycopg.Connection,
    *,
    entity_id: int,
    kind: str,
    cause: str,
    day: date,
    moves: Sequence[Move],
) -> int:
    """Book the moves as one transfer in the caller's transaction and return its id.

    It stands in the period of `day`, or in the open one when that is closed. Moves of 0 are left
    out. Raises what the ledger's guards raise; returns 0 when there is nothing to move.
    """
    legs: dict[int, int] = {}
    for one in moves:
        legs[one.source] = legs.get(one.source, 0) - one.amount_e8
        legs[one.target] = legs.get(one.target, 0) + one.amount_e8
    kept = sorted((account, amount) for account, amount in legs.items() if amount)
    if not kept:
        return 0
    values = (entity_id, kind, day, f"{day:%Y-%m}", entity_id, cause)
    row = conn.execute(_TRANSFER, values).fetchone()
    assert row is not None
    db.copy_in(conn, "ledger_leg", {
        "transfer_id": db.Int8(np.full(len(kept), row[0], np.int64)),
        "account_id": db.Int4(np.array([account for account, _ in kept], np.int64)),
        "amount_e8": db.Int8(np.array([amount for _, amount in kept], np.int64)),
    })  # fmt: skip
    return int(row[0])
