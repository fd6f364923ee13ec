"""Clients' milestones: what they reached by what is known now, noted once and said once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl

from pipshare import clients, outbox, partners
from pipshare.clients.milestones import (
    FIRST_TRADE,
    HISTORY,
    NOBODY,
    QUALIFIED,
    REGISTERED,
    SAID,
    WAITING,
    Milestone,
    Reached,
)
from pipshare.facts.events import DUPLICATE, REFERRING
from pipshare.money import format_e8, half_even
from pipshare.pipeline.deposits import note_twins
from pipshare.pipeline.run import Run
from pipshare.pipeline.said.people import Messages, Person, money, people
from pipshare.rating.qualify import Life, lives

TYPES = {REGISTERED: "client.registered", QUALIFIED: "client.qualified",
         FIRST_TRADE: "client.first_trade"}  # fmt: skip
_UNDONE = "deposit.reversed"


@dataclass(frozen=True)
class _Known:
    """All that is known of some clients: lives; whose an event is; what took a deposit back; and by
    entity what cleared deposits have to reach, in which currency."""

    lives: dict[int, Life]
    sources: dict[tuple[int, str], str]
    taken_by: dict[int, tuple[str, str]]
    asked: dict[int, tuple[Fraction, str]]
    now_ms: int


def settle_milestones(run: Run, client_ids: Sequence[int]) -> None:
    """Note what these clients reached or lost by events, and say it, in the caller's transaction.

    What is not said yet because nobody had introduced the client is said once somebody has.
    """
    if not client_ids:
        return
    entities = clients.entities_of(run.conn, client_ids)
    standing = {
        (one.reached.client_id, one.reached.kind): one
        for one in clients.milestones_of(run.conn, list(entities))
    }
    known = _known(run, list(entities), set(entities.values()))
    reached = {
        client: _reached(run, client, entity_id, known) for client, entity_id in entities.items()
    }
    live = {entity_id: run.live_ms(entity_id) for entity_id in set(entities.values())}
    fresh = [(now, _fate(run, entities[client], now, live)) for client, kinds in reached.items()
             for kind, now in kinds.items()
             if now is not None and (client, kind) not in standing]  # fmt: skip
    for one in clients.add_milestones(run.conn, fresh):
        standing[one.reached.client_id, one.reached.kind] = one
    gone = [one for (client, kind), one in standing.items()
            if kind == QUALIFIED and reached[client][QUALIFIED] is None]  # fmt: skip
    for one in gone:
        clients.undo_milestone(
            run.conn, one, known.taken_by.get(one.reached.client_id, ("", ""))[0]
        )
    _speak(run, [one for one in standing.values() if one.said == WAITING and one not in gone],
           [one for one in gone if one.said == SAID], known)  # fmt: skip


def _speak(
    run: Run, waiting: Sequence[Milestone], gone: Sequence[Milestone], known: _Known
) -> None:
    """Say what waits to be said of clients whom somebody introduced, and what is taken back."""
    if not waiting and not gone:
        return
    who = sorted({one.reached.client_id for one in (*waiting, *gone)})
    persons = people(run, who)
    traded = clients.executions_of(run.conn, who)
    said, told = Messages([]), []
    for one in gone:
        if (person := persons[one.reached.client_id]).chain:
            _take_back(person, one, known, said)
    for one in waiting:
        if (person := persons[one.reached.client_id]).chain:
            _say(person, one, traded, said)
            told.append(one.id)
    clients.mark_said(run.conn, told, SAID)
    if said.rows:
        outbox.say(run.conn, said.frame())


def _known(run: Run, who: list[int], entity_ids: set[int]) -> _Known:
    told = clients.events_of(run.conn, who, every=True)
    note_twins(run, told)
    events = clients.counting(told)
    kinds = [*REFERRING, "withdrawal", DUPLICATE[0]]
    taking = events.filter(pl.col("kind").is_in(kinds)).sort("at_ms")
    return _Known(
        lives={life.client: life for life in lives(events)},
        sources={
            (client, event): source
            for client, event, source in events.select("client_id", "event", "source").iter_rows()
        },
        taken_by={
            client: (event, kind)
            for client, event, kind in taking.select("client_id", "event", "kind").iter_rows()
        },
        asked={entity_id: _asked(run, entity_id) for entity_id in entity_ids},
        now_ms=time.time_ns() // 1_000_000,
    )


def _reached(run: Run, client: int, entity_id: int, known: _Known) -> dict[str, Reached | None]:
    """Return what a client has reached by his events now, by kind."""
    life = known.lives.get(client)
    found: dict[str, Reached | None] = {REGISTERED: None, QUALIFIED: None}
    if life is not None and life.registered_ms is not None:
        source = known.sources.get((client, life.registration), "")
        found[REGISTERED] = Reached(client, REGISTERED, life.registered_ms, source,
                                    life.registration)  # fmt: skip
    if life is not None:
        found[QUALIFIED] = _qualified(run, entity_id, life, known)
    return found


def _qualified(run: Run, entity_id: int, life: Life, known: _Known) -> Reached | None:
    """Return the deposit by which what is cleared, and still there, reached the threshold."""
    if life.is_duplicate(known.now_ms):
        return None
    least, asked = known.asked[entity_id]
    total = Fraction(0)
    counted = sorted((one.counts_ms, one.event, one) for one in life.deposits)
    for counts_ms, event, deposit in counted:
        left = deposit.standing(known.now_ms)
        if counts_ms > known.now_ms or left <= 0:
            continue
        currency = asked or deposit.currency
        rate = _rate(run, deposit.currency, currency, counts_ms)
        if rate is None:
            continue  # it counts once the rate is loaded
        total += left * rate
        if total > 0 and total >= least:
            amount = half_even(total.numerator * 10**8, total.denominator)
            source = known.sources.get((life.client, event), "")
            return Reached(life.client, QUALIFIED, counts_ms, source, event, amount, currency)
    return None


def _asked(run: Run, entity_id: int) -> tuple[Fraction, str]:
    """Return what cleared deposits have to reach, and in which currency; 0 and "" = any at all."""
    told = partners.tracking_settings(run.conn, entity_id)
    return Fraction(told.qualified_amount or 0), told.qualified_currency


def _rate(run: Run, base: str, quote: str, at_ms: int) -> Fraction | None:
    if base == quote:
        return Fraction(1)
    found = run.fx.find_pair(base, quote, np.array([at_ms], np.int64))
    return Fraction(int(found.top[0]), int(found.bottom[0])) if found.found[0] else None


def _fate(run: Run, entity_id: int, now: Reached, live: Mapping[int, int]) -> str:
    """Return whether something reached is to be said; `live`: each entity's go-live."""
    if now.at_ms < live[entity_id]:
        return HISTORY
    return WAITING if run.wanted.by(entity_id, TYPES[now.kind]) else NOBODY


def _say(person: Person, one: Milestone, traded: pl.DataFrame, said: Messages) -> None:
    reached = one.reached
    data = {**person.data, "txid": reached.event}
    if reached.kind == QUALIFIED:
        data |= money(reached.amount_e8, reached.currency)
    elif reached.kind == FIRST_TRADE:
        data |= _first(traded, reached)
    said.add(person.entity_id, TYPES[reached.kind], _key(person, one), _subject(person),
             reached.at_ms, data)  # fmt: skip


def _first(traded: pl.DataFrame, reached: Reached) -> dict[str, str]:
    """Return what is said of a first execution."""
    told = {"txid": f"{reached.source}-{reached.event}", "server": reached.source,
            "ticket": reached.event}  # fmt: skip
    mine = traded.filter(client_id=reached.client_id, server=reached.source)
    mine = mine.filter(ticket=int(reached.event))
    if not len(mine):  # an earlier one became known since
        return told
    row = mine.row(0, named=True)
    return {**told, "login": str(row["login"]), "symbol": row["symbol"],
            "lots": format_e8(row["lots_e8"])}  # fmt: skip


def _take_back(person: Person, one: Milestone, known: _Known, said: Messages) -> None:
    """Say that what qualified a client is gone."""
    event, kind = known.taken_by.get(person.id, ("", ""))
    reached = one.reached
    data = {**person.data, "txid": event or reached.event, "reference": reached.event,
            "reason": kind, **money(reached.amount_e8, reached.currency)}  # fmt: skip
    said.add(person.entity_id, _UNDONE, _key(person, one), _subject(person), known.now_ms, data)


def _key(person: Person, one: Milestone) -> str:
    return f"{person.data['entity']}/{person.code}/{one.reached.kind}/{one.number}"


def _subject(person: Person) -> str:
    return f"client:{person.data['entity']}/{person.code}"
