"""First trades: accounts that were seen trading first, whose they are, and what is said of them."""

from __future__ import annotations

import polars as pl

from pipshare import attribution, clients
from pipshare.attribution import Standing
from pipshare.clients.milestones import FIRST_TRADE, HISTORY, NOBODY, WAITING
from pipshare.market import Server
from pipshare.pipeline.run import Run
from pipshare.pipeline.said.milestones import TYPES, settle_milestones

_AT_ONCE = 100_000  # accounts looked at in one transaction
_PART = 1_000  # clients of whom everything is read at once
_COUNT = (Standing.INTRODUCED, Standing.DIRECT)


def note_at_once(run: Run, server: Server, executions: pl.DataFrame) -> pl.DataFrame:
    """Note the first trades among first executions (clients.EXECUTION) that nobody is told of.

    Returns what is to be queued: of accounts of nobody known, or of which it is not known yet
    whether they count, and what is to be said.
    """
    if not len(executions):
        return executions
    judged = _judged(run, server, executions)
    later = (pl.col("standing") == Standing.UNKNOWN) | (pl.col("said") == WAITING)
    _note(run, judged.filter(pl.col("standing").is_in(_COUNT) & ~later))
    return judged.filter(later).select(executions.columns)


def take_up_traders(run: Run, after: int = 0) -> bool:
    """Look at accounts that were seen trading first; commits. True = some were settled.

    Accounts of nobody known, and such of which it is not known yet whether they count, stay in the
    queue. `after` as of clients.claim_traders.
    """
    run.current()
    claimed = clients.claim_traders(run.conn, _AT_ONCE, after)
    settled = False
    if len(claimed):
        judged = pl.concat([
            _judged(run, run.servers[int(str(server_id))], some)
            for (server_id,), some in claimed.group_by("server_id", maintain_order=True)
        ])  # fmt: skip
        waiting = _note(run, judged.filter(pl.col("standing").is_in(_COUNT)))
        for at in range(0, len(waiting), _PART):
            settle_milestones(run, waiting[at : at + _PART])
        unknown = judged.filter(pl.col("standing") == Standing.UNKNOWN)
        clients.queue_traders(run.conn, unknown)
        settled = len(unknown) < len(claimed)
    run.conn.commit()
    return settled


def _judged(run: Run, server: Server, executions: pl.DataFrame) -> pl.DataFrame:
    """Return executions on a server with whose they are: client_id, standing, source and said."""
    asked = executions.select("login", "ticket", close_utc="at_ms")
    who = attribution.attribute(run.conn, server, asked, run.directory(server))
    listens = run.wanted.by(server.entity_id, TYPES[FIRST_TRADE])
    before = pl.col("at_ms") < run.live_ms(server.entity_id)
    return executions.with_columns(
        pl.Series("client_id", who.client_id),
        pl.Series("standing", who.standing),
        source=pl.lit(server.code),
        said=pl.when(before).then(pl.lit(HISTORY)).otherwise(
            pl.lit(WAITING if listens else NOBODY)
        ),
    )  # fmt: skip


def _note(run: Run, judged: pl.DataFrame) -> list[int]:
    """Note first trades: the earliest of each client. Returns who of them waits to be told of."""
    first = judged.sort("client_id", "at_ms", "source", "ticket")
    first = first.unique("client_id", keep="first", maintain_order=True)
    return clients.note_first_trades(
        run.conn, first.with_columns(event=pl.col("ticket").cast(pl.String))
    )
