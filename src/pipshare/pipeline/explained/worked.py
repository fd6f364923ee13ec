"""Work out by hand what builds up: the twin over all trades and events that windows depend on."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare import clients, partners
from pipshare.facts.events import cleared
from pipshare.facts.standing import Lands, lands_of
from pipshare.period import FOREVER_MS
from pipshare.pipeline.explained.booked import causes_of_clients
from pipshare.pipeline.explained.said import Said, netted, said_of
from pipshare.pipeline.lives import with_lives
from pipshare.pipeline.read_placed import Gathered, read_placed
from pipshare.pipeline.run import Run
from pipshare.pipeline.twin_clients import Lives, client_costs, client_facts
from pipshare.pipeline.twin_facts import fx_facts
from pipshare.pipeline.windows.work import (
    begins,
    counts_others,
    looks_at_clients,
    with_chains,
)
from pipshare.rating.finish import FORFEITED, HELD, kyc_states
from pipshare.rating.placed import Placed
from pipshare.rating.qualify import lives
from pipshare.rating.reasons import TAKEN_BACK, Reason
from pipshare.rating.twin import BrokerDay, ManyLine, ManyResult, rate_many
from pipshare.rating.twin_placed import broker_day, placed_facts
from pipshare.rating.twin_values import TwinLine
from pipshare.rating.windows import bounds, numbers, reach
from pipshare.rating.windows.reach import named

# Trades of a window up to which it is worked out by hand: a millisecond each and component.
MOST = 20_000
MOST_OF_A_PAGE = 2_000


@dataclass(frozen=True)
class Earned:
    """A line as the twin sees it, and what it is earned by: a trade, an event, or a whole period.

    `server` (with its code `on`) and `ticket` are 0 and `event` "" where it is none. `client` is
    the code of its client. `held_by`: "", suspended, kyc or dispute. `start_ms` to `end_ms`: the
    window in which it is booked.
    """

    line: TwinLine
    server: int
    on: str
    ticket: int
    event: str
    client_id: int | None
    client: str
    moment_ms: int
    held_by: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Worked:
    """All that some windows come to; `clients`: whose lives were looked at.

    `until` gives the lines as they were when nothing after a moment (UTC ms) had happened.
    """

    lines: list[Earned]
    result: ManyResult
    day: BrokerDay
    until: Callable[[int], list[Earned]]
    clients: frozenset[int] = frozenset()


@dataclass(frozen=True)
class TooMany:
    """Nothing was worked out: a window has more trades than a person waits for."""

    trades: int


def work_trees(
    run: Run, entity_id: int, wanted: Collection[int], shards: Collection[int],
    span: tuple[int, int], most: int = MOST,
) -> Worked | TooMany:  # fmt: skip
    """Work out the windows of trees in which a span of UTC ms lies."""
    said = said_of(run.book)
    clock = run.clock(entity_id)
    wanted = set(wanted).union(*(netted(said[number][-1], number)[1] for number in wanted))
    building = [one for number in wanted for one in said[number] if one.component.builds_up]
    whole = any(one.component.carry or one.component.advance for one in building)
    first, end = span
    for one in building:
        unit = reach(one.component, one.programme).window
        last = bounds(numbers(np.array([span[1] - 1], np.int64), unit, clock), unit, clock)[1]
        end = max(end, int(last[0]))
        begin = (
            0
            if whole or unit == "life"
            else begins([(one.programme, one.component)], span[0], clock)
        )
        first = min(first, begin)
    gathered = read_placed(run, entity_id, start_ms=first, end_ms=end, shards=shards)
    if len(gathered.placed) > most:
        return TooMany(len(gathered.placed))
    if any(one.component.per != "trade" for one in building):
        gathered = gathered.live_only()
    who: list[int] = []
    if any(looks_at_clients(one.programme, one.component) for one in building):
        who = partners.clients_of(run.conn, run.members(shards))
    return _worked(run, entity_id, gathered, wanted, who)


def work_clients(
    run: Run, entity_id: int, number: int, who: Collection[int], most: int = MOST
) -> Worked | TooMany:
    """Work out what a component pays for clients, over their whole lives."""
    every = sorted(who)
    if any(counts_others(one.programme, one.component) for one in said_of(run.book)[number]):
        near = set().union(*partners.introducers(run.conn, every).values())
        shards = {run.shard(partner) for partner in near}
        every = sorted({*every, *partners.clients_of(run.conn, run.members(shards))})
    logins = clients.logins_of(run.conn, every)
    gathered = read_placed(run, entity_id, start_ms=0, end_ms=FOREVER_MS, logins=logins)
    if len(gathered.placed) > most:
        return TooMany(len(gathered.placed))
    return _worked(run, entity_id, gathered, [number], every)


def _worked(
    run: Run, entity_id: int, gathered: Gathered, wanted: Collection[int], who: Sequence[int]
) -> Worked:
    made = with_lives(run, entity_id, gathered.placed)
    day, fx = broker_day(run.clock(entity_id)), fx_facts(run)
    said = said_of(run.book)
    needed = _with_named(said, wanted)
    events, pays, costs = None, [], []
    facts = placed_facts(made, run.book, run.partners)
    if who:
        every = clients.events_of(run.conn, who)
        events = cleared(every, time.time_ns() // 1_000_000)
        lands = lands_of(every, clients.countries_of(run.conn, who))
        with_all, chains_at = with_chains(run, made, who)
        known = Lives(
            book=run.book, partners=run.partners, events=events, chains=with_all.chains,
            chains_at=chains_at, clients=who,
            country=lambda client, moment_ms: lands(client, moment_ms)[0],
            blocked=_blocked(run, entity_id, lands),
        )  # fmt: skip
        pays = client_facts(known, facts, fx, day, _with_shared(said, needed))
        costs = client_costs(known, run.live_ms(entity_id))

    def rated(before_ms: int) -> tuple[ManyResult, list[Earned]]:
        """Rate by hand what happened before a moment."""
        places = [at for at, one in enumerate(facts) if one[0].close_utc_ms < before_ms]
        known = [one for one in pays if one[1][0].close_utc_ms < before_ms]
        charged = [one for one in costs if one[0].at_ms < before_ms]
        result = rate_many([facts[at] for at in places], fx, day, events=known, charged=charged)
        lines = [replace(one, place=places[one.place]) if one.place >= 0 else one
                 for one in result.lines if one.line.component_id in needed]  # fmt: skip
        kept = [one for one in lines if _is_live(run, entity_id, gathered, one)]
        return result, _earned(run, entity_id, made, kept, events)

    result, lines = rated(FOREVER_MS)
    until = cache(lambda moment_ms: rated(moment_ms)[1])
    return Worked(lines, result, day, until, frozenset(who))


def _with_named(said: dict[int, list[Said]], wanted: Collection[int]) -> set[int]:
    """Return the components, and those whose sums they look at."""
    found = set(wanted)
    for number in wanted:
        for one in said.get(number, ()):
            found |= {one.ids[code] for code in named(one.component) if code in one.ids}
    return found if found == set(wanted) else _with_named(said, found)


def _with_shared(said: dict[int, list[Said]], needed: Collection[int]) -> set[int]:
    """Return the components, and those of whose lines they take shares."""
    found = set(needed)
    for number in needed:
        for one in said.get(number, ()):
            shares = {rule.of for rule in one.component.rates if rule.of}
            found |= {one.ids[code] for code in shares if code in one.ids}
    return found if found == set(needed) else _with_shared(said, found)


def _blocked(run: Run, entity_id: int, lands: Lands) -> Callable[[int, int], bool]:
    """Say of a client and a moment whether his country is blocked, record by record."""
    blocks = run.blocks(entity_id)

    def find(client: int, moment_ms: int) -> bool:
        if blocks is None:
            return False
        return blocks.holding(*lands(client, moment_ms), moment_ms) is not None

    return find


def _is_live(run: Run, entity_id: int, gathered: Gathered, one: ManyLine) -> bool:
    """Tell whether a line may be booked: nothing from before go-live is."""
    if one.place >= 0:
        return bool(gathered.live[one.place])
    if one.client is None:
        return True
    return (one.paid_ms or one.moment_ms) >= run.live_ms(entity_id)


def _earned(
    run: Run, entity_id: int, made: Placed, lines: Sequence[ManyLine], events: pl.DataFrame | None
) -> list[Earned]:
    """Add what each line is earned by, whether it is held, and the window of its booking."""
    clock = run.clock(entity_id)
    said = said_of(run.book)
    by_moment = _Moments(run.conn, events)
    state = _kyc(run, entity_id, said, lines, events)
    codes = client_codes(run.conn, {one.client for one in lines if one.client is not None})
    out = []
    for place, one in enumerate(lines):
        unit = reach(said[one.line.component_id][-1].component).booked
        number = numbers(np.array([one.moment_ms], np.int64), unit, clock)
        start, end = (int(bound[0]) for bound in bounds(number, unit, clock))
        server, ticket, event = 0, 0, ""
        if one.place >= 0:
            assert made.trades.server is not None
            assert made.trades.ticket is not None
            server = int(made.trades.server[one.place])
            ticket = int(made.trades.ticket[one.place])
        elif one.client is not None:
            event = by_moment.named(one.client, one.moment_ms, one.line.component_id)
        line, held = one.line, "suspended" if one.line.held else ""
        if state[place] is not None:
            held = "kyc" if state[place] == HELD else ""
        elif one.place < 0 and line.held and one.client is not None:
            held = "dispute"
        if state[place] == FORFEITED:
            line = replace(line, amount_e8=0, orig_e8=0, reason=Reason.FORFEITED)
        on = run.servers[server].code if server else ""
        client = codes.get(one.client or 0, "")
        out.append(Earned(line, server, on, ticket, event, one.client, client, one.moment_ms, held,
                          start, end))  # fmt: skip
    return out


def client_codes(conn: psycopg.Connection[Any], who: Collection[int]) -> dict[int, str]:
    """Return the codes of clients by number."""
    rows = conn.execute("SELECT id, code FROM clients_client WHERE id = ANY(%s)", (list(who),))
    return dict(rows.fetchall())


class _Moments:
    """Which event happened to a client at a moment; of several the one by which the books say that
    a component pays, else the last one."""

    def __init__(self, conn: psycopg.Connection[Any], events: pl.DataFrame | None) -> None:
        self._found: dict[tuple[int, int], list[str]] = {}
        for row in () if events is None else events.iter_rows(named=True):
            for moment in {row["at_ms"], row["cleared_ms"]}:
                if moment:
                    self._found.setdefault((row["client_id"], moment), []).append(row["event"])
        who = {client for (client, _), several in self._found.items() if len(several) > 1}
        self._causes = causes_of_clients(conn, who) if who else set()

    def named(self, client: int, moment_ms: int, component: int) -> str:
        """Return the event of a component's line; "" = none is known."""
        several = self._found.get((client, moment_ms), [""])
        booked = (one for one in several if (client, component, one) in self._causes)
        return next(booked, several[-1])


def _kyc(
    run: Run, entity_id: int, said: dict[int, list[Said]], lines: Sequence[ManyLine],
    events: pl.DataFrame | None,
) -> list[int | None]:  # fmt: skip
    """Return for each line that waits for its client's KYC what became of it, None for others."""
    out: list[int | None] = [None] * len(lines)
    if events is None:
        return out
    known = lives(events)
    for place, one in enumerate(lines):
        programme = said[one.line.component_id][-1].programme
        paid = one.line.reason in (Reason.PAID, *TAKEN_BACK) and one.line.wait is None
        if programme.kyc == "hold" and one.client is not None and paid:
            moment = one.undoes_ms or one.moment_ms  # it is taken from where it was paid to
            found = int(kyc_states(
                known, np.array([one.client], np.int64), np.array([moment], np.int64),
                clock=run.clock(entity_id), as_of_ms=time.time_ns() // 1_000_000,
                forfeit_days=programme.kyc_forfeit_days,
            )[0])  # fmt: skip
            out[place] = found if found in (HELD, FORFEITED) else None
    return out
