"""What plans may ask of a trade beside the trade itself: quotes, its client, the account's book.

Each kind is looked up only where some plan in the book asks for it: a broker who pays per lot pays
nothing for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare import clients, market, trades
from pipshare.attribution import Attributed
from pipshare.facts import TRADE, Kind
from pipshare.facts.frames import widened
from pipshare.market import Server
from pipshare.period import Millis as Longs
from pipshare.pipeline.run import Run
from pipshare.pipeline.twin_facts import with_open
from pipshare.plans.book import Book
from pipshare.plans.terms import Component, Programme
from pipshare.rating.columns import DEAL, IMPORTED, MADE, NO_QUOTE, PASSED
from pipshare.rating.places import Dated

# What of a stored trade the kernel may look at.
WINDOW_COLUMNS = (
    *(name for name in TRADE if name != "line"), "server_id", "revision", "state", "close_utc",
)  # fmt: skip
_QUOTED = ("spread", "revenue")


@dataclass(frozen=True)
class Asked:
    """What the plans of a book ask about: see the functions below for each."""

    quotes: bool = False
    countries: bool = False
    lives: bool = False
    snapshots: bool = False
    negative: bool = False
    points: bool = False


@dataclass(frozen=True)
class PointTables:
    """Typical spreads and markups by symbol, as rating takes them."""

    typical: dict[str, tuple[Dated, ...]] = field(default_factory=dict)
    markup: dict[str, tuple[Dated, ...]] = field(default_factory=dict)


_asked_of: WeakKeyDictionary[Book, Asked] = WeakKeyDictionary()


def asked(book: Book) -> Asked:
    """Return what the plans of a book ask about, worked out once per book."""
    known = _asked_of.get(book)
    if known is None:
        said = [version.programme for version in book.versions]
        parts = [(programme, part) for programme in said for part in programme.components]
        known = _asked_of[book] = Asked(
            quotes=any(_asks_quotes(*pair) for pair in parts),
            countries=any(_asks_countries(part) for _, part in parts),
            lives=any(one.kyc == "hold" or one.qualify is not None for one in said)
            or any(part.conditions.of_age for _, part in parts),
            snapshots=any(part.conditions.bonus is not None for _, part in parts),
            negative=any(part.conditions.negative_balance == "none" for _, part in parts),
            points=any(_asks_points(*pair) for pair in parts),
        )
    return known


def _asks_quotes(programme: Programme, part: Component) -> bool:
    guard = programme.guard
    qualify = [one for one in (programme.qualify, part.qualify) if one is not None]
    return (
        part.basis in _QUOTED
        or (guard is not None and "spread" in guard.of)
        or any(one.spread is not None or one.revenue is not None for one in qualify)
    )


def _asks_points(programme: Programme, part: Component) -> bool:
    guard = programme.guard
    return (
        _asks_quotes(programme, part)
        or part.basis == "markup"
        or (guard is not None and "markup" in guard.of)
    )


def _asks_countries(part: Component) -> bool:
    named = part.conditions.countries or part.conditions.not_countries
    return bool(named) or any(rule.country for rule in part.rates)


def enriched(run: Run, server: Server, settled: pl.DataFrame, who: Attributed) -> pl.DataFrame:
    """Return a settled frame with the columns that the plans in force ask for (rating.placed)."""
    frame = with_open(server, settled)
    wanted = asked(run.book)
    closed_by = frame["kind"].to_numpy() == Kind.CLOSE_BY
    if closed_by.any():
        frame = widened(frame, {"close_by": _pairs(run, server, frame, closed_by)})
    if wanted.quotes or wanted.points:
        own = trades.quotes_of(run.conn, server.id, frame["ticket"].to_numpy())
        frame = widened(frame, {"gateway_markup_points_e8": _lifts(run, server, frame, own)})
        if wanted.quotes:
            frame = _with_quotes(run, server, frame, own)
    if wanted.quotes or wanted.points:
        frame = widened(frame, {"book": _books(who)})
    blocks, close = run.blocks(server.entity_id), frame["close_utc"].to_numpy()
    if wanted.countries or blocks is not None:
        known = clients.standing_columns(run.conn, who.client_id, close)
        if wanted.countries:
            frame = frame.with_columns(country=known.country)
        if blocks is not None:
            barred = blocks.barred(known.country, known.document, close)
            frame = frame.with_columns(blocked=pl.Series(barred)) if barred.any() else frame
    if wanted.snapshots:
        frame = _with_snapshots(run, server, frame)
    if wanted.negative:
        found = trades.drove_below_zero(run.conn, server, frame["login"].to_numpy())
        negative = np.isin(frame["ticket"].to_numpy(), found)
        frame = frame.with_columns(negative=pl.Series(negative))
    return frame


def point_tables(run: Run, server: Server, groups: Sequence[str]) -> PointTables:
    """Return typical spreads and markups of a server's symbols for these account groups."""
    if not asked(run.book).points:
        return PointTables()
    made: list[dict[str, tuple[Dated, ...]]] = []
    for rows in run.points():
        table = {}
        for symbol in run.symbols(server).rows if rows else ():
            found = market.points_of(rows, symbol, server.id, groups)
            if found:
                table[symbol.symbol] = tuple(
                    Dated(one.points, one.group, one.from_ms) for one in found
                )
        made.append(table)
    return PointTables(*made)


def _books(who: Attributed) -> Longs:
    """Return each trade's book by its account group: PASSED unless the group says it is made."""
    made = [row.book == "made" for row in who.groups]
    places = np.array([*made, False], np.bool_)[who.group]
    return np.where(places, MADE, PASSED).astype(np.int8)


def _pairs(
    run: Run, server: Server, frame: pl.DataFrame, closed_by: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int8]:
    """Return which side of a close-by each trade is (trades.close_by)."""
    sides = np.zeros(len(frame), np.int8)
    tickets = frame["ticket"].to_numpy()[closed_by]
    sides[closed_by] = trades.close_by_of(run.conn, server.id, tickets)
    return sides


def _lifts(run: Run, server: Server, frame: pl.DataFrame, own: pl.DataFrame) -> Longs:
    """Return the markup in points by the provider's prices, -1 where they are not known."""
    book = run.symbols(server)
    digits = np.array([*(row.digits for row in book.rows), -1], np.int64)
    place = book.resolve_column(frame["symbol"]).astype(np.int64)
    return trades.gateway_points(own, frame, digits[place])


def _with_quotes(
    run: Run, server: Server, frame: pl.DataFrame, own: pl.DataFrame
) -> pl.DataFrame:  # fmt: skip
    """Add quotes at both ends: the deals' own, else imported ones; and which it was."""
    columns: dict[str, Longs] = {}
    names = _canonical(run, server, frame["symbol"])
    for end, moment in (("open", frame["open_utc"]), ("close", frame["close_utc"])):
        bid, ask = own[f"{end}_bid_e8"].to_numpy(), own[f"{end}_ask_e8"].to_numpy()
        missing = (bid <= 0) | (ask <= 0)
        source = np.where(missing, NO_QUOTE, DEAL)
        if missing.any():
            at = np.where(missing, moment.to_numpy(), 0)
            found = market.quotes_at(run.conn, server.id, names, at)
            took = missing & (found.age_ms >= 0)
            bid, ask = np.where(took, found.bid_e8, bid), np.where(took, found.ask_e8, ask)
            source = np.where(took, IMPORTED, source)
        columns |= {f"{end}_bid_e8": bid, f"{end}_ask_e8": ask,
                    f"{end}_quote": source.astype(np.int8)}  # fmt: skip
        if end == "open":
            columns["open_spread_e16"] = _several(frame, own)
    return widened(frame, columns)


def _several(frame: pl.DataFrame, own: pl.DataFrame) -> Longs:
    """Return the exact sum of lots x spread where several deals opened a trade, 0 elsewhere."""
    width = own["open_ask_e8"].to_numpy() - own["open_bid_e8"].to_numpy()
    total = own["open_spread_e16"].to_numpy()
    return np.where(total != frame["lots_e8"].to_numpy() * width, total, 0)


def _canonical(run: Run, server: Server, raw: pl.Series) -> pl.Series:
    book = run.symbols(server)
    names = pl.Series([*(row.symbol for row in book.rows), None], dtype=pl.String)
    place = book.resolve_column(raw).astype(np.int64)
    return names.gather(np.where(place < 0, len(book.rows), place))


def _with_snapshots(run: Run, server: Server, frame: pl.DataFrame) -> pl.DataFrame:
    """Add the credit coefficient (equity - credit) / equity of the last snapshot."""
    found = clients.snapshot_columns(
        run.conn, server.id, frame["login"].to_numpy(), frame["close_utc"].to_numpy()
    )
    usable = (found.age_ms >= 0) & (found.equity_e8 > 0)
    top = np.where(usable, np.maximum(found.equity_e8 - found.credit_e8, 0), 0)
    return widened(frame, {
        "bonus_top": top, "bonus_bottom": np.where(usable, found.equity_e8, 0),
        "snapshot_age_ms": found.age_ms,
    })  # fmt: skip
