"""Post a batch of lines: one transfer per earned day, legs summed per account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import psycopg

from pipshare import db
from pipshare.ledger.journal import Column, sum_legs
from pipshare.period import day_to_date

_TRANSFERS = """
INSERT INTO ledger_transfer (entity_id, kind, earned_day, period, cause)
SELECT %(entity)s, %(kind)s, d,
       GREATEST(to_char(d, 'YYYY-MM'), ledger_open_period(%(entity)s)), %(cause)s
  FROM unnest(%(days)s::date[]) AS d
RETURNING earned_day, id
"""


@dataclass(frozen=True)
class Posting:
    """What was posted: the transfer of each line (parallel to the lines), and two counts."""

    transfer: Column
    transfers: int
    legs: int


def post(
    conn: psycopg.Connection,
    *,
    entity_id: int,
    kind: str,
    cause: str,
    day: Column,
    account: Column,
    contra: Column,
    amount_e8: Column,
) -> Posting:
    """Book lines in the caller's transaction.

    Shapes: int64 columns with a row per line: earned day (days since 1970), payee's account,
    house account of the same currency, amount in 1e-8. `kind` is accrual, correction or
    adjustment. A day of a closed period is booked in the open one. Nothing is written for no
    lines.
    """
    if not len(day):
        return Posting(np.zeros(0, np.int64), 0, 0)
    legs = sum_legs(day, account, contra, amount_e8)
    days = np.unique(day)
    ids = _open_transfers(conn, entity_id, kind, cause, [day_to_date(d) for d in days])
    transfers = np.array([ids[day_to_date(d)] for d in days], np.int64)
    db.copy_in(conn, "ledger_leg", {
        "transfer_id": db.Int8(transfers[np.searchsorted(days, legs.day)]),
        "account_id": db.Int4(legs.account),
        "amount_e8": db.Int8(legs.amount_e8),
    })  # fmt: skip
    return Posting(transfers[np.searchsorted(days, day)], len(days), len(legs.day))


def _open_transfers(
    conn: psycopg.Connection, entity_id: int, kind: str, cause: str, days: list[date]
) -> dict[date, int]:
    rows = conn.execute(
        _TRANSFERS, {"entity": entity_id, "kind": kind, "cause": cause, "days": days}
    )
    return dict(rows.fetchall())
