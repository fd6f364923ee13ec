"""Rates files without a database, by the same kernels that book."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from pipshare import attribution, rating
from pipshare.attribution import Attributed
from pipshare.facts.events import REFERRING, newest, originals
from pipshare.facts.standing import NO_SNAPSHOT, snapshots_at, standing_at
from pipshare.market import Server, points_of
from pipshare.pipeline.from_files.outcome import Result, Waiting
from pipshare.pipeline.from_files.payable import totals
from pipshare.pipeline.from_files.quoted import with_quotes
from pipshare.pipeline.from_files.spoken import Spoken
from pipshare.pipeline.from_files.trades import settled
from pipshare.pipeline.from_files.windows import countries, given_of, immediate_lines
from pipshare.pipeline.from_files.world import Files, World, read_world
from pipshare.pipeline.whose import at_openings
from pipshare.rating.placed import Placed, joined, placed
from pipshare.rating.places import Dated
from pipshare.rating.windows.settle import settle_window
from pipshare.trades.read import SETTLED

HISTORY = 4  # a standing that rating leaves alone: closed before the server's go-live


def rate_files(files: Files) -> Result:
    """Read the files and rate what they hold. Raises BadInput where nothing can be rated."""
    world = read_world(files)
    result = Result(refused=sorted(world.refused, key=lambda one: (one.file, one.line)))
    for entity in world.entities():
        trades, names = entity_trades(world, entity, result)
        if trades is not None or len(world.events.filter(entity=entity)):
            _rate_entity(world, entity, trades, names, result)
    result.waiting += _unmatched(world.events)
    return result


def _unmatched(events: pl.DataFrame) -> list[Waiting]:
    """Return what takes something back that is not in the files: it waits for it."""
    told = newest(events)
    lost = told.filter(pl.col("kind").is_in(list(REFERRING)) & (originals(told) < 0))
    return [
        Waiting(None, event, "unknown_reference", key=reference)
        for event, reference in lost.select("event", "reference").iter_rows()
    ]


def entity_trades(world: World, entity: str, result: Result) -> tuple[Placed | None, list[str]]:
    """Return the trades of an entity's servers that somebody earns from, and their tickets."""
    parts, names = [], []
    for server in world.servers.values():
        mine = world.entity_of[server.code] == entity and len(world.trades) > 0
        rows = world.trades.filter(server=server.code) if mine else world.trades.clear()
        if len(rows):
            part = place(world, server, rows, result)
            names += [rows["name"][at] for at in part.rows.tolist()]
            parts.append(part)
    return (joined(parts) if parts else None), names


def place(world: World, server: Server, rows: pl.DataFrame, result: Result) -> Placed:
    """Attribute one server's trades and place those that somebody earns from."""
    book = world.symbols[server.code]
    frame = settled(rows, SETTLED, server, guess=not world.needs_openings)
    frame = with_quotes(frame, rows, server, book, world.quotes)
    who = attribute(world, server, frame)
    _say_unrated(who, rows["name"].to_list(), result)
    frame = with_clients(world, server, frame, who)
    tables = [
        {symbol.symbol: tuple(
            Dated(one.points, one.group, one.from_ms)
            for one in points_of(rows, symbol, server.id, who.group_names)
        ) for symbol in book.rows}
        for rows in (world.spreads, world.markups)
    ]  # fmt: skip
    return placed(frame, who, book, typical=tables[0], markup=tables[1])


def with_clients(
    world: World, server: Server, frame: pl.DataFrame, who: Attributed
) -> pl.DataFrame:
    """Add what is known of each trade's client and account: country, registration, snapshots,
    and the book that the group's accounts are on."""
    close = frame["close_utc"].to_numpy()
    told = standing_at(world.events, who.client_id, close, countries(world.people))
    seen = snapshots_at(world.events, server.code, frame["login"].to_numpy(), close)
    there = (seen.age_ms != NO_SNAPSHOT) & (seen.equity_e8 > 0)
    free = np.maximum(seen.equity_e8 - seen.credit_e8, 0)
    books = np.array([int(row.book == "made") for row in who.groups] + [0], np.int8)
    return frame.with_columns(
        country=told.country,
        book=pl.Series(books[who.group]),
        registered_ms=pl.Series(told.registered_ms),
        bonus_top=pl.Series(np.where(there, free, 0)),
        bonus_bottom=pl.Series(np.where(there, seen.equity_e8, 0)),
        snapshot_age_ms=pl.Series(seen.age_ms),
    )


def _rate_entity(
    world: World, entity: str, trades: Placed | None, names: list[str], result: Result
) -> None:
    """Rate by trade what does not build up, and by window what does."""
    given = given_of(world, entity, trades)
    placed_ = given.placed
    assert isinstance(placed_, Placed)
    rated = rating.rate_trades(
        placed_.trades, placed_.symbols, placed_.groups, placed_.chains, book=world.book,
        payees=given.payees, fx=world.fx, clock=given.clock,
    )  # fmt: skip
    spoken = Spoken(world, given, names)
    found = [*spoken.lines(immediate_lines(given, rated))]
    result.waiting += spoken.waits(rated.waits)
    result.waiting += spoken.waits(placed_.unclear())
    result.guarded += spoken.guarded(rated.guarded)
    settled_ = settle_window(given)
    found += spoken.lines(settled_.lines)
    result.waiting += spoken.waits(settled_.waits)
    result.lines += sorted(found, key=lambda line: line.earned_ms)
    result.totals += totals(world, entity, found)


def attribute(world: World, server: Server, frame: pl.DataFrame) -> Attributed:
    """Attribute one server's trades; those closed before its go-live stand as history."""
    directory = world.accounts.directory(server, world.groups[server.code])
    who = attribution.attribute_known(directory, frame)
    who = at_openings(world.book, directory, who, server, frame)
    early = frame["close_utc"].to_numpy() < (server.go_live_ms or 0)
    standing = np.where((who.standing != attribution.Standing.UNKNOWN) & early, HISTORY,
                        who.standing)  # fmt: skip
    return replace(who, standing=standing.astype(np.int8))


def _say_unrated(who: Attributed, names: list[str], result: Result) -> None:
    """Note the trades that wait for who they belong to, and those that nobody earns from."""
    for row in np.flatnonzero(who.standing != attribution.Standing.INTRODUCED).tolist():
        word = attribution.Why(int(who.why[row])).name.lower()
        if who.standing[row] == attribution.Standing.UNKNOWN:
            result.waiting.append(Waiting(names[row], None, word))
        else:
            early = who.standing[row] == HISTORY
            result.unrated.append((names[row], "before_go_live" if early else word))
