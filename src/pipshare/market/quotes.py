"""Imported quotes: the one that held at a moment, if it was not too old by then."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl
import psycopg

from pipshare.db import Int4, Text, Timestamp, copy_in, ms, read_columns
from pipshare.period import Millis

QUOTE_AGE_MS = 60_000  # usually; an older quote says nothing about a trade
_STAGE = """
CREATE TEMP TABLE market_asked_stage (code integer, symbol text, at timestamptz) ON COMMIT DROP
"""
_LAST = f"""
SELECT s.code, q.bid_e8, q.ask_e8, {ms("q.at")}
  FROM market_asked_stage s
 CROSS JOIN LATERAL (
       SELECT bid_e8, ask_e8, at FROM market_quote
        WHERE server_id = %(server)s AND symbol = s.symbol AND at <= s.at
          AND at >= s.at - %(age)s * interval '1 ms'
        ORDER BY at DESC LIMIT 1) q
"""
_FOUND = {"code": pl.Int64, "bid_e8": pl.Int64, "ask_e8": pl.Int64, "found_ms": pl.Int64}


class QuoteColumns(NamedTuple):
    """Bid and ask (1e-8, 0 where there is no quote) and how old it was (-1 where none)."""

    bid_e8: Millis
    ask_e8: Millis
    age_ms: Millis


def quotes_at(
    conn: psycopg.Connection[Any], server_id: int, symbols: pl.Series, moment_ms: Millis,
    max_age_ms: int | None = None,
) -> QuoteColumns:  # fmt: skip
    """Return the last quote at or before each moment (UTC), at most `max_age_ms` old.

    None = as the setting PIPSHARE_QUOTE_AGE says.

    `symbols` are canonical names, as quotes are stored; null and unknown ones have no quote.
    """
    asked = pl.DataFrame({"symbol": symbols, "at_ms": moment_ms}, schema={
        "symbol": pl.String, "at_ms": pl.Int64})  # fmt: skip
    distinct = asked.filter(pl.col("symbol").is_not_null() & (pl.col("at_ms") > 0)).unique()
    distinct = distinct.sort("symbol", "at_ms").with_row_index("code")
    conn.execute("DROP TABLE IF EXISTS pg_temp.market_asked_stage")
    conn.execute(_STAGE)
    copy_in(conn, "market_asked_stage", {
        "code": Int4(distinct["code"].to_numpy()),
        "symbol": Text(distinct["symbol"]),
        "at": Timestamp(distinct["at_ms"].to_numpy()),
    })  # fmt: skip
    conn.execute("ANALYZE market_asked_stage")
    age_ms = _age_ms() if max_age_ms is None else max_age_ms
    values = {"server": server_id, "age": age_ms}
    found = read_columns(conn, _LAST, values, schema=_FOUND)
    distinct = distinct.with_columns(pl.col("code").cast(pl.Int64)).join(found, on="code")
    rows = asked.join(distinct, on=["symbol", "at_ms"], how="left", maintain_order="left")
    age = (rows["at_ms"] - rows["found_ms"]).fill_null(-1)
    return QuoteColumns(
        rows["bid_e8"].fill_null(0).to_numpy(), rows["ask_e8"].fill_null(0).to_numpy(),
        np.asarray(age.to_numpy(), np.int64),
    )  # fmt: skip


def _age_ms() -> int:
    from pipshare import settings  # here: wrong settings are told in words, not at an import

    return settings.ENV.quote_age_s * 1000
