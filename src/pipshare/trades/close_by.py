"""Close-by: two positions of one account close each other, and both closings are trades.

A pair is two trades of kind close-by with the same login, symbol (whatever its case) and close
time, opened in opposite directions. The side with the lower ticket counts. Several pairs of one
moment are matched in the order of their tickets; a trade without a partner counts by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare import db
from pipshare.facts import Kind, Side, State
from pipshare.trades.read import read

NOT_CLOSED_BY, CLOSED_BY_COUNTS, CLOSED_BY_OTHER = 0, 1, 2
_NEEDED = ("ticket", "login", "symbol", "side", "kind", "close_ms")
_STAGE = "CREATE TEMP TABLE trades_pair_stage (login bigint, close_at timestamptz) ON COMMIT DROP"
# All that closed at the same moments: the range of pages by close time finds them.
_BESIDE = """
SELECT t.ticket, t.login, t.symbol, t.side, t.kind, t.close_ms
  FROM trades_current t JOIN trades_pair_stage s ON s.login = t.login AND s.close_at = t.close_at
 WHERE t.server_id = %(server)s AND t.kind = %(kind)s AND t.state = %(state)s
   AND t.close_at BETWEEN (SELECT min(close_at) FROM trades_pair_stage)
                      AND (SELECT max(close_at) FROM trades_pair_stage)
"""
_SCHEMA = {"ticket": pl.Int64, "login": pl.Int64, "symbol": pl.String, "side": pl.Int8,
           "kind": pl.Int8, "close_ms": pl.Int64}  # fmt: skip


def close_by_sides(trades: pl.DataFrame) -> npt.NDArray[np.int8]:
    """Return per trade NOT_CLOSED_BY, CLOSED_BY_COUNTS or CLOSED_BY_OTHER. Pure.

    Shapes: ticket, login, symbol, side, kind, close_ms of one server's standing trades; a pair is
    found only where both of it are there.
    """
    sides = np.zeros(len(trades), np.int8)
    rows = np.flatnonzero(trades["kind"].to_numpy() == Kind.CLOSE_BY)
    if not len(rows):
        return sides
    mine = trades[rows].select(*_NEEDED).with_columns(pl.col("symbol").str.to_lowercase())
    key = ["login", "symbol", "close_ms"]
    mine = mine.with_columns(
        nth=pl.col("ticket").rank("ordinal").over(*key, "side"),
        other=pl.when(pl.col("side") == int(Side.BUY)).then(int(Side.SELL)).otherwise(Side.BUY),
    )
    partner = mine.select(*key, "nth", other=pl.col("side").cast(pl.Int32), beside="ticket")
    found = mine.with_columns(pl.col("other").cast(pl.Int32)).join(
        partner, on=[*key, "nth", "other"], how="left", maintain_order="left"
    )
    is_other = (found["beside"] < found["ticket"]).fill_null(False).to_numpy()
    sides[rows] = np.where(is_other, CLOSED_BY_OTHER, CLOSED_BY_COUNTS)
    return sides


def close_by_of(
    conn: psycopg.Connection[Any], server_id: int, tickets: Sequence[int] | npt.NDArray[np.int64]
) -> npt.NDArray[np.int8]:
    """Return close_by_sides of a server's current trades, beside all that they closed with."""
    asked = np.asarray(tickets, np.int64)
    columns = (*_NEEDED, "close_utc")
    mine = read(conn, server_id, tickets=asked, columns=columns)
    pairs = mine.filter(pl.col("kind") == int(Kind.CLOSE_BY)).select("login", "close_utc").unique()
    if not len(pairs):
        return np.zeros(len(asked), np.int8)
    beside = _beside(conn, server_id, pairs)
    told = pl.DataFrame({"ticket": beside["ticket"], "close_by": close_by_sides(beside)})
    found = pl.DataFrame({"ticket": asked}).join(
        told, on="ticket", how="left", maintain_order="left"
    )
    return found["close_by"].fill_null(NOT_CLOSED_BY).to_numpy()


def closed_beside(
    conn: psycopg.Connection[Any], server_id: int, trades: pl.DataFrame
) -> npt.NDArray[np.int64]:
    """Return the tickets of other close-by trades of the same accounts and moments.

    `trades`: ticket, login, kind, close_utc; what was just stored, cancelled ones too. Which side
    of a pair counts may be another one now.
    """
    mine = trades.filter(pl.col("kind") == int(Kind.CLOSE_BY))
    if not len(mine):
        return np.zeros(0, np.int64)
    found = _beside(conn, server_id, mine.select("login", "close_utc").unique())
    return np.setdiff1d(found["ticket"].to_numpy(), mine["ticket"].to_numpy())


def _beside(conn: psycopg.Connection[Any], server_id: int, moments: pl.DataFrame) -> pl.DataFrame:
    conn.execute("DROP TABLE IF EXISTS pg_temp.trades_pair_stage")
    conn.execute(_STAGE)
    db.copy_in(conn, "trades_pair_stage", {
        "login": db.Int8(moments["login"].to_numpy()),
        "close_at": db.Timestamp(moments["close_utc"].to_numpy()),
    })  # fmt: skip
    conn.execute("ANALYZE trades_pair_stage")
    values = {"server": server_id, "kind": int(Kind.CLOSE_BY), "state": int(State.CLOSED)}
    return db.read_columns(conn, _BESIDE, values, schema=_SCHEMA)
