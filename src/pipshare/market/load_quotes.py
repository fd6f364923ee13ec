"""Load quotes: bid and ask of a symbol at a moment. A quote once stored stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare.db import Int4, Int8, Text, Timestamp, copy_in, ms, read_columns
from pipshare.facts.lookup import look_up, refuse
from pipshare.facts.reading import LoadReport
from pipshare.market.load_groups import LOAD_SERVER
from pipshare.market.servers import Server, servers
from pipshare.market.symbols import symbols
from pipshare.market.turn import take_turn

_STAGE = """
CREATE TEMP TABLE market_quote_stage (
    line integer, server_id integer, symbol text, at timestamptz, bid_e8 bigint, ask_e8 bigint
) ON COMMIT DROP
"""
_HELD = f"""
SELECT s.line, q.bid_e8, q.ask_e8, {ms("q.at")}
  FROM market_quote_stage s JOIN market_quote q USING (server_id, symbol, at)
"""
_HELD_SCHEMA = {"line": pl.Int32, "held_bid": pl.Int64, "held_ask": pl.Int64, "held_at": pl.Int64}
_KEY = ["server_id", "symbol", "at"]


def load_quotes(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, *, by: str = "", reason: str = "",
    dry_run: bool = False,
) -> LoadReport:  # fmt: skip
    """Load the `quotes` frame of read_table in the caller's transaction.

    A symbol is looked up as the server writes it and stored by its canonical name. A row that
    contradicts a stored quote is refused; trades since the first new one are to be rated anew.
    The symbol book and the server's clock are those of now.
    """
    take_turn(conn)
    report = LoadReport("quotes", rows=len(frame))
    known = {one.code: one for one in servers(conn)}
    ids = {code: one.id for code, one in known.items()}
    frame, report.refused = look_up(frame, "server", ids, "server", LOAD_SERVER)
    frame, bad = refuse(
        frame, (pl.col("bid") <= 0) | (pl.col("ask") < pl.col("bid")), "bad_quote",
        "symbol {symbol}: bid has to be more than 0, and ask not below bid",
    )  # fmt: skip
    report.refused += bad
    parts = [_placed(conn, known[code], part, report) for (code,), part in
             frame.group_by("server", maintain_order=True)]  # fmt: skip
    if parts:
        _load(conn, report, _once_each(report, pl.concat(parts)))
    report.refused.sort(key=lambda one: one.line)
    return report


def _placed(
    conn: psycopg.Connection[Any], server: Server, part: pl.DataFrame, report: LoadReport
) -> pl.DataFrame:
    """Add `at` (UTC ms) and put the canonical name in place of the server's."""
    book = symbols(conn, server)
    places = book.resolve_column(part["symbol"])
    named = part.with_columns(place=pl.Series(places), at=pl.Series(server.to_utc(
        part["time"].to_numpy())))  # fmt: skip
    named, unknown = refuse(
        named, pl.col("place") < 0, "unknown_symbol",
        "field symbol: {symbol} is not known on {server}; load it first with `pipshare load "
        "symbols`",
    )  # fmt: skip
    report.refused += unknown
    names = np.array([row.symbol for row in book.rows], object)
    return named.with_columns(symbol=pl.Series(names[named["place"].to_numpy()], dtype=pl.String))


def _once_each(report: LoadReport, rows: pl.DataFrame) -> pl.DataFrame:
    prices = pl.struct("bid", "ask")
    rows = rows.with_columns(
        tellings=prices.n_unique().over(_KEY), first=pl.col("line").min().over(_KEY)
    )
    rows, twice = refuse(
        rows, pl.col("tellings") > 1, "said_twice",
        "symbol {symbol}: another line tells another quote for the same moment; keep one",
    )  # fmt: skip
    report.refused += twice
    single = rows.filter(pl.col("line") == pl.col("first"))
    report.same += len(rows) - len(single)
    return single


def _load(conn: psycopg.Connection[Any], report: LoadReport, rows: pl.DataFrame) -> None:
    conn.execute("DROP TABLE IF EXISTS pg_temp.market_quote_stage")
    conn.execute(_STAGE)
    copy_in(conn, "market_quote_stage", {"line": Int4(rows["line"].to_numpy()), **_columns(rows)})
    held = read_columns(conn, _HELD, schema=_HELD_SCHEMA)
    rows = rows.join(held, on="line", how="left", maintain_order="left")
    new = rows.filter(pl.col("held_bid").is_null())
    old = rows.filter(pl.col("held_bid").is_not_null())
    old, other = refuse(
        old, (pl.col("bid") != pl.col("held_bid")) | (pl.col("ask") != pl.col("held_ask")),
        "other_quote", "symbol {symbol}: a different quote is stored for this moment and stays",
    )  # fmt: skip
    report.refused += other
    report.same += len(old)
    report.added += copy_in(conn, "market_quote", _columns(new))
    # A trade without a quote of its own may have been measured by an older one, or a typical one.
    report.touch(new["at"].min())  # type: ignore[arg-type]


def _columns(rows: pl.DataFrame) -> dict[str, Any]:
    return {
        "server_id": Int4(rows["server_id"].to_numpy()),
        "symbol": Text(rows["symbol"]),
        "at": Timestamp(rows["at"].to_numpy()),
        "bid_e8": Int8(rows["bid"].to_numpy()),
        "ask_e8": Int8(rows["ask"].to_numpy()),
    }
