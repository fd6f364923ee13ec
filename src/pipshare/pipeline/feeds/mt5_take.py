"""Take what an MT5 source brought through inbox and trades, and book it: one transaction.

The cursor that covers it is saved in the same transaction. Nothing here talks to the outside.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare import inbox, trades
from pipshare.facts import DEAL, TRADE, Refusal, State, empty
from pipshare.inbox import Source
from pipshare.market import Server
from pipshare.pipeline import agents
from pipshare.pipeline.book import book
from pipshare.pipeline.executions import note_deals
from pipshare.pipeline.feeds.mt5_cash import cash_rows
from pipshare.pipeline.feeds.mt5_state import Progress
from pipshare.pipeline.run import Run
from pipshare.sources.mt5_web import DealsAnswer

KIND = "mt5_web"
_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"


@dataclass
class Brought:
    """Deals that a source brought, with their own texts and comments, row by row."""

    deals: pl.DataFrame = field(default_factory=lambda: empty(DEAL))
    comments: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.String))
    raw: list[bytes] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    @classmethod
    def of(cls, answer: DealsAnswer) -> Brought:
        """Return what an answer holds."""
        return cls(answer.deals, answer.remarks["comment"], answer.raw, list(answer.refused))

    def only(self, mask: npt.NDArray[np.bool_]) -> Brought:
        """Return the rows of the mask, and all that was refused."""
        if mask.all():
            return self
        rows = pl.Series(mask)
        raw = [self.raw[at] for at in np.flatnonzero(mask).tolist()]
        return Brought(self.deals.filter(rows), self.comments.filter(rows), raw, self.refused)

    def and_(self, other: Brought) -> Brought:
        """Return these and another's rows, of a deal that is in both these."""
        fresh = ~np.isin(other.deals["deal"].to_numpy(), self.deals["deal"].to_numpy())
        more = other.only(fresh)
        return Brought(
            pl.concat([self.deals, more.deals]), self.comments.append(more.comments),
            [*self.raw, *more.raw], [*self.refused, *more.refused],
        )  # fmt: skip


@dataclass
class Tally:
    """What some transactions came to. `older` counts deals of which something newer is stored.

    `late`: trades booked that had closed while the source was not polled; they have no lag.
    """

    new: int = 0
    revised: int = 0
    trades: int = 0
    older: int = 0
    late: int = 0
    lags_ms: list[int] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add another's counts to these."""
        self.new += other.new
        self.revised += other.revised
        self.trades += other.trades
        self.older += other.older
        self.late += other.late
        self.lags_ms += other.lags_ms


@dataclass(frozen=True)
class Desk:
    """Where a feed books: its run, its source, and the clock that lags are told by."""

    run: Run
    source: Source
    utc_ms: Callable[[], int]

    @property
    def conn(self) -> psycopg.Connection:
        return self.run.conn

    @property
    def server(self) -> Server:
        """The source's server as last read."""
        return self.run.servers[self.source.server_id]

    @property
    def books(self) -> bool:
        """Whether this source's trades book; else they are compared with those of another."""
        return self.server.authority == KIND

    def asked_ms(self) -> int:
        """Return the moment before something is asked, by the clock that stamps the batches.

        A deal that comes with other content than is stored is newer because this is later.
        """
        self.run.current()
        row = self.conn.execute(_CLOCK).fetchone()
        self.conn.commit()  # nothing is asked outside while a transaction is open
        assert row is not None
        return int(row[0])

    def take(
        self,
        brought: Brought,
        asked_ms: int,
        progress: Progress | None,
        also: Callable[[], None] | None = None,
        *,
        timed: pl.Series | None = None,
        late: pl.Series | None = None,
    ) -> Tally:
        """Take in and book what is new of it, save the cursor, and commit.

        `progress` None leaves the cursor as it is. `also` writes more in the same transaction.
        `timed`: of these tickets the lags are told, where they are trades booked for the first
        time; `late`: these are only counted then.
        """
        tally, booked = Tally(), None
        if len(brought.deals) or brought.refused:
            self.run.current()
            brought = self._unlike(brought)
            if self.books and self._pays_agents(brought, asked_ms):
                self.run.current()
        if not self.books:
            self._compare(brought)
        elif len(brought.deals) or brought.refused:
            server = self.server
            batch_id = inbox.open_batch(
                self.conn, server.id, KIND, len(brought.deals), source_id=self.source.id
            )
            tally, booked = self._store(server, brought, batch_id, asked_ms)
        if also is not None:
            also()
        if progress is not None:
            inbox.save_cursor(self.conn, self.source.id, progress.to_json())
        self.conn.commit()
        if timed is not None and booked is not None:
            mine = booked.filter(pl.col("ticket").is_in(timed.implode()))
            tally.lags_ms = (self.utc_ms() - mine["close_utc"]).to_list()
        if late is not None and booked is not None:
            tally.late = int(booked["ticket"].is_in(late.implode()).sum())
        return tally

    def _unlike(self, brought: Brought) -> Brought:
        """Leave out what is stored as it comes."""
        return brought.only(inbox.unlike(self.conn, self.server.id, brought.deals))

    def _pays_agents(self, brought: Brought, asked_ms: int) -> bool:
        """Write down whom the platform itself paid, before what he brought is booked."""
        if not brought.deals["action"].is_in(agents.ACTIONS).any():
            return False
        agents.note_agent_deals(self.run, self.server, brought.deals, brought.comments, asked_ms)
        return True

    def bury(self, deals: list[int], asked_ms: int, why: str) -> Tally:
        """Reverse deals that their platform deleted, in the open transaction."""
        self.run.current()
        server = self.server
        stones = inbox.tombstones(self.conn, server.id, np.array(deals, np.int64))
        batch_id = inbox.open_batch(
            self.conn, server.id, KIND, len(stones), source_id=self.source.id
        )
        told = [_epitaph(deal, why) for deal in stones["deal"].to_list()]
        comments = pl.Series([""] * len(stones), dtype=pl.String)
        tally, _ = self._store(server, Brought(stones, comments, told), batch_id, asked_ms)
        inbox.settle_unseen(self.conn, server.id, deals, "deleted", why)
        return tally

    def _store(
        self, server: Server, brought: Brought, batch_id: int, asked_ms: int
    ) -> tuple[Tally, pl.DataFrame]:
        """Store deals and book their trades; return also those that are live and new."""
        taken = inbox.store_deals(self.conn, server.id, brought.deals, batch_id, asked_ms)
        note_deals(self.run, server, brought.deals)
        cash = cash_rows(brought.deals, brought.comments)
        if len(cash):
            inbox.store_cash(self.conn, server.id, cash, batch_id)
        inbox.keep_raw(self.conn, batch_id, brought.raw)
        closed = trades.from_deals(self.conn, server.id, taken.positions)
        intake = trades.take_in(self.conn, server, closed, batch_id, asked_ms, judged=True)
        ready = pl.concat([intake.settled, intake.opening_unknown]).sort("ticket")
        first = ready["revision"] == 1
        book(self.run, server, ready.filter(first), fresh=True)
        book(self.run, server, ready.filter(~first), fresh=False)
        if intake.again is not None:
            book(self.run, server, intake.again, fresh=False)
        self._refuse(server, batch_id, [*brought.refused, *taken.conflicts, *intake.conflicts])
        live_ms = server.go_live_ms
        live = pl.lit(value=False) if live_ms is None else pl.col("close_utc") >= live_ms
        return (
            Tally(taken.new, taken.revised, intake.new, taken.older),
            ready.filter(first).filter(live),
        )

    def _compare(self, brought: Brought) -> None:
        """Compare closed trades with those that another source booked; nothing else is kept."""
        server = self.server
        told = trades.assemble(brought.deals).filter(pl.col("state") == State.CLOSED)
        found = trades.compare(self.conn, server, told.select(list(TRADE)))
        if found.differing:
            one = found.differences[0]
            inbox.raise_alert(
                self.conn, "differs", self.source.code,
                f"{found.differing} of {len(told)} trades differ from what {server.authority}"
                f" brought; ticket {one.ticket} in {', '.join(one.fields)}: look which is right",
                source_id=self.source.id,
            )  # fmt: skip

    def _refuse(self, server: Server, batch_id: int, refused: list[Refusal]) -> None:
        fresh = inbox.refuse_live(self.conn, server.id, batch_id, refused)
        for code in sorted({one.code for one in fresh}):
            some = [one for one in fresh if one.code == code]
            more = f" (and {len(some) - 1} more)" if len(some) > 1 else ""
            inbox.raise_alert(
                self.conn, "deals_refused", code,
                f"{some[0].reason}{more}; the deals beside it were taken",
                source_id=self.source.id,
            )  # fmt: skip


def _epitaph(deal: int, why: str) -> bytes:
    """What stands for a raw record where the platform has none any more."""
    return json.dumps({"Deal": str(deal), "retcode": "13 Not found", "note": why}).encode()
