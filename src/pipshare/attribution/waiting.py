"""Trades that wait because nobody knows yet whose client traded, and those that wait no longer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare import db
from pipshare.attribution.directory import Directory
from pipshare.attribution.kernel import attribute_columns
from pipshare.attribution.result import Attributed
from pipshare.attribution.standing import Standing, Why

_CODES = "SELECT id, code FROM clients_client WHERE id = ANY(%s::integer[])"
_WAITING = """
SELECT ticket, reason, key FROM attribution_waiting
 WHERE server_id = %(server)s AND ticket = ANY(%(tickets)s::bigint[])
"""
_CLEAR = """
DELETE FROM attribution_waiting
 WHERE server_id = %(server)s AND ticket = ANY(%(tickets)s::bigint[])
"""
_TRADES = f"""
SELECT w.ticket, w.reason, t.login, {db.ms("t.close_at")}
  FROM attribution_waiting w
 CROSS JOIN LATERAL (
       SELECT login, close_at FROM trades_trade
        WHERE server_id = w.server_id AND ticket = w.ticket ORDER BY revision DESC LIMIT 1) t
 WHERE w.server_id = %(server)s ORDER BY w.ticket
"""
_TOUCHED = """
SELECT EXISTS (SELECT FROM attribution_waiting WHERE server_id = %s AND ticket BETWEEN %s AND %s)
"""
_SCHEMA = {"ticket": pl.Int64, "reason": pl.String, "key": pl.String}
_TRADE_SCHEMA = {
    "ticket": pl.Int64, "reason": pl.String, "login": pl.Int64, "close_utc": pl.Int64,
}  # fmt: skip


def waits(conn: psycopg.Connection[Any], frame: pl.DataFrame, who: Attributed) -> pl.DataFrame:
    """Return what waits of attributed trades: ticket, reason, key.

    The key is what to bring: the login whose account, or the client whose relation is missing; or
    the login of which nobody has decided whether to pay beside the platform's own agent.
    """
    rows = np.flatnonzero(who.standing == Standing.UNKNOWN)
    clients = np.where(who.why[rows] == Why.NO_RELATION, who.client_id[rows], -1)
    ids = np.unique(clients[clients >= 0]).tolist()
    codes = dict(conn.execute(_CODES, (ids,)).fetchall()) if ids else {}
    words = {int(why): why.name.lower() for why in Why}
    return frame.select("ticket", "login")[rows.tolist()].select(
        "ticket",
        reason=pl.Series(who.why[rows]).cast(pl.Int64).replace_strict(
            words, return_dtype=pl.String),
        key=pl.coalesce(
            pl.Series(clients).replace_strict(codes, default=None, return_dtype=pl.String),
            pl.col("login").cast(pl.String),
        ),
    )  # fmt: skip


def store_waiting(
    conn: psycopg.Connection[Any],
    server_id: int,
    frame: pl.DataFrame,
    who: Attributed,
    *,
    fresh: bool = False,
) -> int:
    """Make the waiting rows of these trades what `who` says; returns how many wait.

    A trade that waits for the same thing as before keeps its `since`. `fresh` says that none of
    them waited before, which saves looking, except for those that wait now.
    """
    if fresh and not (who.standing == Standing.UNKNOWN).any():
        return 0
    told = waits(conn, frame, who).unique("ticket", maintain_order=True)
    asked = told["ticket"] if fresh else frame["ticket"]
    if not len(asked):
        return 0
    values = {"server": server_id, "tickets": asked.to_list()}
    known = db.read_columns(conn, _WAITING, values, schema=_SCHEMA)
    on = ["ticket", "reason", "key"]
    clear_waiting(conn, server_id, known.join(told, on=on, how="anti")["ticket"].to_list())
    new = told.join(known, on=on, how="anti", maintain_order="left")
    db.copy_in(conn, "attribution_waiting", {
        "server_id": db.Int4(np.full(len(new), server_id, np.int64)),
        "ticket": db.Int8(new["ticket"].to_numpy()),
        "reason": db.Text(new["reason"]),
        "key": db.Text(new["key"]),
    })  # fmt: skip
    return len(told)


def clear_waiting(conn: psycopg.Connection[Any], server_id: int, tickets: Sequence[int]) -> None:
    """Remove the waiting rows of these trades."""
    if tickets:
        conn.execute(_CLEAR, {"server": server_id, "tickets": list(tickets)})


def takeable(
    conn: psycopg.Connection[Any], server_id: int, directory: Directory | None = None
) -> list[int]:
    """Return the waiting tickets that would now be settled, or wait for something else, in order.

    Asks the kernel itself, so that taking them up always brings them on: none comes back twice.
    """
    waiting = db.read_columns(conn, _TRADES, {"server": server_id}, schema=_TRADE_SCHEMA)
    if not len(waiting):
        return []
    login = waiting["login"].to_numpy()
    known = Directory() if directory is None else directory
    snapshot = known.extend(conn, server_id, login)
    why = attribute_columns(snapshot, login, waiting["close_utc"].to_numpy()).why
    words = {int(one): one.name.lower() for one in Why}
    now = pl.Series(why).cast(pl.Int64).replace_strict(words, return_dtype=pl.String)
    return waiting.filter(now != waiting["reason"])["ticket"].to_list()


def untouched(conn: psycopg.Connection[Any], server_id: int, low: int, high: int) -> bool:
    """Tell that none of the trades with a ticket from `low` to `high` waits."""
    row = conn.execute(_TOUCHED, (server_id, low, high)).fetchone()
    return row is not None and not row[0]
