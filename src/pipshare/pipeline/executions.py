"""First executions, out of what a booking took in: opening deals count, not closings alone."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipshare import clients
from pipshare.facts.frames import rows_where
from pipshare.market import Server
from pipshare.pipeline.run import Run
from pipshare.pipeline.said import note_at_once

_TRADING = (0, 1)  # EnDealAction: buy, sell


def note_deals(run: Run, server: Server, deals: pl.DataFrame) -> None:
    """Note the first executions among deals (facts.columns.DEAL), in the caller's transaction."""
    _queue(run, server, _noted(run, server, _of_deals(deals)))


def note_trades(run: Run, server: Server, trades: pl.DataFrame) -> None:
    """Note the first executions among closed trades: their openings, where these are known."""
    _queue(run, server, _noted(run, server, _of_trades(trades)))


def note_many(run: Run, server: Server, deals: pl.DataFrame, trades: pl.DataFrame) -> None:
    """Note the first executions among deals and trades of a file, of which many may be news.

    What nobody is to be told of is settled at once, which is cheaper than the queue. Others who
    note a client's first trade wait for this transaction: call it before anything is booked.
    """
    told = [_of_trades(trades)] if len(trades) else []
    told += [_of_deals(deals)] if len(deals) else []
    if told:
        news = _noted(run, server, pl.concat(told))
        _queue(run, server, note_at_once(run, server, news))


def _of_deals(deals: pl.DataFrame) -> pl.DataFrame:
    return deals.filter(pl.col("action").is_in(_TRADING)).select(
        "login", "symbol", ticket="deal", lots_e8="volume_e8", wall_ms="time_ms"
    )


def _of_trades(trades: pl.DataFrame) -> pl.DataFrame:
    opened = pl.when(pl.col("open_ms") > 0).then("open_ms").otherwise("close_ms")
    return trades.select("login", "symbol", "ticket", "lots_e8", wall_ms=opened)


def _noted(run: Run, server: Server, told: pl.DataFrame) -> pl.DataFrame:
    """Note the first execution of each account; return those that are news."""
    first = told.sort("login", "wall_ms", "ticket")
    login = first["login"].to_numpy()
    first = rows_where(first, np.append(True, login[1:] != login[:-1])[: len(login)])
    at_ms = pl.Series(server.to_utc(first["wall_ms"].to_numpy()), dtype=pl.Int64)
    return run.note_executions(
        server, first.with_columns(at_ms=at_ms).select(list(clients.EXECUTION))
    )


def _queue(run: Run, server: Server, news: pl.DataFrame) -> None:
    clients.queue_traders(run.conn, news.select("login", server_id=pl.lit(server.id)))
