"""Deals that their platform does not show any more: noticed, asked about, settled.

Absence is not deletion (design, section 6). What is noticed becomes a suspect; whoever asked the
platform settles it: deleted, or merely not seen since. A deletion is told to the stages by a
tombstone: a revision of the deal with the action DELETED, through the door of every other revision,
so that its trade is cancelled, and a deal that is restored comes back as the next revision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare import db
from pipshare.facts import DEAL, empty
from pipshare.inbox.known import whole

DELETED = -1  # action of a tombstone; no platform knows it
UNSEEN: dict[str, Any] = {"deal": pl.Int64, "login": pl.Int64, "time_ms": pl.Int64}
Column = npt.NDArray[np.int64]
_CURRENT = """
  FROM inbox_deal d
 WHERE d.server_id = %(server)s AND d.time_ms BETWEEN %(start)s AND %(end)s AND d.action >= 0
   AND NOT EXISTS (SELECT FROM inbox_deal n
                    WHERE n.server_id = %(server)s AND n.deal = d.deal
                      AND n.revision > d.revision AND n.revision > 1)"""
_NOTICE = """
INSERT INTO inbox_unseen (server_id, deal, source_id, login, time_ms)
SELECT %(server)s, d, %(source)s, l, t
  FROM unnest(%(deals)s::bigint[], %(logins)s::bigint[], %(times)s::bigint[]) AS x (d, l, t)
ON CONFLICT (server_id, deal) DO NOTHING"""
_OPEN = """
SELECT deal, login, time_ms FROM inbox_unseen
 WHERE source_id = %(source)s AND state = %(state)s
 ORDER BY login, deal LIMIT %(limit)s"""
_SETTLE = """
UPDATE inbox_unseen SET state = %s, why = %s, settled_at = now()
 WHERE server_id = %s AND deal = ANY(%s)"""
_BACK = "DELETE FROM inbox_unseen WHERE server_id = %s AND deal = ANY(%s)"
_BETWEEN = """
SELECT deal FROM inbox_unseen
 WHERE server_id = %(server)s AND time_ms BETWEEN %(start)s AND %(end)s"""
_RECENT = """
SELECT count(*) FROM inbox_unseen
 WHERE source_id = %s AND state = 'deleted' AND decided_by = ''
   AND settled_at > now() - interval '1 day'"""
_COUNT = "SELECT count(*) FROM inbox_unseen WHERE source_id = %s AND state = %s"
_DECIDE = """
UPDATE inbox_unseen SET state = %s, why = %s, decided_by = %s, settled_at = now()
 WHERE source_id = %s AND state = 'held'"""


def count_between(conn: psycopg.Connection[Any], server_id: int, start_ms: int, end_ms: int) -> int:
    """Return how many deals of these server milliseconds (both inclusive) stand stored."""
    wanted = {"server": server_id, "start": start_ms, "end": end_ms}
    row = conn.execute(f"SELECT count(*) {_CURRENT}", wanted).fetchone()
    assert row is not None
    return int(row[0])


def stored_between(
    conn: psycopg.Connection[Any], server_id: int, start_ms: int, end_ms: int
) -> pl.DataFrame:
    """Return the deals of these server milliseconds that stand stored, as an UNSEEN frame."""
    wanted = {"server": server_id, "start": start_ms, "end": end_ms}
    query = f"SELECT d.deal, d.login, d.time_ms {_CURRENT}"
    return db.read_columns(conn, query, wanted, schema=UNSEEN)


def unseen_between(
    conn: psycopg.Connection[Any], server_id: int, start_ms: int, end_ms: int
) -> Column:
    """Return the deals of these server milliseconds that have a row as not seen any more."""
    wanted = {"server": server_id, "start": start_ms, "end": end_ms}
    found = [row[0] for row in conn.execute(_BETWEEN, wanted)]
    return np.array(found, np.int64)


def notice_unseen(
    conn: psycopg.Connection[Any], server_id: int, source_id: int, absent: pl.DataFrame
) -> int:
    """Write down as suspects what a source did not show (an UNSEEN frame); return how many are new.

    A deal that was settled before keeps what was said of it.
    """
    told = {
        "server": server_id, "source": source_id, "deals": absent["deal"].to_list(),
        "logins": absent["login"].to_list(), "times": absent["time_ms"].to_list(),
    }  # fmt: skip
    return conn.execute(_NOTICE, told).rowcount if len(absent) else 0


def unsettled(
    conn: psycopg.Connection[Any], source_id: int, state: str, limit: int
) -> pl.DataFrame:
    """Return a source's rows in `state` (suspect, held, approved) as an UNSEEN frame, by login."""
    wanted = {"source": source_id, "state": state, "limit": limit}
    return db.read_columns(conn, _OPEN, wanted, schema=UNSEEN)


def count_unseen(conn: psycopg.Connection[Any], source_id: int, state: str) -> int:
    """Return how many of a source's rows are in `state`."""
    row = conn.execute(_COUNT, (source_id, state)).fetchone()
    assert row is not None
    return int(row[0])


def settle_unseen(
    conn: psycopg.Connection[Any], server_id: int, deals: Sequence[int], state: str, why: str
) -> None:
    """Write down what was made of deals: unseen, held or deleted, with the reason as a sentence."""
    if deals:
        conn.execute(_SETTLE, (state, why, server_id, list(deals)))


def seen_again(conn: psycopg.Connection[Any], server_id: int, deals: Column) -> None:
    """Take the rows of deals away that the platform shows again."""
    if len(deals):
        conn.execute(_BACK, (server_id, deals.tolist()))


def reversed_today(conn: psycopg.Connection[Any], source_id: int) -> int:
    """Return how many deals of a source were reversed in the last 24 hours without a person."""
    row = conn.execute(_RECENT, (source_id,)).fetchone()
    assert row is not None
    return int(row[0])


def decide_unseen(
    conn: psycopg.Connection[Any], source_id: int, *, approve: bool, by: str, reason: str
) -> int:
    """Settle what is held as a person decided: reversed soon, or kept; return how many deals."""
    state = "approved" if approve else "unseen"
    return conn.execute(_DECIDE, (state, reason, by, source_id)).rowcount


def tombstones(conn: psycopg.Connection[Any], server_id: int, deals: Column) -> pl.DataFrame:
    """Return deals as deleted, a DEAL frame for store_deals; one not stored has no row."""
    if not len(deals):
        return empty(DEAL)
    told = whole(conn, server_id, np.unique(deals))
    return told.with_columns(action=pl.lit(DELETED, pl.Int16))
