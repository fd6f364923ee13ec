"""First executions, out of what a booking took in: opening deals count, not closings alone."""

from __future__ import annotations

import polars as pl

from pipshare import clients
from pipshare.market import Server
from pipshare.pipeline.run import Run

_TRADING = (0, 1)  # EnDealAction: buy, sell


def note_deals(run: Run, server: Server, deals: pl.DataFrame) -> None:
    """Note the first executions among deals (facts.columns.DEAL), in the caller's transaction."""
    traded = deals.filter(pl.col("action").is_in(_TRADING))
    _note(run, server, traded.select(
        "login", ticket="deal", symbol="symbol", lots_e8="volume_e8", wall_ms="time_ms",
    ))  # fmt: skip


def note_trades(run: Run, server: Server, trades: pl.DataFrame) -> None:
    """Note the first executions among closed trades: their openings, where these are known."""
    opened = pl.when(pl.col("open_ms") > 0).then("open_ms").otherwise("close_ms")
    _note(run, server, trades.select(
        "login", "ticket", "symbol", "lots_e8", wall_ms=opened
    ))  # fmt: skip


def _note(run: Run, server: Server, told: pl.DataFrame) -> None:
    if not len(told):
        return
    first = told.sort("wall_ms", "ticket").unique("login", keep="first", maintain_order=True)
    at_ms = pl.Series(server.to_utc(first["wall_ms"].to_numpy()))
    run.note_executions(server, first.with_columns(at_ms=at_ms).select(list(clients.EXECUTION)))
