"""Settle windows: from complete facts to what every payee's windows come to, and every line of it.

A pure function: what it says does not depend on the order or the number of pieces in which facts
arrived. What is booked is the difference to what was booked before.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipshare.period import Span
from pipshare.plans.book import Book
from pipshare.rating.finish import FORFEITED, HELD, kyc_states
from pipshare.rating.parts import building_ids
from pipshare.rating.qualify import Life, lives
from pipshare.rating.reasons import TAKEN_BACK, Reason
from pipshare.rating.windows.after import advanced, carried, earned
from pipshare.rating.windows.calendar import bounds, numbers
from pipshare.rating.windows.client_pass import client_pass
from pipshare.rating.windows.given import Given
from pipshare.rating.windows.lines import LINES, payees
from pipshare.rating.windows.narrow import all_parts
from pipshare.rating.windows.period_pass import period_pass
from pipshare.rating.windows.rating_pass import Found, trade_pass
from pipshare.rating.windows.reach import is_of_clients, named, reach

# What a payee's window of a component comes to. `client` -1 = of all clients; it is the client for
# lines paid to clients and for components that pay for clients. Amounts of zero are left out.
TARGETS: dict[str, pl.DataType | type[pl.DataType]] = {
    "component_id": pl.Int32, "payee_kind": pl.String, "partner_id": pl.Int32, "client": pl.Int64,
    "window_start_ms": pl.Int64, "window_end_ms": pl.Int64, "level": pl.Int16,
    "currency": pl.String, "wallet": pl.String, "amount_e8": pl.Int64, "orig_e8": pl.Int64,
    "reason": pl.Int16, "held_by": pl.String, "trades": pl.Int64, "events": pl.List(pl.String),
}  # fmt: skip
SETTLED_LINES = {**LINES, "window_start_ms": pl.Int64, "window_end_ms": pl.Int64}
_BY = ("component_id", "payee_kind", "partner_id", "client", "window_start_ms", "window_end_ms",
       "level", "currency", "wallet", "reason", "held_by")  # fmt: skip


@dataclass(frozen=True)
class Settled:
    """`targets` (TARGETS) are the sums of `lines` (SETTLED_LINES); `waits` (lines.WAITS) have no
    amount yet. `trade_row` is what the trades are called (their place where nothing is said)."""

    targets: pl.DataFrame
    lines: pl.DataFrame
    waits: pl.DataFrame


def settle_window(
    given: Given, *, components: Collection[int] | None = None, span: Span | None = None
) -> Settled:
    """Return what builds up in the windows of the given trades and events.

    `components`: only these (their ids; None = all that build up). `span`: only windows that begin
    in it (UTC ms, half-open); the trades before it are those that the windows look back to.
    """
    book = given.book
    wanted = building(book) if components is None else set(components)
    needed = with_named(book, wanted)
    known = lives(given.events) if given.events is not None else []
    passes = [trade_pass(given, needed), period_pass(given, needed),
              client_pass(given, needed, known)]  # fmt: skip
    lines = pl.concat([one[0] for one in passes])
    waits = [one[1] for one in passes]
    lines = held_for_kyc(given, lines, known)
    more, waiting = what_follows(given, lines, needed)
    lines = in_windows(given, pl.concat([lines, more]), wanted, span)
    kept = pl.concat([*waits, waiting]).filter(
        pl.col("component_id").is_in([*wanted, 0])).unique(maintain_order=True)  # fmt: skip
    return Settled(targets_of(book, lines), _called(given, lines), _called(given, kept))


def building(book: Book) -> set[int]:
    """Return the components that build up, in any version."""
    return {*building_ids(book), *(part.component_id for part in all_parts(book)
                                   if part.component.builds_up)}  # fmt: skip


def what_follows(given: Given, lines: pl.DataFrame, needed: Collection[int]) -> Found:
    """Return LINES and WAITS that follow from the sums of lines: what is earned back, carried
    over, or given on top."""
    more = advanced(given, lines, needed)
    more = pl.concat([more, carried(given, pl.concat([lines, more]), needed)])
    bonus, waits = earned(given, pl.concat([lines, more]), needed)
    return pl.concat([more, bonus]), waits


def in_windows(
    given: Given, lines: pl.DataFrame, wanted: Collection[int], span: Span | None
) -> pl.DataFrame:
    """Return the lines of the wanted components as SETTLED_LINES, in windows that begin in a span
    (None = all)."""
    lines = _windowed(given, lines.filter(pl.col("component_id").is_in(list(wanted))))
    if span is None:
        return lines
    inside = pl.col("window_start_ms").is_between(span.start, span.end, closed="left")
    return lines.filter(inside)


def with_named(book: Book, wanted: Collection[int]) -> set[int]:
    """Return the components, and those whose sums they look at: what they net with, earn back or
    take a share of."""
    found = set(wanted)
    while True:
        more = set(found)
        for version in book.versions:
            ids = dict(zip((one.code for one in version.programme.components),
                           version.component_ids, strict=True))  # fmt: skip
            for component in version.programme.components:
                if ids[component.code] in found:
                    names = named(component)
                    more |= {ids[name] for name in names if name in ids}
        if more == found:
            return found
        found = more


def held_for_kyc(given: Given, lines: pl.DataFrame, known: list[Life]) -> pl.DataFrame:
    """Hold, release or forfeit the lines of clients, where the programme waits for their KYC."""
    if given.events is None:
        return lines
    days = {part.component_id: part.programme.kyc_forfeit_days for part in all_parts(given.book)
            if part.programme.kyc == "hold"}  # fmt: skip
    number, client = lines["component_id"].to_numpy(), lines["client"].to_numpy()
    state = np.zeros(len(lines), np.int8)
    for one, limit in days.items():
        rows = np.flatnonzero((number == one) & (lines["reason"].to_numpy() == Reason.PAID))
        state[rows] = kyc_states(
            known, client[rows], lines["moment_ms"].to_numpy()[rows], clock=given.clock,
            as_of_ms=given.as_of_ms, forfeit_days=limit,
        )  # fmt: skip
    lost, held = pl.Series(state == FORFEITED), pl.Series(state == HELD)
    ours = pl.Series(np.isin(number, list(days)))
    # What is taken back is where that is which was paid: client_pass has seen to it.
    free = ours & (lines["held_by"] == "kyc") & ~held
    free = free & ~lines["reason"].is_in([int(one) for one in TAKEN_BACK])
    return lines.with_columns(
        amount_e8=pl.when(lost).then(0).otherwise("amount_e8"),
        orig_e8=pl.when(lost).then(0).otherwise("orig_e8"),
        reason=pl.when(lost).then(pl.lit(int(Reason.FORFEITED), pl.Int16)).otherwise("reason"),
        held_by=pl.when(held)
        .then(pl.lit("kyc"))
        .when(lost | free)
        .then(pl.lit(""))
        .otherwise("held_by"),
    )


def _windowed(given: Given, lines: pl.DataFrame) -> pl.DataFrame:
    """Add the window in which each line is booked."""
    units = {part.component_id: reach(part.component).booked for part in all_parts(given.book)}
    number, moment = lines["component_id"].to_numpy(), lines["moment_ms"].to_numpy()
    start, end = np.zeros(len(lines), np.int64), np.zeros(len(lines), np.int64)
    for unit in set(units.values()):
        rows = np.flatnonzero(np.isin(number, [one for one, u in units.items() if u == unit]))
        if len(rows):
            window = numbers(moment[rows], unit, given.clock)
            used, place = np.unique(window, return_inverse=True)
            first, last = bounds(used, unit, given.clock)
            start[rows], end[rows] = first[place], last[place]
    return lines.with_columns(window_start_ms=pl.Series(start), window_end_ms=pl.Series(end)).sort(
        "window_start_ms", "component_id", "moment_ms", "trade_row", "level", "partner_id",
        maintain_order=True,
    )  # fmt: skip


def targets_of(book: Book, lines: pl.DataFrame) -> pl.DataFrame:
    """Sum the lines by payee, component and window."""
    of_clients = [part.component_id for part in all_parts(book) if is_of_clients(part.component)]
    told = payees(lines).with_columns(
        payee_kind=pl.when(pl.col("partner_id") == 0).then(pl.lit("client"))
        .otherwise(pl.lit("partner")),
        client=pl.when(pl.col("component_id").is_in(of_clients)).then("client").otherwise("payee"),
    )  # fmt: skip
    sums = told.filter(pl.col("amount_e8") != 0).group_by(_BY, maintain_order=True).agg(
        pl.col("amount_e8", "orig_e8").sum(),
        trades=(pl.col("trade_row") >= 0).sum(),
        events=pl.col("event").filter(pl.col("event") != "").unique(maintain_order=True),
    )  # fmt: skip
    return sums.sort(_BY).select(TARGETS.keys()).cast(pl.Schema(TARGETS))


def _called(given: Given, frame: pl.DataFrame) -> pl.DataFrame:
    """Call trades what the caller calls them."""
    names = given.placed.trades.trade_row
    if names is None:
        return frame
    place = frame["trade_row"].to_numpy()
    return frame.with_columns(trade_row=pl.Series(np.r_[names, -1][place]))
