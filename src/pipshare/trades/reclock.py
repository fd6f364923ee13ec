"""Derive the moments of stored trades again, after a server's clock was put right."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare import db
from pipshare.trades.read import read
from pipshare.trades.take_in import Server

CHUNK = 100_000
_TEMPORARY = """
CREATE TEMPORARY TABLE IF NOT EXISTS trades_moved (ticket bigint, close_at timestamptz)
    ON COMMIT DELETE ROWS
"""
_KEPT = (
    "server_id, ticket, state, login, position, symbol, side, kind, reason, opening, lots_e8,"
    " open_ms, close_ms, open_price_e8, close_price_e8, commission_e8, fee_e8, swap_e8, profit_e8,"
    " rate_profit_e8, contract_e8, content, batch_id"
)
# What the platform told stays as it is; only what was derived from it is new.
_REVISE = f"""
INSERT INTO trades_trade (revision, close_at, {_KEPT})
SELECT t.revision + 1, m.close_at, {", ".join(f"t.{name}" for name in _KEPT.split(", "))}
  FROM trades_moved m
 CROSS JOIN LATERAL (SELECT * FROM trades_trade
                      WHERE server_id = %s AND ticket = m.ticket
                      ORDER BY revision DESC LIMIT 1) t
"""


def reclock(conn: psycopg.Connection[Any], server: Server) -> int:
    """Give a new revision to each trade whose close the server's clock now puts elsewhere.

    In the caller's transaction; returns how many. What was rated of them is put right by rating
    them again.
    """
    conn.execute(_TEMPORARY)
    conn.execute("DELETE FROM trades_moved")
    after: int | None = None
    while True:
        frame = read(conn, server.id, after_ticket=after, limit=CHUNK)
        if not len(frame):
            break
        after = int(frame["ticket"][-1])
        _note(conn, server, frame)
    return conn.execute(_REVISE, (server.id,)).rowcount


def _note(conn: psycopg.Connection[Any], server: Server, frame: pl.DataFrame) -> None:
    derived = server.to_utc(frame["close_ms"].to_numpy())
    moved = derived != frame["close_utc"].to_numpy()
    if moved.any():
        db.copy_in(conn, "trades_moved", {
            "ticket": db.Int8(frame["ticket"].to_numpy()[moved]),
            "close_at": db.Timestamp(derived[moved]),
        })  # fmt: skip
