"""Stored trades, chunk by chunk, and what several runs' plans say of each at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from pipshare import attribution, rating, trades
from pipshare.attribution import Attributed
from pipshare.market import Server
from pipshare.period import Span
from pipshare.pipeline.enrich import WINDOW_COLUMNS, enriched, point_tables
from pipshare.pipeline.lives import with_lives
from pipshare.pipeline.run import Run
from pipshare.pipeline.whose import at_openings
from pipshare.rating.placed import Placed, placed
from pipshare.rating.rated import Rated

CHUNK = 100_000  # trades that are read and rated at a time
HISTORY = 4  # a standing that rating leaves alone: closed before the server's go-live
# The lines of one run's plans. `ticket` -1 = of no trade (a sum, a client's event).
LINES: dict[str, pl.DataType | type[pl.DataType]] = {
    "server_id": pl.Int32, "ticket": pl.Int64, "component_id": pl.Int32, "level": pl.Int16,
    "partner_id": pl.Int32, "wallet": pl.String, "amount_e8": pl.Int64, "reason": pl.Int16,
    "moment_ms": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True)
class Chunk:
    """Some trades of one server: `frame` as stored, `who` they are of, `placed` those introduced
    at their close.

    `rated` is by run, in the order the runs were given in.
    """

    server: Server
    frame: pl.DataFrame
    who: Attributed
    placed: Placed
    rated: list[Rated]

    def lines(self, place: int) -> pl.DataFrame:
        """Return the lines of one run (LINES)."""
        rated = self.rated[place]
        lines, row = rated.lines, rated.lines.trade_row
        names = pl.Series(rated.currencies, dtype=pl.String)
        return pl.DataFrame({
            "server_id": np.full(len(row), self.server.id),
            "ticket": self.frame["ticket"].to_numpy()[row], "component_id": lines.component_id,
            "level": lines.level, "partner_id": lines.partner_id, "wallet": names[lines.wallet],
            "amount_e8": lines.amount_e8, "reason": lines.reason,
            "moment_ms": self.frame["close_utc"].to_numpy()[row],
        }).cast(pl.Schema(LINES))  # fmt: skip


def chunks(
    runs: Sequence[Run], asking: Run, server: Server, span: Span,
    tickets: Sequence[int] | None = None,
) -> Iterator[Chunk]:  # fmt: skip
    """Yield a server's trades that closed in a span (or those `tickets`), rated by each run.

    Only what does not build up over windows is rated here. `asking` asks what all runs ask.
    """
    cursor = -(2**63)
    while True:
        frame = trades.read(
            asking.conn, server.id, close_from_ms=span.start or None, close_to_ms=span.end,
            after_ticket=cursor, limit=CHUNK, columns=WINDOW_COLUMNS,
            tickets=None if tickets is None else list(tickets),
        )  # fmt: skip
        if len(frame):
            yield _chunk(runs, asking, server, frame)
        if len(frame) < CHUNK:
            return
        cursor = int(frame["ticket"][-1])


def _chunk(runs: Sequence[Run], asking: Run, server: Server, frame: pl.DataFrame) -> Chunk:
    known = asking.directory(server)
    at_close = attribution.attribute(asking.conn, server, frame, known)
    who = _live_only(server, frame, at_close)
    told = enriched(asking, server, frame, who)
    points = point_tables(asking, server, who.group_names)
    made = placed(told, who, asking.symbols(server), typical=points.typical, markup=points.markup)
    rated = []
    for run in runs:
        theirs, mine = at_openings(run.book, known, at_close, server, told), made
        if theirs is not at_close:
            theirs = _live_only(server, frame, theirs)
            mine = placed(told, theirs, asking.symbols(server), typical=points.typical,
                          markup=points.markup)  # fmt: skip
        mine = with_lives(run, server.entity_id, mine)
        found = rating.rate_trades(
            mine.trades, mine.symbols, mine.groups, mine.chains, book=run.book,
            payees=rating.payees_of(run.partners), fx=run.fx, clock=run.day_clock(server),
        )  # fmt: skip
        rated.append(replace(found, waits=pl.concat([found.waits, mine.unclear()])))
    return Chunk(server, frame, who, made, rated)


def _live_only(server: Server, frame: pl.DataFrame, who: Attributed) -> Attributed:
    """Let the trades that closed before the server's go-live stand as history."""
    live = frame["close_utc"].to_numpy() >= (server.go_live_ms or 0)
    if server.go_live_ms is None:
        live[:] = False
    known = who.standing != attribution.Standing.UNKNOWN
    standing = np.where(known & ~live, HISTORY, who.standing).astype(np.int8)
    return replace(who, standing=standing)
