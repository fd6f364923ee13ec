"""Servers, batches and TRADE frames for tests against the database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import psycopg

from pipshare.facts import TRADE
from pipshare.market import Server
from pipshare.period import Clock

LOT = 10**8
NOON = 1_790_000_000_000
_PLAIN: dict[str, Any] = {
    "login": 5001, "position": 0, "symbol": "EURUSD", "side": 1, "kind": 0, "reason": -1,
    "lots_e8": LOT, "open_ms": NOON - 3_600_000, "close_ms": NOON, "open_price_e8": 110_000_000,
    "close_price_e8": 110_100_000, "commission_e8": -7 * LOT, "fee_e8": 0, "swap_e8": 0,
    "profit_e8": 100 * LOT, "rate_profit_e8": LOT, "contract_e8": 10**13, "opening": 1, "line": 0,
}  # fmt: skip


def server_of(number: int, *clocks: tuple[int, str]) -> Server:
    """Return a server with these clocks (UTC+2 when none is given) as the market knows it."""
    told = clocks or ((0, "+02:00"),)
    history = tuple((since, Clock.parse(text)) for since, text in told)
    return Server(number, f"S{number}", 1, "mt5", "files", (), history, None)


def new_server(conn: psycopg.Connection[Any], code: str = "Test-MT5") -> Server:
    """Store a server and return it."""
    row = conn.execute(
        "INSERT INTO market_server (code, entity_id, platform) SELECT %s, id, 'mt5' "
        "FROM market_entity RETURNING id", (code,)).fetchone()  # fmt: skip
    assert row
    return server_of(row[0])


def new_batch(
    conn: psycopg.Connection[Any], server: Server, name: str = "a.csv", as_of: int | None = None
) -> int:
    """Store a file and a batch of it; `as_of` is a moment in UTC milliseconds."""
    moment = None if as_of is None else datetime.fromtimestamp(as_of / 1000, UTC)
    row = conn.execute(
        "WITH f AS (INSERT INTO inbox_file (server_id, digest, name, size, format, provenance, "
        "as_of, booked) VALUES (%(s)s, %(n)s, %(n)s, 1, 'mapped', 'operator', %(m)s, true) "
        "RETURNING id) INSERT INTO inbox_batch (file_id, server_id, kind, count) "
        "SELECT id, %(s)s, 'trades', 1 FROM f RETURNING id",
        {"s": server.id, "n": name, "m": moment},
    ).fetchone()
    assert row
    return int(row[0])


def trade(ticket: int, **fields: Any) -> dict[str, Any]:
    """Return one trade."""
    row = {**_PLAIN, "ticket": ticket, **fields}
    return {name: row[name] for name in (*TRADE, *(["state"] if "state" in row else []))}


def trades(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return a TRADE frame, with `state` where a row gives it."""
    schema = {**TRADE, "state": pl.Int8} if any("state" in row for row in rows) else TRADE
    return pl.DataFrame([{"state": 1, **row} for row in rows], schema=schema)


def count(conn: psycopg.Connection[Any], table: str) -> int:
    """Return the number of rows of a table."""
    row = conn.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[arg-type]
    assert row
    return int(row[0])
