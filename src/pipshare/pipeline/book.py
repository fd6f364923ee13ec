"""The main job: attribute, rate and post a batch of trades, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare import attribution, ledger, rating
from pipshare.attribution import Attributed
from pipshare.facts.frames import rows_where, widened
from pipshare.market import Server
from pipshare.period import broker_days
from pipshare.pipeline.alerting import tell_guards, tell_waits
from pipshare.pipeline.place import place
from pipshare.pipeline.run import Run
from pipshare.pipeline.said import say_booked
from pipshare.pipeline.wallets import with_house, with_wallets
from pipshare.pipeline.whose import attributed
from pipshare.pipeline.windows.forfeits import forfeited
from pipshare.pipeline.windows.notes import note_windows
from pipshare.rating.parts import building_ids
from pipshare.rating.store import HISTORY, Entries

Column = npt.NDArray[np.int64]
UNKNOWN, INTRODUCED, DIRECT, EXCLUDED = 0, 1, 2, 3


@dataclass
class Booked:
    """What a batch came to: trades by standing, lines posted, and what waits, by reason."""

    trades: int = 0
    introduced: int = 0
    direct: int = 0
    excluded: int = 0
    history: int = 0
    lines: int = 0
    waiting: dict[str, int] = field(default_factory=dict)

    def add(self, other: Booked) -> None:
        """Add another batch's counts to this one's."""
        for name in ("trades", "introduced", "direct", "excluded", "history", "lines"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for reason, count in other.waiting.items():
            self.waiting[reason] = self.waiting.get(reason, 0) + count


def book(
    run: Run, server: Server, settled: pl.DataFrame, *, fresh: bool, is_current: bool = False
) -> Booked:
    """Attribute, rate and post trades in the caller's transaction.

    `settled` is a frame of trades as the trades stage gives them. `fresh` says that none of them
    was ever rated, which saves looking up what stands posted; otherwise only the differences to it
    are posted. `is_current` says that `run.current` was called in this transaction already.
    A server without a go-live books nothing; trades closed before it are history.
    One process at a time books for a server; `rating.turn` is taken here if it was not before.
    """
    if not is_current:
        run.current()
    server = run.servers[server.id]
    rating.turn(run.conn, server.id)
    if server.go_live_ms is None or not len(settled):
        return Booked()
    fresh = fresh or _untouched(run, server, settled)
    who = attributed(run, server, settled)
    attribution.store_waiting(run.conn, server.id, settled, who, fresh=fresh)
    live = settled["close_utc"].to_numpy() >= server.go_live_ms
    standing = np.where((who.standing != UNKNOWN) & ~live, HISTORY, who.standing)
    made = place(run, server, settled, replace(who, standing=standing.astype(np.int8)))
    rated = rating.rate_trades(
        made.trades, made.symbols, made.groups, made.chains, book=run.book,
        payees=rating.payees_of(run.partners), fx=run.fx, clock=run.day_clock(server),
    )  # fmt: skip
    rated = forfeited(rated, made)
    note_windows(run, server, settled, who, fresh=fresh)
    days = broker_days(settled["close_utc"].to_numpy(), run.day_clock(server))
    lines = with_wallets(run, server, settled["ticket"], days, rated, who.client_id)
    waiting = pl.concat([rated.waits, made.unclear()])
    wait_row = waiting["trade_row"].to_numpy()
    waits = widened(waiting, {"ticket": settled["ticket"].to_numpy()[wait_row]})
    told = {
        "ticket": settled["ticket"].to_numpy(), "revision": settled["revision"].to_numpy(),
        "standing": standing, "login": settled["login"].to_numpy(), "chain_id": who.chain_id,
        "day": days,
    }  # fmt: skip
    told = {name: values.astype(np.int64, copy=False) for name, values in told.items()}
    if fresh:
        entries, entry = _first_entries(told, rated.lines.trade_row, wait_row)
        lines = widened(lines, {"entry": entry})
    else:
        before = rating.before(run.conn, server.id, settled["ticket"])
        lines = rating.difference(lines, before.lines)
        lines = with_house(run, _undisputed(settled["ticket"], who, lines))
        entries, lines = _next_entries(pl.DataFrame(told), lines, waits, before)
    _post(run, server, entries, lines)
    say_booked(
        run, server, settled, who, standing, lines,
        dict(zip(entries.ticket.tolist(), entries.seq.tolist(), strict=True)), fresh=fresh,
    )  # fmt: skip
    introduced = settled["ticket"].gather(made.rows)
    gone = rating.store_waiting(
        run.conn, server.id, settled["ticket"], waits, fresh=fresh,
        leave=(building_ids(run.book), introduced),
    )  # fmt: skip
    tell_waits(run, server, waits, gone)
    tell_guards(run, server, settled["ticket"], rated.guarded)
    return _counted(who, entries, len(lines), waits)


def _undisputed(ticket: pl.Series, who: Attributed, lines: pl.DataFrame) -> pl.DataFrame:
    """Leave what is booked of an account with a native agent as it is, until somebody decides."""
    held = who.why == attribution.Why.NATIVE_AGENT
    if not held.any():
        return lines
    return lines.filter(~pl.col("ticket").is_in(ticket.filter(pl.Series(held)).implode()))


def _untouched(run: Run, server: Server, settled: pl.DataFrame) -> bool:
    """Tell whether nothing was ever posted of, and nothing waits among, these tickets' range.

    One look saves four long look-ups per batch when stored trades are rated for the first time.
    """
    tickets = settled["ticket"].to_numpy()
    low, high = int(tickets.min()), int(tickets.max())
    return rating.untouched(run.conn, server.id, low, high) and attribution.untouched(
        run.conn, server.id, low, high
    )


def _first_entries(
    trades: dict[str, Column], line_row: Column, wait_row: Column
) -> tuple[Entries, Column]:
    """Choose the trades that get their first entry, and point each line at its own.

    A trade that waits as a whole gets none: it is not rated yet. One that has lines has a standing.
    """
    count = len(trades["ticket"])
    has_lines = np.bincount(line_row, minlength=count) > 0
    waits = np.bincount(wait_row, minlength=count) > 0
    wanted = (trades["standing"] != UNKNOWN) & (has_lines | ~waits)
    kept = trades if wanted.all() else {name: held[wanted] for name, held in trades.items()}
    entry = (np.cumsum(wanted) - 1)[line_row]
    return Entries(seq=np.ones(int(wanted.sum()), np.int64), **kept), entry


def _next_entries(
    trades: pl.DataFrame, lines: pl.DataFrame, waits: pl.DataFrame, before: rating.Before
) -> tuple[Entries, pl.DataFrame]:
    """Choose the trades that get an entry, the first or another; point each line at its own.

    One that was rated before gets another only when something is to be said: lines, a new
    revision, another standing or chain.
    """
    rows = _by_day(trades, lines)
    is_whole_wait = ~pl.col("has_lines") & pl.col("ticket").is_in(waits["ticket"].implode())
    rows = rows.with_columns(wanted=(pl.col("standing") != UNKNOWN) & ~is_whole_wait)
    kept = rating.next_seq(rows, before.entries)
    where = kept.select("ticket", "day", entry=pl.int_range(pl.len(), dtype=pl.Int64))
    lines = lines.join(where, on=["ticket", "day"], how="inner", maintain_order="left")
    names = ("ticket", "seq", "revision", "standing", "login", "chain_id", "day")
    return Entries(**{name: kept[name].cast(pl.Int64).to_numpy() for name in names}), lines


def _by_day(trades: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return a row per trade and earned day on which something is posted, the old day first."""
    moved = lines.select("ticket", "day", has_lines=pl.lit(True)).unique()
    rows = trades.join(moved, on="ticket", how="left", suffix="_posted").with_columns(
        day=pl.coalesce("day_posted", "day"), has_lines=pl.col("has_lines").fill_null(False)
    )
    return rows.drop("day_posted").sort("ticket", "day")


def _post(run: Run, server: Server, entries: Entries, lines: pl.DataFrame) -> None:
    """Post the lines, first ratings as accruals and later ones as corrections, and store them."""
    entry = lines["entry"].to_numpy()
    first = entries.seq[entry] == 1
    transfer = np.zeros(len(lines), np.int64)
    for kind, mask in (("accrual", first), ("correction", ~first)):
        some = rows_where(lines, mask)
        posting = ledger.post(
            run.conn,
            entity_id=server.entity_id,
            kind=kind,
            cause=f"trades of {server.code}",
            day=some["day"].to_numpy(),
            account=some["account"].to_numpy(),
            contra=some["contra"].to_numpy(),
            amount_e8=some["amount_e8"].to_numpy(),
        )
        transfer[mask] = posting.transfer
    rating.store(run.conn, server.id, entries, lines, transfer)


def _counted(who: Attributed, entries: Entries, lines: int, waits: pl.DataFrame) -> Booked:
    """Count what was settled now, and everything of the batch that waits."""
    _, first = np.unique(entries.ticket, return_index=True)
    standing = entries.standing[first]
    waiting: dict[str, int] = {}
    if len(waits):
        each = waits.group_by("reason").agg(pl.col("ticket").n_unique())
        waiting = dict(each.iter_rows())
    unknown = who.why[who.standing == UNKNOWN]
    for why in np.unique(unknown).tolist():
        waiting[attribution.Why(why).name.lower()] = int((unknown == why).sum())
    return Booked(
        trades=len(first),
        introduced=int((standing == INTRODUCED).sum()),
        direct=int((standing == DIRECT).sum()),
        excluded=int((standing == EXCLUDED).sum()),
        history=int((standing == HISTORY).sum()),
        lines=lines,
        waiting=waiting,
    )
