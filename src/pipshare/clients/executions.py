"""The first execution on each account: opening deals count, the earliest that is known stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import psycopg

from pipshare.db import Int8, Text, Timestamp, copy_in, ms, read_columns

# An execution: at_ms is UTC, ticket that of the deal (of a trade where no deal is known).
EXECUTION = {"login": pl.Int64, "at_ms": pl.Int64, "ticket": pl.Int64, "symbol": pl.String,
             "lots_e8": pl.Int64}  # fmt: skip
KNOWN = {"login": pl.Int64, "known_ms": pl.Int64}
_KNOWN = f"SELECT login, {ms('at')} FROM clients_execution WHERE server_id = %(server)s"
_STAGE = """
CREATE TEMP TABLE clients_execution_stage (login bigint, at timestamptz, ticket bigint,
                                           symbol text, lots_e8 bigint) ON COMMIT DROP
"""
_NOTE = """
INSERT INTO clients_execution (server_id, login, at, ticket, symbol, lots_e8)
SELECT %(server)s, login, at, ticket, symbol, lots_e8 FROM clients_execution_stage ORDER BY login
    ON CONFLICT (server_id, login) DO UPDATE SET at = excluded.at, ticket = excluded.ticket,
       symbol = excluded.symbol, lots_e8 = excluded.lots_e8
 WHERE excluded.at < clients_execution.at
"""
_CLAIM = f"""
DELETE FROM clients_execution_due d USING clients_account_owner w, clients_execution x
 WHERE w.server_id = d.server_id AND w.login = d.login
   AND x.server_id = d.server_id AND x.login = d.login
   AND d.id IN (SELECT u.id FROM clients_execution_due u
                  JOIN clients_account a USING (server_id, login)
                 WHERE u.id > %(after)s ORDER BY u.id LIMIT %(limit)s)
RETURNING w.client_id, d.server_id, w.server, d.login, {ms("x.at")}, x.ticket, x.symbol, x.lots_e8
"""
_QUEUE = """
INSERT INTO clients_execution_due (server_id, login)
SELECT * FROM unnest(%s::int[], %s::bigint[]) ORDER BY 1, 2 ON CONFLICT DO NOTHING
"""
_NEWEST = "SELECT coalesce(max(id), 0) FROM clients_execution_due"
_OF = f"""
SELECT w.client_id, w.server_id, w.server, x.login, {ms("x.at")}, x.ticket, x.symbol, x.lots_e8
  FROM clients_account_owner w JOIN clients_execution x USING (server_id, login)
 WHERE w.client_id = ANY(%s::int[]) ORDER BY x.at, w.server, x.ticket
"""
_OF_SCHEMA = {"client_id": pl.Int64, "server_id": pl.Int64, "server": pl.String, **EXECUTION}


def known_executions(conn: psycopg.Connection[Any], server_id: int) -> pl.DataFrame:
    """Return the first executions known of a server's accounts: login and known_ms."""
    return read_columns(conn, _KNOWN, {"server": server_id}, schema=KNOWN)


def note_executions(
    conn: psycopg.Connection[Any], server_id: int, told: pl.DataFrame, known: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Note those of the executions told (EXECUTION, one an account) that are earlier than known.

    `known` is what this function or known_executions returned last; returns it with the news, and
    the news, which are for the caller to queue_traders or to look at himself. Another process may
    have noted an earlier one meanwhile: that one stays.
    """
    first = told.join(known, on="login", how="left", maintain_order="left")
    news = first.filter(pl.col("known_ms").is_null() | (pl.col("at_ms") < pl.col("known_ms")))
    if not len(news):
        return known, news
    conn.execute("DROP TABLE IF EXISTS pg_temp.clients_execution_stage")
    conn.execute(_STAGE)
    copy_in(conn, "clients_execution_stage", {
        "login": Int8(news["login"].to_numpy()),
        "at": Timestamp(news["at_ms"].to_numpy()),
        "ticket": Int8(news["ticket"].to_numpy()),
        "symbol": Text(news["symbol"]),
        "lots_e8": Int8(news["lots_e8"].to_numpy()),
    })  # fmt: skip
    conn.execute(_NOTE, {"server": server_id})
    fresh = news.select("login", known_ms="at_ms")
    return pl.concat([known.join(fresh, on="login", how="anti"), fresh]), news


def claim_traders(conn: psycopg.Connection[Any], limit: int, after: int = 0) -> pl.DataFrame:
    """Take some accounts off the queue whose owners are known; return them as executions_of does.

    `after`: only what came later than this number of newest_trader; 0 = everything.
    """
    asked = {"after": after, "limit": limit}
    return read_columns(conn, _CLAIM, asked, schema=_OF_SCHEMA)


def queue_traders(conn: psycopg.Connection[Any], accounts: pl.DataFrame) -> None:
    """Put accounts (server_id, login) on the queue: their first executions are to be looked at."""
    if len(accounts):
        conn.execute(_QUEUE, (accounts["server_id"].to_list(), accounts["login"].to_list()))


def newest_trader(conn: psycopg.Connection[Any]) -> int:
    """Return the number of the account that was queued last, 0 when there is none."""
    row = conn.execute(_NEWEST).fetchone()
    return int(row[0]) if row else 0


def executions_of(conn: psycopg.Connection[Any], client_ids: Sequence[int]) -> pl.DataFrame:
    """Return the first executions on clients' accounts: whose, server and EXECUTION, by moment."""
    return read_columns(conn, _OF, (list(client_ids),), schema=_OF_SCHEMA)
