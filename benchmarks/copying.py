"""The yardstick: trades as prepared COPY buffers, copied into a table like trades_trade.

The table has trades_trade's columns and its primary key, and nothing else: no second index, no
look-up, no check. The rows come in key order, the buffer is made beforehand, one COPY per server,
one commit at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import polars as pl
import psycopg

from benchmarks.world import CLOCK_AHEAD_MS, SERVERS, World
from pipshare import db
from pipshare.db.copy import build
from pipshare.facts import State, trade_content

Form = Literal["text", "binary"]
PIECE = 256 * 1024
TABLE = """
CREATE TABLE yardstick (LIKE trades_trade, PRIMARY KEY (server_id, ticket, revision));
GRANT INSERT ON yardstick TO pipshare_app
"""
_KINDS: dict[str, Any] = {
    "server_id": db.Int4, "ticket": db.Int8, "revision": db.Int2, "state": db.Int2,
    "login": db.Int8, "position": db.Int8, "symbol": db.Text, "side": db.Int2, "kind": db.Int2,
    "reason": db.Int2, "opening": db.Int2, "lots_e8": db.Int8, "open_ms": db.Int8,
    "close_ms": db.Int8, "close_at": db.Timestamp, "open_price_e8": db.Int8,
    "close_price_e8": db.Int8, "commission_e8": db.Int8, "fee_e8": db.Int8, "swap_e8": db.Int8,
    "profit_e8": db.Int8, "rate_profit_e8": db.Int8, "contract_e8": db.Int8, "content": db.Int8,
    "batch_id": db.Int8,
}  # fmt: skip


def buffers(broker: World, form: Form) -> list[bytes]:
    """Return a COPY stream per server."""
    made = []
    for number in range(len(SERVERS)):
        frame = stored(broker, number)
        made.append(_text(frame) if form == "text" else _binary(frame))
    return made


def stored(broker: World, server: int) -> pl.DataFrame:
    """Return a server's trades as trades_trade would hold them, in key order."""
    trades = pl.concat(broker.trades(server)).sort("ticket")
    return trades.with_columns(
        server_id=pl.lit(server + 1, pl.Int32),
        revision=pl.lit(1, pl.Int16),
        state=pl.lit(int(State.CLOSED), pl.Int16),
        close_at=pl.col("close_ms") - CLOCK_AHEAD_MS,
        content=pl.Series(trade_content(trades)),
        batch_id=pl.lit(1, pl.Int64),
    ).select(*_KINDS)


def copy(conn: psycopg.Connection[Any], streams: list[bytes], form: Form) -> None:
    """Copy the streams into the yardstick table and commit."""
    statement = f"COPY yardstick FROM STDIN (FORMAT {form})"
    for stream in streams:
        with conn.cursor() as cursor, cursor.copy(statement) as into:
            for piece in _pieces(stream):
                into.write(piece)
    conn.commit()


def _pieces(stream: bytes) -> Iterator[memoryview]:
    whole = memoryview(stream)
    for start in range(0, len(whole), PIECE):
        yield whole[start : start + PIECE]


def _text(frame: pl.DataFrame) -> bytes:
    moment = pl.from_epoch(pl.col("close_at"), time_unit="ms").dt.to_string("%Y-%m-%d %H:%M:%S+00")
    rows = frame.with_columns(close_at=moment)
    return rows.write_csv(include_header=False, separator="\t", quote_style="never").encode()


def _binary(frame: pl.DataFrame) -> bytes:
    columns = []
    for name, kind in _KINDS.items():
        column = frame[name]
        is_text = column.dtype == pl.String
        columns.append(kind(column if is_text else column.to_numpy().astype(np.int64)))
    return b"".join(bytes(part) for part in build(columns, len(frame)))
