"""What builds up over windows or clients' lives, by a run's plans: settled as booking settles it.

In pieces that fit memory: a piece is some months and, where these hold very many trades, some trees
of partners at a time. A component that carries over, or counts whole lives, is one piece in time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from pipshare import partners
from pipshare.period import FOREVER_MS, Clock, Span
from pipshare.pipeline.run import Run
from pipshare.pipeline.simulate.lines import LINES
from pipshare.pipeline.windows.work import (
    Target,
    counts_others,
    looks_at_clients,
    targets,
)
from pipshare.plans.terms import Component, Programme
from pipshare.rating.parts import building_ids
from pipshare.rating.window_store import Due
from pipshare.rating.windows import is_of_clients, reach
from pipshare.rating.windows.calendar import Unit, bounds, numbers

AT_ONCE = 500_000  # trades of a piece, where trees allow it
MOST_CLIENTS = 20_000  # lives settled at a time
# Pieces are never shorter than the windows in them: weeks do not fit months.
_PIECE: dict[Unit, Unit] = {"day": "month", "week": "week"}
_STORED = """
SELECT (extract(epoch FROM min(close_at)) * 1000)::bigint,
       (extract(epoch FROM max(close_at)) * 1000)::bigint
  FROM trades_trade WHERE server_id = ANY(%s)"""
# What clients cost may fall in months in which nobody traded.
_TOLD = """
SELECT (extract(epoch FROM min(at)) * 1000)::bigint, (extract(epoch FROM max(at)) * 1000)::bigint
  FROM clients_event WHERE entity_id = %s AND at >= to_timestamp(%s / 1000.0)"""
_COUNT = """
SELECT count(*) FROM trades_trade
 WHERE server_id = ANY(%s) AND close_at >= to_timestamp(%s / 1000.0)
   AND close_at < to_timestamp(%s / 1000.0)"""


def window_lines(run: Run, entity_id: int, span: Span) -> Iterator[tuple[pl.DataFrame, pl.Series]]:
    """Yield (lines, reasons of waits) of an entity in a span, piece by piece.

    Lines are LINES; a line counts at its own moment: a sum's is the end of its period.
    """
    said = _building(run, entity_id)
    if not said:
        return
    trees = sorted({run.shard(one) for one in run.partners.ids.tolist()})
    for number, versions in said.items():
        if any(is_of_clients(one) for _, one in versions):
            for dues in _of_clients(run, number, versions):
                yield from _settled(run, entity_id, dues, span)
        if not all(is_of_clients(one) for _, one in versions):
            for dues in _of_trees(run, entity_id, number, versions, trees, span):
                yield from _settled(run, entity_id, dues, span)


Said = tuple[Programme, Component]


def _building(run: Run, entity_id: int) -> dict[int, list[Said]]:
    """Return what the versions of each building component of an entity say."""
    entity, building = run.entities[entity_id].code, building_ids(run.book)
    found: dict[int, list[Said]] = {}
    for version in run.book.versions:
        if version.programme.entity == entity:
            for one, number in zip(
                version.programme.components, version.component_ids, strict=True
            ):
                if number in building:
                    found.setdefault(number, []).append((version.programme, one))
    return found


def _of_clients(run: Run, number: int, versions: Sequence[Said]) -> Iterator[list[Due]]:
    who = partners.clients_of(run.conn, run.partners.ids.tolist())
    # Where a payee's clients count together (a gate, a tier of conversions) all lives are one.
    most = len(who) if any(counts_others(*pair) for pair in versions) else MOST_CLIENTS
    for start in range(0, len(who), max(most, 1)):
        yield [Due(number, 0, 0, FOREVER_MS, one) for one in who[start : start + most]]


def _of_trees(
    run: Run, entity_id: int, number: int, versions: Sequence[Said], trees: Sequence[int],
    span: Span,
) -> Iterator[list[Due]]:  # fmt: skip
    servers = [one.id for one in run.servers.values() if one.entity_id == entity_id]
    for first, last in _pieces(run, entity_id, servers, versions, span):
        found = run.conn.execute(_COUNT, (servers, first, last)).fetchone()
        assert found is not None
        groups = max(1, -(-int(found[0]) // AT_ONCE))
        for group in range(min(groups, len(trees))):
            yield [Due(number, one, first, last) for one in trees[group::groups]]


def _pieces(
    run: Run, entity_id: int, servers: list[int], versions: Sequence[Said], span: Span
) -> Iterator[tuple[int, int]]:
    """Yield the bounds of the pieces: whole windows that overlap the span and what is stored."""
    known = [run.conn.execute(_STORED, (servers,)).fetchone()]
    if any(looks_at_clients(*pair) for pair in versions):
        known.append(run.conn.execute(_TOLD, (entity_id, run.live_ms(entity_id))).fetchone())
    stored = [row for row in known if row is not None and row[0] is not None]
    if not stored:
        return
    start = max(span.start, min(row[0] for row in stored))
    end = min(span.end, max(row[1] for row in stored) + 1)
    if start >= end:
        return
    clock = run.clock(entity_id)
    reached = [reach(one, programme) for programme, one in versions]
    units = {one.window for one in reached} | {one.booked for one in reached}
    whole = any(one.carry or one.advance for _, one in versions) or "life" in units
    if whole or ("week" in units and len(units) > 1):
        longest: Unit = max(units - {"life"} or {"month"}, key=_ORDER.index)
        yield _around(start, longest, clock)[0], _around(end - 1, longest, clock)[1]
        return
    piece = max((_PIECE.get(one, one) for one in units), key=_ORDER.index)
    while start < end:
        first, last = _around(start, piece, clock)
        yield first, last
        start = last


_ORDER: tuple[Unit, ...] = ("day", "week", "month", "quarter", "year")


def _around(moment: int, unit: Unit, clock: Clock) -> tuple[int, int]:
    start, end = bounds(numbers(np.array([moment], np.int64), unit, clock), unit, clock)
    return int(start[0]), int(end[0])


def _settled(
    run: Run, entity_id: int, dues: list[Due], span: Span
) -> Iterator[tuple[pl.DataFrame, pl.Series]]:
    for target in targets(run, entity_id, dues, each=True):
        yield _lines(target, span), target.waits.filter(_inside(span))["reason"]


def _inside(span: Span) -> pl.Expr:
    return pl.col("moment_ms").is_between(span.start, span.end, closed="left")


def _lines(target: Target, span: Span) -> pl.DataFrame:
    return target.lines.filter(_inside(span)).select(
        server_id=pl.lit(0), ticket=pl.lit(-1), component_id="component_id", level="level",
        partner_id="partner_id", wallet="wallet", amount_e8="amount_e8", reason="reason",
        moment_ms="moment_ms",
    ).cast(pl.Schema(LINES))  # fmt: skip
