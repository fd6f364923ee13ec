"""Clients' milestones: what they reached by what is known now, noted once and said once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl

from pipshare import attribution, clients, outbox, partners
from pipshare.attribution import Standing
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
from pipshare.facts.events import REFERRING
from pipshare.money import format_e8, half_even
from pipshare.pipeline.run import Run
from pipshare.pipeline.said.people import Messages, Person, money, people
from pipshare.rating.qualify import Life, lives

_TYPES = {REGISTERED: "client.registered", QUALIFIED: "client.qualified",
          FIRST_TRADE: "client.first_trade"}  # fmt: skip
_UNDONE = "deposit.reversed"
_AT_ONCE = 1_000


@dataclass(frozen=True)
class _Known:
    """All that is known of some clients: lives and first executions, by client."""

    lives: dict[int, Life]
    executions: dict[int, pl.DataFrame]
    sources: dict[tuple[int, str], str]
    taken_by: dict[int, tuple[str, str]]
    now_ms: int


def take_up_traders(run: Run, after: int = 0) -> bool:
    """Look at some clients whose accounts were seen trading first; commits. True = there were any.

    Accounts of nobody known stay in the queue, until they are somebody's. `after` as of
    clients.claim_traders.
    """
    run.current()
    who = clients.claim_traders(run.conn, _AT_ONCE, after)
    settle_milestones(run, who)
    run.conn.commit()
    return bool(who)


def settle_milestones(run: Run, client_ids: Sequence[int]) -> None:
    """Note what these clients reached or lost, and say it, in the caller's transaction.

    What is not said yet because nobody had introduced the client is said once somebody has.
    """
    if not client_ids:
        return
    found = people(run, client_ids)
    known = _known(run, list(found))
    standing = {
        (one.reached.client_id, one.reached.kind): one
        for one in clients.milestones_of(run.conn, list(found))
    }
    said = Messages([])
    told: list[int] = []
    for person in found.values():
        for kind, now in _reached(run, person, known).items():
            one = standing.get((person.id, kind))
            if one is not None and now is None and kind == QUALIFIED:
                _undo(run, person, one, known, said)
            elif one is None and now is not None:
                one = clients.add_milestone(run.conn, now, _fate(run, person, now))
            if one is not None and one.said == WAITING and now is not None and person.chain:
                _say(person, one, known, said)
                told.append(one.id)
    clients.mark_said(run.conn, told, SAID)
    if said.rows:
        outbox.say(run.conn, said.frame())


def _known(run: Run, who: list[int]) -> _Known:
    events = clients.events_of(run.conn, who)
    executions = _executions(run, who)
    taking = events.filter(pl.col("kind").is_in([*REFERRING, "withdrawal"])).sort("at_ms")
    return _Known(
        lives={life.client: life for life in lives(events)},
        executions=executions,
        sources={
            (client, event): source
            for client, event, source in events.select("client_id", "event", "source").iter_rows()
        },
        taken_by={
            client: (event, kind)
            for client, event, kind in taking.select("client_id", "event", "kind").iter_rows()
        },
        now_ms=time.time_ns() // 1_000_000,
    )


def _executions(run: Run, who: list[int]) -> dict[int, pl.DataFrame]:
    """Return the clients' first executions by client, without accounts that are excluded."""
    told = clients.executions_of(run.conn, who)
    kept = []
    for (server_id,), some in told.group_by("server_id"):
        server = run.servers[int(str(server_id))]
        asked = some.select("login", "ticket", close_utc="at_ms")
        standing = attribution.attribute(run.conn, server, asked, run.directory(server)).standing
        kept.append(some.filter(pl.Series(np.isin(standing, (Standing.INTRODUCED,
                                                             Standing.DIRECT)))))  # fmt: skip
    if not kept:
        return {}
    found = pl.concat(kept).sort("at_ms", "server", "ticket")
    apart = found.group_by("client_id", maintain_order=True)
    return {int(str(key[0])): rows for key, rows in apart}


def _reached(run: Run, person: Person, known: _Known) -> dict[str, Reached | None]:
    """Return what a client has reached by now, by kind."""
    life = known.lives.get(person.id)
    found: dict[str, Reached | None] = dict.fromkeys(_TYPES)
    if life is not None and life.registered_ms is not None:
        source = known.sources.get((person.id, life.registration), "")
        found[REGISTERED] = Reached(person.id, REGISTERED, life.registered_ms, source,
                                    life.registration)  # fmt: skip
    if life is not None:
        found[QUALIFIED] = _qualified(run, person, life, known)
    if person.id in known.executions:
        first = known.executions[person.id].row(0, named=True)
        found[FIRST_TRADE] = Reached(person.id, FIRST_TRADE, first["at_ms"], first["server"],
                                     str(first["ticket"]))  # fmt: skip
    return found


def _qualified(run: Run, person: Person, life: Life, known: _Known) -> Reached | None:
    """Return the deposit by which what is cleared, and still there, reached the threshold."""
    least, asked = _asked(run, person.entity_id)
    total = Fraction(0)
    counted = sorted((one.counts_ms, one.event, one) for one in life.deposits)
    for counts_ms, event, deposit in counted:
        left = deposit.standing(known.now_ms)
        if counts_ms > known.now_ms or left <= 0:
            continue
        currency = asked or deposit.currency
        rate = Fraction(1)
        if deposit.currency != currency:
            known_rate = _rate(run, deposit.currency, currency, counts_ms)
            if known_rate is None:
                continue  # it counts once the rate is loaded
            rate = known_rate
        total += left * rate
        if total > 0 and total >= least:
            amount = half_even(total.numerator * 10**8, total.denominator)
            source = known.sources.get((person.id, event), "")
            return Reached(person.id, QUALIFIED, counts_ms, source, event, amount, currency)
    return None


def _asked(run: Run, entity_id: int) -> tuple[Fraction, str]:
    """Return what cleared deposits have to reach, and in which currency; 0 and "" = any at all."""
    told = partners.tracking_settings(run.conn, entity_id)
    return Fraction(told.qualified_amount or 0), told.qualified_currency


def _rate(run: Run, base: str, quote: str, at_ms: int) -> Fraction | None:
    found = run.fx.find_pair(base, quote, np.array([at_ms], np.int64))
    return Fraction(int(found.top[0]), int(found.bottom[0])) if found.found[0] else None


def _fate(run: Run, person: Person, now: Reached) -> str:
    """Return whether something reached is to be said."""
    if now.at_ms < run.live_ms(person.entity_id):
        return HISTORY
    return WAITING if run.wanted.by(person.entity_id, _TYPES[now.kind]) else NOBODY


def _say(person: Person, one: Milestone, known: _Known, said: Messages) -> None:
    reached = one.reached
    data = {**person.data, "txid": reached.event}
    if reached.kind == QUALIFIED:
        data |= money(reached.amount_e8, reached.currency)
    elif reached.kind == FIRST_TRADE:
        data |= _first(known.executions[person.id], reached)
    said.add(person.entity_id, _TYPES[reached.kind], _key(person, one), _subject(person),
             reached.at_ms, data)  # fmt: skip


def _first(executions: pl.DataFrame, reached: Reached) -> dict[str, str]:
    mine = executions.filter(server=reached.source, ticket=int(reached.event))
    if not len(mine):  # an earlier one became known since
        return {"txid": f"{reached.source}-{reached.event}", "server": reached.source, "login": ""}
    row = mine.row(0, named=True)
    return {
        "txid": f"{row['server']}-{row['ticket']}", "server": row["server"],
        "login": str(row["login"]), "ticket": str(row["ticket"]), "symbol": row["symbol"],
        "lots": format_e8(row["lots_e8"]),
    }  # fmt: skip


def _undo(run: Run, person: Person, one: Milestone, known: _Known, said: Messages) -> None:
    """Note that what qualified a client is gone; who was told of the one is told of the other."""
    event, kind = known.taken_by.get(person.id, ("", ""))
    clients.undo_milestone(run.conn, one, event)
    if one.said != SAID or not person.chain:
        return
    reached = one.reached
    data = {**person.data, "txid": event or reached.event, "reference": reached.event,
            "reason": kind, **money(reached.amount_e8, reached.currency)}  # fmt: skip
    said.add(person.entity_id, _UNDONE, _key(person, one), _subject(person), known.now_ms, data)


def _key(person: Person, one: Milestone) -> str:
    return f"{person.data['entity']}/{person.code}/{one.reached.kind}/{one.number}"


def _subject(person: Person) -> str:
    return f"client:{person.data['entity']}/{person.code}"
