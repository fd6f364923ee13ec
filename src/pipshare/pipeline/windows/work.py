"""What components come to in the windows that are due: trades and events in, target lines out."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare import attribution, clients, partners
from pipshare.facts.events import cleared
from pipshare.period import FOREVER_MS, Clock, Span
from pipshare.period import Millis as Longs
from pipshare.pipeline.run import Run
from pipshare.pipeline.windows.blocks import TradeBlocks
from pipshare.pipeline.windows.moments import ClientMoments
from pipshare.pipeline.windows.waiting import Waiting
from pipshare.plans.terms import Component, Programme
from pipshare.rating.placed import Placed, joined
from pipshare.rating.settled import payees_of
from pipshare.rating.window_store import Due
from pipshare.rating.windows import is_of_clients, reach
from pipshare.rating.windows.by_block import settle_blocks
from pipshare.rating.windows.calendar import bounds, numbers
from pipshare.rating.windows.client_rows import is_ladder
from pipshare.rating.windows.given import ChainsAt, Given


@dataclass(frozen=True)
class Target:
    """What one component comes to in the windows of `due`: all that is earned in them.

    `lines` are rating.windows.settle.SETTLED_LINES of windows that begin from `first_ms` to before
    `last_ms`; what trades come to is summed. `waits` are waiting.NAMED, and `known` those tickets
    by server of which a line waited before. `shards`: the trees that were settled whole. `clients`:
    those whose lives were settled; empty for windows of trees.
    """

    component: int
    code: str
    due: Sequence[Due]
    first_ms: int
    last_ms: int
    lines: pl.DataFrame
    waits: pl.DataFrame
    known: Mapping[int, pl.Series]
    clients: frozenset[int] = frozenset()
    shards: frozenset[int] = frozenset()


def targets(
    run: Run, entity_id: int, due: Sequence[Due], *, each: bool = False
) -> Iterator[Target]:
    """Yield a target for each component that is due, of clients and of trees.

    With `each` the lines of trades are not summed.
    """
    said = _said(run)
    sizes: dict[int, int] = {}
    if any(not one.client_id for one in due):
        sizes = partners.count_clients(run.conn, run.partners.ids.tolist())
    for number in sorted({one.component for one in due}):
        mine = [one for one in due if one.component == number]
        of_clients = [one for one in mine if one.client_id]
        of_trees = [one for one in mine if not one.client_id]
        versions = said.get(number, [])
        if of_clients:
            yield _of_clients(run, entity_id, number, versions, of_clients)
        if of_trees:
            for some, logins in _in_parts(run, of_trees, versions, sizes):
                yield _of_trees(run, entity_id, number, versions, some, logins, each=each)


def looks_at_clients(programme: Programme, component: Component) -> bool:
    """Tell whether events of clients can change what a component of trees comes to."""
    return (
        programme.kyc == "hold"
        or programme.qualify is not None
        or component.advance is not None
        or component.carry is not None
        or component.basis == "earned"
        or component.conditions.bonus is not None
        or component.sums_events
        or component.conditions.of_age
    )


Said = tuple[Programme, Component]
Logins = dict[int, list[int]]  # by server
AT_ONCE = 10_000  # clients whose trees are settled together


def _said(run: Run) -> dict[int, list[Said]]:
    """Return what each component's versions say."""
    found: dict[int, list[Said]] = {}
    for version in run.book.versions:
        for number, one in zip(version.component_ids, version.programme.components, strict=True):
            found.setdefault(number, []).append((version.programme, one))
    return found


def _in_parts(
    run: Run, due: Sequence[Due], said: Sequence[Said], sizes: Mapping[int, int]
) -> Iterator[tuple[list[Due], Logins | None]]:
    """Yield what is due of trees in parts, and their accounts (None = all).

    Trades are read in blocks, however many trees are settled together. But where events of clients
    matter, these are in memory: then parts have so many clients, as trees allow it. `sizes`: how
    many clients each partner introduced.
    """
    shards = sorted({one.shard for one in due})
    weight = dict.fromkeys(shards, 0)
    for partner, count in sizes.items():
        if run.shard(partner) in weight:
            weight[run.shard(partner)] += count
    most = AT_ONCE if any(looks_at_clients(*pair) for pair in said) else sum(weight.values())
    part: set[int] = set()
    for shard in shards:
        part.add(shard)
        held = sum(weight[one] for one in part)
        if held >= max(most, 1) or shard == shards[-1]:
            # To read all costs less than to ask for most accounts by name.
            all_ = 2 * held >= sum(sizes.values())
            yield [one for one in due if one.shard in part], None if all_ else _logins(run, part)
            part = set()


def _logins(run: Run, shards: Collection[int]) -> Logins:
    return clients.logins_of(run.conn, partners.clients_of(run.conn, run.members(shards)))


def _of_trees(
    run: Run, entity_id: int, number: int, said: Sequence[Said], due: Sequence[Due],
    logins: Logins | None, *, each: bool,
) -> Target:  # fmt: skip
    shards = {one.shard for one in due}
    first, last = min(one.start_ms for one in due), max(one.end_ms for one in due)
    building = [(programme, one) for programme, one in said if one.builds_up]
    # What is carried over or earned back depends on all windows before, and all after on it.
    whole = any(one.carry or one.advance for _, one in building)
    begin = 0 if whole else begins(building, first, run.clock(entity_id))
    end = FOREVER_MS if whole else last
    who: list[int] = []
    if any(looks_at_clients(*pair) for pair in building):
        who = partners.clients_of(run.conn, run.members(shards))
    given = _given(run, entity_id, who)
    blocks = TradeBlocks(
        run, entity_id, given, Span(begin, end), shards=shards, logins=logins,
        live_only=any(one.per != "trade" for _, one in building),
    )  # fmt: skip
    waiting = Waiting(run, entity_id, number)
    found = settle_blocks(given, blocks, Span(begin, end), waiting.noted, components=[number],
                          each=each)  # fmt: skip
    kept = pl.col("window_start_ms").is_between(first, end, closed="left")
    # What a client cost while he was in another tree is taken there.
    kept &= pl.col("partner_id").is_in([0, *run.members(shards)])
    waits = waiting.named(found.waits, blocks.everything())
    return Target(number, _code(said, number), due, first, end, found.lines.filter(kept), waits,
                  waiting.known(), shards=frozenset(shards))  # fmt: skip


def _of_clients(
    run: Run, entity_id: int, number: int, said: Sequence[Said], due: Sequence[Due]
) -> Target:
    who = sorted({one.client_id for one in due})
    shards: set[int] = set()
    if any(counts_others(*pair) for pair in said):
        near = set().union(*partners.introducers(run.conn, who).values())
        shards = {run.shard(partner) for partner in near}
        who = sorted({*who, *partners.clients_of(run.conn, run.members(shards))})
    given = _given(run, entity_id, who)
    # Lives are read, and trades only where something is netted with what clients are paid for.
    blocks = TradeBlocks(
        run, entity_id, given, Span(0, FOREVER_MS), shards=None,
        logins=clients.logins_of(run.conn, who), live_only=False,
    )  # fmt: skip
    waiting = Waiting(run, entity_id, number)
    found = settle_blocks(given, blocks, Span(0, FOREVER_MS), waiting.noted, components=[number])
    start = run.live_ms(entity_id)
    # What a later client changes for the ones before is of no client.
    mine = pl.col("client").is_in([*who, -1])
    lines = found.lines.filter((pl.col("moment_ms") >= start) & mine)
    return Target(number, _code(said, number), due, 0, FOREVER_MS, lines,
                  waiting.named(found.waits, ()), waiting.known(), frozenset(who),
                  frozenset(shards))  # fmt: skip


def counts_others(programme: Programme, component: Component) -> bool:
    """Tell whether what one client is paid for depends on the payee's other clients.

    So it does where it is a share of a component of which that is true.
    """
    named = {rule.of for rule in component.rates if rule.of}
    below = [one for one in programme.components if one.code in named and one is not component]
    if any(counts_others(programme, one) for one in below):
        return True
    gate = component.qualify is not None and component.qualify.gate is not None
    capped = any(cap.per != "order" for cap in component.caps)
    return gate or capped or (component.tier is not None and not is_ladder(component))


def begins(building: Sequence[Said], first: int, clock: Clock) -> int:
    """Return from when on trades have to be known to settle a window that begins at `first`."""
    starts = [first]
    for programme, one in building:
        reached = reach(one, programme)
        number = numbers(np.array([first], np.int64), reached.window, clock) - reached.back
        starts.append(int(bounds(number, reached.window, clock)[0][0]))
    return min(starts)


def _given(run: Run, entity_id: int, who: Sequence[int]) -> Given:
    """Return all that settling looks at but trades; `who`: the clients whose events it looks at."""
    none = joined([])
    events: pl.DataFrame | None = None
    chains_at: ChainsAt | None = None
    now_ms = time.time_ns() // 1_000_000
    if who:
        events = cleared(clients.events_of(run.conn, who), now_ms)
        none, chains_at = with_chains(run, none, who)
    given = Given(
        placed=none, book=run.book, payees=payees_of(run.partners), fx=run.fx,
        clock=run.clock(entity_id), events=events, chains_at=chains_at,
        as_of_ms=now_ms, live_ms=run.live_ms(entity_id),
        countries=clients.countries_of(run.conn, who) if who else None,
        blocks=run.blocks(entity_id),
    )  # fmt: skip
    moments = ClientMoments(run, entity_id, given, lives=True)
    return replace(given, moments=moments.of(who) if who else None)


def with_chains(run: Run, made: Placed, who: Sequence[int]) -> tuple[Placed, ChainsAt]:
    """Add the clients' chains to the lists of chains, and say how to find them."""
    known = attribution.client_chains(run.conn, who)
    offset = len(made.chains)

    def chains_at(client: Longs, moment_ms: Longs) -> npt.NDArray[np.int32]:
        place = known.at(client, moment_ms)
        return np.where(place < 0, -1, place + offset).astype(np.int32)

    return replace(made, chains=(*made.chains, *known.chains)), chains_at


def _code(said: Sequence[Said], number: int) -> str:
    return said[-1][1].code if said else str(number)


__all__ = [
    "Target",
    "begins",
    "counts_others",
    "is_of_clients",
    "looks_at_clients",
    "targets",
    "with_chains",
]
