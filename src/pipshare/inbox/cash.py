"""Store balance operations, each once."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare import db

LOCK = 7101  # class of this stage's advisory locks; the object is the server
_KNOWN = """
SELECT ticket FROM inbox_cash
 WHERE server_id = %(server)s AND ticket BETWEEN %(low)s AND %(high)s
   AND ticket = ANY(%(tickets)s)"""


def store_cash(
    conn: psycopg.Connection[Any], server_id: int, cash: pl.DataFrame, batch_id: int
) -> tuple[int, int]:
    """Store a CASH frame; return how many rows were new and how many were known.

    Identity is (server, ticket); the first telling stays. Nothing is booked from these rows.
    """
    rows = cash.unique("ticket", keep="first", maintain_order=True).sort("ticket")
    if not len(rows):
        return 0, 0
    # Two imports at once would both find nothing known.
    conn.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK, server_id))
    tickets = rows["ticket"].to_numpy()
    wanted = {"server": server_id, "low": int(tickets[0]), "high": int(tickets[-1])}
    known = db.read_columns(
        conn, _KNOWN, {**wanted, "tickets": tickets.tolist()}, schema={"ticket": pl.Int64}
    )
    fresh = rows.filter(pl.Series(~np.isin(tickets, known["ticket"].to_numpy())))
    same = np.ones(len(fresh), np.int64)
    new = db.copy_in(conn, "inbox_cash", {
        "server_id": db.Int4(same * server_id),
        "ticket": db.Int8(fresh["ticket"].to_numpy()),
        "login": db.Int8(fresh["login"].to_numpy()),
        "time_ms": db.Int8(fresh["time_ms"].to_numpy()),
        "kind": db.Text(fresh["kind"]),
        "amount_e8": db.Int8(fresh["amount_e8"].to_numpy()),
        "comment": db.Text(fresh["comment"].fill_null("").str.replace_all("\0", "?")),
        "batch_id": db.Int8(same * batch_id),
    })  # fmt: skip
    return new, len(cash) - new
