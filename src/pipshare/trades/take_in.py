"""Take closed trades in: what is known changes nothing, what differs becomes a revision.

One lock per server, one look-up, a comparison in numpy, and one binary COPY of what is new.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare import db
from pipshare.errors import Unavailable
from pipshare.facts import Opening, Refusal, State, Verdict, trade_content
from pipshare.facts.frames import rows_where, widened
from pipshare.market import Server
from pipshare.period import FOREVER_MS
from pipshare.trades.assemble import ASSEMBLED
from pipshare.trades.close_by import closed_beside
from pipshare.trades.quotes import store_quotes, told_quotes
from pipshare.trades.read import SETTLED, read
from pipshare.trades.stored import Stored, as_of, beside, remember
from pipshare.trades.weigh import weigh

Column = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
_LOCK = 7102  # class of this stage's advisory locks; the object is the server
_INT2 = ("revision", "state", "side", "kind", "reason", "opening")
_INT8 = ("ticket", "login", "position", "lots_e8", "open_ms", "close_ms", "open_price_e8",
         "close_price_e8", "commission_e8", "fee_e8", "swap_e8", "profit_e8", "rate_profit_e8",
         "contract_e8")  # fmt: skip


@dataclass(frozen=True)
class Intake:
    """What came of a frame of trades.

    `settled` (SETTLED columns, ordered by ticket) are the trades now current, new or revised, and
    ready for attribution. `opening_unknown`, of the same shape, are stored and wait for their
    opening: a programme may pay them all the same. `waiting` counts those and the ones whose
    volume is not known. `conflicts` are the rows that were not taken. `again`: known trades
    to be rated again, of which nothing changed: their first quotes came, or the trade that they
    were closed by; None = there are none.
    """

    settled: pl.DataFrame
    opening_unknown: pl.DataFrame
    new: int
    revised: int
    repeated: int
    older: int
    waiting: int
    conflicts: list[Refusal]
    again: pl.DataFrame | None = None


def take_in(
    conn: psycopg.Connection[Any],
    server: Server,
    trades: pl.DataFrame,
    batch_id: int,
    as_of_ms: int | None,
    *,
    judged: bool = False,
) -> Intake:
    """Store what is new of `trades` in the caller's transaction.

    `trades`: TRADE columns, `state` and QUOTED optional. Identity is (server, ticket). Another
    content than stored is a revision when `as_of_ms` (UTC milliseconds of the report; None =
    untold) is later than that of the stored, nothing when it is earlier, else a conflict; with
    `judged` (trades assembled from stored deals) it is a revision. Raises Unavailable when another
    process keeps the server's trades locked.
    """
    _lock(conn, server.id)
    rows, refused, repeated = _cleaned(trades)
    content = trade_content(rows)
    stored = beside(conn, server.id, rows["ticket"].to_numpy())
    weighed = weigh(conn, server.id, rows, content, stored, batch_id=batch_id, as_of_ms=as_of_ms,
                    judged=judged)  # fmt: skip
    verdict = weighed.verdict
    if as_of_ms is not None and not judged:
        _confirm(conn, server.id, rows, stored, verdict == Verdict.SAME, batch_id, as_of_ms)
    taken = (verdict == Verdict.NEW) | (verdict == Verdict.REVISION)
    current = _current(server, rows, stored, taken)
    _write(conn, current, content[taken], batch_id)
    waits, unknown = _wait(conn, server.id, current, stored, taken)
    quoted = _quotes(conn, server.id, trades, rows, stored, verdict)
    again = np.append(quoted, closed_beside(conn, server.id, current))
    return Intake(
        settled=rows_where(current, ~waits),
        opening_unknown=rows_where(current, unknown),
        new=int((verdict == Verdict.NEW).sum()),
        revised=int((verdict == Verdict.REVISION).sum()),
        repeated=int((verdict == Verdict.SAME).sum()) + repeated,
        older=int((verdict == Verdict.OLDER).sum()),
        waiting=int(waits.sum()),
        conflicts=refused + weighed.conflicts,
        again=read(conn, server.id, tickets=np.unique(again)) if len(again) else None,
    )


def _lock(conn: psycopg.Connection[Any], server_id: int) -> None:
    try:
        conn.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_LOCK, server_id))
    except psycopg.errors.LockNotAvailable as error:
        raise Unavailable(
            "server_busy",
            f"another process is taking in trades of server {server_id}; try again when it is done",
        ) from error


def _cleaned(trades: pl.DataFrame) -> tuple[pl.DataFrame, list[Refusal], int]:
    """Order by ticket; refuse rows that cannot be stored or contradict each other."""
    if "state" not in trades.columns:
        trades = widened(trades, {"state": np.full(len(trades), State.CLOSED, np.int8)})
    rows = trades[list(ASSEMBLED)]
    if not rows["ticket"].is_sorted():
        rows = rows.sort("ticket", maintain_order=True)
    refused: list[Refusal] = []
    sane = _sane(rows)
    if not sane.all():
        refused += _refusals(rows_where(rows, ~sane), "bad_trade",
                             "a time or volume is outside what can be stored")  # fmt: skip
        rows = rows_where(rows, sane)
    ticket = rows["ticket"].to_numpy()
    again = np.zeros(len(rows), np.bool_)
    again[1:] = ticket[1:] == ticket[:-1]
    if not again.any():
        return rows, refused, 0
    told = np.stack([ticket, trade_content(rows), rows["state"].to_numpy()])
    torn = np.unique(ticket[1:][(told[:, 1:] != told[:, :-1])[1:].any(axis=0) & again[1:]])
    fought = np.isin(ticket, torn)
    refused += _refusals(rows.filter(pl.Series(fought)), "contradiction",
                         "the ticket comes more than once with different content")  # fmt: skip
    return rows.filter(pl.Series(~again & ~fought)), refused, int((again & ~fought).sum())


def _sane(rows: pl.DataFrame) -> Mask:
    open_ms, close_ms = rows["open_ms"].to_numpy(), rows["close_ms"].to_numpy()
    sane: Mask = (close_ms > 0) & (close_ms < FOREVER_MS) & (rows["lots_e8"].to_numpy() >= 0)
    return sane & (open_ms >= 0) & (open_ms < FOREVER_MS)


def _refusals(rows: pl.DataFrame, code: str, why: str) -> list[Refusal]:
    told = zip(rows["ticket"], rows["line"], strict=True)
    return [Refusal(line, code, f"ticket {ticket}: {why}") for ticket, line in told]


def _confirm(
    conn: psycopg.Connection[Any],
    server_id: int,
    rows: pl.DataFrame,
    stored: Stored,
    same: Mask,
    batch_id: int,
    as_of_ms: int,
) -> None:
    """Remember repeats that tell of a later moment than all before them."""
    tickets = rows["ticket"].to_numpy()[same]
    later = as_of(conn, server_id, tickets, stored["batch_id"][same], as_of_ms) < as_of_ms
    remember(conn, server_id, batch_id, as_of_ms, tickets[later])


def _current(server: Server, rows: pl.DataFrame, stored: Stored, taken: Mask) -> pl.DataFrame:
    """The rows to store, as SETTLED columns."""
    mine = rows_where(rows, taken)
    revision = np.where(stored.found, stored["revision"], 0)[taken] + 1
    return widened(mine, {
        "server_id": np.full(len(mine), server.id, np.int32),
        "revision": pl.Series(revision, dtype=pl.Int16),
        "close_utc": server.to_utc(mine["close_ms"].to_numpy()),
    })[list(SETTLED)]  # fmt: skip


def _write(
    conn: psycopg.Connection[Any], current: pl.DataFrame, content: Column, batch_id: int
) -> None:
    same = np.ones(len(current), np.int64)
    db.copy_in(conn, "trades_trade", {
        "server_id": db.Int4(current["server_id"].to_numpy()),
        "symbol": db.Text(current["symbol"]),
        "close_at": db.Timestamp(current["close_utc"].to_numpy()),
        "content": db.Int8(content),
        "batch_id": db.Int8(same * batch_id),
        **{name: db.Int2(current[name].to_numpy()) for name in _INT2},
        **{name: db.Int8(current[name].to_numpy()) for name in _INT8},
    })  # fmt: skip


def _quotes(
    conn: psycopg.Connection[Any],
    server_id: int,
    trades: pl.DataFrame,
    rows: pl.DataFrame,
    stored: Stored,
    verdict: npt.NDArray[np.int8],
) -> Column:
    """Store the quotes that came beside trades; return known tickets that got their first."""
    quotes = told_quotes(trades)
    if quotes is None:
        return np.zeros(0, np.int64)
    fresh = (verdict == Verdict.NEW) | (verdict == Verdict.REVISION)
    revision = np.where(stored.found, stored["revision"], 0) + fresh
    standing = pl.DataFrame({
        "ticket": rows["ticket"], "revision": revision.astype(np.int64), "fresh": fresh,
    }).filter(pl.Series(fresh | (verdict == Verdict.SAME)))  # fmt: skip
    mine = quotes.join(standing.select("ticket"), on="ticket")
    return store_quotes(conn, server_id, mine, standing).to_numpy()


def _wait(
    conn: psycopg.Connection[Any],
    server_id: int,
    current: pl.DataFrame,
    stored: Stored,
    taken: Mask,
) -> tuple[Mask, Mask]:
    """Keep trades_waiting: return which rows wait, and which of them only for their opening."""
    opened = (current["opening"].to_numpy() == Opening.KNOWN) & (current["lots_e8"].to_numpy() > 0)
    waits = (current["state"].to_numpy() == State.CLOSED) & ~opened
    before = (stored.found & (stored["opening"] == Opening.UNKNOWN))[taken]
    if before.any():
        conn.execute(
            "DELETE FROM trades_waiting WHERE server_id = %s AND ticket = ANY(%s)",
            (server_id, current["ticket"].to_numpy()[before].tolist()),
        )
    if waits.any():
        _store_waiting(conn, current.filter(pl.Series(waits)))
    return waits, waits & (current["lots_e8"].to_numpy() != 0)


def _store_waiting(conn: psycopg.Connection[Any], trades: pl.DataFrame) -> None:
    waiting = trades.select(
        "server_id",
        "ticket",
        reason=pl.when(pl.col("lots_e8") == 0)
        .then(pl.lit("volume_unknown"))
        .otherwise(pl.lit("opening_unknown")),
        key=pl.col("position").cast(pl.String),
    )
    db.copy_in(conn, "trades_waiting", {
        "server_id": db.Int4(waiting["server_id"].to_numpy()),
        "ticket": db.Int8(waiting["ticket"].to_numpy()),
        "reason": db.Text(waiting["reason"]),
        "key": db.Text(waiting["key"]),
    })  # fmt: skip
