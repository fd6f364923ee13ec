"""Look up what is stored under many tickets: in columns, by one range or one list of tickets."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare import db
from pipshare.db.told import Stored, laid_beside, newest, sources, told_until
from pipshare.facts.content import UNKNOWN_MS

__all__ = ["Stored", "as_of", "beside", "remember", "sources"]
Column = npt.NDArray[np.int64]
_FEW = 100  # tickets
_KEPT: dict[str, Any] = {
    "ticket": pl.Int64, "revision": pl.Int16, "content": pl.Int64, "reason": pl.Int16,
    "state": pl.Int8, "opening": pl.Int8, "kind": pl.Int8, "position": pl.Int64,
    "batch_id": pl.Int64,
}  # fmt: skip
_RANGE = """
SELECT {} FROM trades_trade WHERE server_id = %(server)s AND ticket BETWEEN %(low)s AND %(high)s
 ORDER BY ticket, revision LIMIT %(limit)s"""
_LIST = """
SELECT {} FROM trades_trade WHERE server_id = %(server)s AND ticket = ANY(%(tickets)s::bigint[])
 ORDER BY ticket, revision"""
_SEEN = """
SELECT t, max({}) FROM trades_seen, unnest(tickets) AS t
 WHERE server_id = %(server)s AND first_ticket <= %(high)s AND last_ticket >= %(low)s
   AND as_of >= timestamptz '1970-01-01 00:00:00+00' + %(since)s * interval '1 ms'
   AND t = ANY(%(tickets)s::bigint[])
 GROUP BY t"""


def beside(conn: psycopg.Connection[Any], server_id: int, tickets: Column) -> Stored:
    """Return the current revision stored under each ticket. `tickets` ascend, each once."""
    return laid_beside(_current(conn, server_id, tickets), tickets)


def as_of(
    conn: psycopg.Connection[Any],
    server_id: int,
    tickets: Column,
    batches: Column,
    since_ms: int = UNKNOWN_MS,
    beside_ms: int | None = None,
) -> Column:
    """Return up to which moment each stored trade is known to hold; UNKNOWN_MS where untold.

    Of the files that repeated it since only those of `since_ms` or later are asked, as there may be
    very many; `beside_ms` as in told_until.
    """
    if not len(tickets):
        return np.zeros(0, np.int64)
    seen = db.read_columns(
        conn, _SEEN.format(db.ms("as_of")), {**_span(server_id, tickets), "since": since_ms},
        schema={"ticket": pl.Int64, "ms": pl.Int64},
    ).sort("ticket")  # fmt: skip
    return told_until(conn, batches, tickets, seen, beside_ms)


def remember(
    conn: psycopg.Connection[Any], server_id: int, batch_id: int, as_of_ms: int, tickets: Column
) -> None:
    """Note that a file of a known moment repeated these trades as they are stored."""
    if len(tickets):
        one = np.ones(1, np.int64)
        db.copy_in(conn, "trades_seen", {
            "server_id": db.Int4(one * server_id),
            "batch_id": db.Int8(one * batch_id),
            "as_of": db.Timestamp(one * as_of_ms),
            "first_ticket": db.Int8(tickets[:1]),
            "last_ticket": db.Int8(tickets[-1:]),
            "tickets": db.Int8Array(tickets, one * len(tickets)),
        })  # fmt: skip


def _current(conn: psycopg.Connection[Any], server_id: int, tickets: Column) -> pl.DataFrame:
    """Read by range, as arriving tickets mostly lie close together; by list where they do not.

    Few are listed: a range of them may hold many that came by other ways.
    """
    if not len(tickets):
        return pl.DataFrame(schema=_KEPT)
    names = ", ".join(_KEPT)
    if len(tickets) <= _FEW:
        return newest(_listed(conn, names, server_id, tickets))
    limit = 2 * len(tickets) + 1000
    values = {"server": server_id, "low": int(tickets[0]), "high": int(tickets[-1]), "limit": limit}
    rows = db.read_columns(conn, _RANGE.format(names), values, schema=_KEPT)
    if len(rows) == limit:
        rows = _listed(conn, names, server_id, tickets)
    return newest(rows)


def _listed(
    conn: psycopg.Connection[Any], names: str, server_id: int, tickets: Column
) -> pl.DataFrame:
    span = _span(server_id, tickets)
    return db.read_columns(conn, _LIST.format(names), span, schema=_KEPT)


def _span(server_id: int, tickets: Column) -> dict[str, Any]:
    listed = "{" + ",".join(map(str, tickets.tolist())) + "}"
    low, high = int(tickets[0]), int(tickets[-1])
    return {"server": server_id, "low": low, "high": high, "tickets": listed}
