"""Settle what postbacks brought: clients, whose they are, and the events that trackers may tell.

Everything due is taken off the queue and worked off in one transaction with what follows from it;
what waits for a client, a registration or a deposit goes back onto the queue with its reason. The
result is the same for any order of arrival: claims are weighed by when they were made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import psycopg

from pipshare import clients, inbox
from pipshare.facts.reading import schema
from pipshare.inbox.postbacks_due import UNKNOWN_CLIENT, DuePostback
from pipshare.inbox.trackers import Tracker
from pipshare.pipeline.attributing import Outcome, attribute
from pipshare.pipeline.claims_made import Telling
from pipshare.pipeline.claims_named import named
from pipshare.pipeline.postback_events import event_row, is_booked
from pipshare.pipeline.run import Run
from pipshare.tracking.postbacks import REGISTRATION

AT_ONCE = 1_000  # postbacks settled in one transaction
_ENTITIES = "SELECT id, code FROM market_entity"
_CLIENTS = """
SELECT c.entity_id, c.code, c.id, (
       SELECT min(extract(epoch FROM v.at) * 1000)::bigint FROM clients_event_current v
        WHERE v.entity_id = c.entity_id AND v.client = c.code AND v.kind = 'registration')
  FROM unnest(%s::int[], %s::text[]) u (entity_id, code)
  JOIN clients_client c ON c.entity_id = u.entity_id AND c.code = u.code
"""
Key = tuple[int, str]  # entity, client's code


@dataclass
class _Batch:
    """Postbacks being settled together; `said` is what became of each, by id."""

    due: list[DuePostback]
    trackers: dict[int, Tracker]
    entities: dict[int, str]
    ids: dict[Key, int] = field(default_factory=dict)
    registered: dict[int, int] = field(default_factory=dict)  # client -> moment
    said: dict[str, list[Outcome]] = field(default_factory=lambda: defaultdict(list))

    def client(self, one: DuePostback) -> int:
        return self.ids[one.entity_id, one.client]


def settle_claims(run: Run) -> bool:
    """Settle what is due, a transaction for each AT_ONCE; tell whether anything was.

    Commits, also what the caller's transaction had open. Books nothing: what follows from new
    relations and events is taken up by `to_rest`.
    """
    run.conn.commit()  # a booking must not be open: what is settled here is watched
    found = False
    while _settle(run.conn):
        run.conn.commit()
        found = True
    run.conn.commit()
    return found


def _settle(conn: psycopg.Connection[Any]) -> bool:
    due = inbox.take_due_postbacks(conn, AT_ONCE)
    if not due:
        return False
    found = named(conn, due)
    trackers = {one.id: one for one in inbox.trackers(conn)}
    batch = _Batch(found.ready, trackers, dict(conn.execute(_ENTITIES).fetchall()))
    _add_clients(conn, batch)
    unknown = [one for one in batch.due if (one.entity_id, one.client) not in batch.ids]
    inbox.let_wait(conn, [*found.waiting, *((one, UNKNOWN_CLIENT, one.client) for one in unknown)])
    batch.due = [one for one in batch.due if (one.entity_id, one.client) in batch.ids]
    _attribute(conn, batch)
    _tell_events(conn, batch)
    for one, reason, detail in found.refused:
        _refuse(conn, batch, one, reason, detail)
    done = [*batch.due, *(one for one, _, _ in found.refused)]
    inbox.note_outcomes(conn, [_summed(one.id, batch.said[one.id]) for one in done])
    return True


def _refuse(
    conn: psycopg.Connection[Any], batch: _Batch, one: DuePostback, reason: str, detail: str
) -> None:
    """Note that something accepted cannot be used; where money is meant somebody has to look."""
    batch.said[one.id].append(("refused", reason, detail))
    tracker = batch.trackers[one.tracker_id]
    if is_booked(tracker, one.kind):
        inbox.raise_alert(conn, "postback_unused", one.id, (
            f"{one.kind} {one.txid} of tracker {tracker.code} was accepted and cannot be used:"
            f" {detail}; `pipshare postbacks --id {one.id}` shows it"
        ))  # fmt: skip


def _add_clients(conn: psycopg.Connection[Any], batch: _Batch) -> None:
    """Make the clients known who register, and find the numbers of all."""
    _find_clients(conn, batch)
    new: dict[Key, DuePostback] = {}
    for one in batch.due:
        key = (one.entity_id, one.client)
        if one.kind == REGISTRATION and key not in batch.ids:
            new.setdefault(key, one)
    if new:
        rows = [
            {"client": code, "entity": batch.entities[entity], "country": one.country or None,
             "line": line}
            for line, ((entity, code), one) in enumerate(new.items(), 1)
        ]  # fmt: skip
        clients.load_clients(conn, _frame(rows, "clients"))
        _find_clients(conn, batch)
    for one in batch.due:
        if one.kind == REGISTRATION and (number := batch.ids.get((one.entity_id, one.client))):
            earlier = batch.registered.get(number, one.happened_ms)
            batch.registered[number] = min(earlier, one.happened_ms)


def _find_clients(conn: psycopg.Connection[Any], batch: _Batch) -> None:
    keys = sorted({(one.entity_id, one.client) for one in batch.due if one.client})
    if not keys:
        return
    columns = [list(column) for column in zip(*keys, strict=True)]
    for entity, code, number, registered in conn.execute(_CLIENTS, columns).fetchall():
        batch.ids[entity, code] = number
        if registered is not None:
            batch.registered[number] = registered


def _attribute(conn: psycopg.Connection[Any], batch: _Batch) -> None:
    """Decide every client's claims, write relations and what was decided."""
    told = [
        Telling(
            one.id, batch.trackers[one.tracker_id].source, one.entity_id,
            batch.entities[one.entity_id], batch.client(one), one.client, one.happened_ms,
            one.kind == REGISTRATION, click=one.click, partner_code=one.partner,
        )
        for one in batch.due
    ]  # fmt: skip
    for (_, id_), outcomes in attribute(conn, told, batch.registered).items():
        batch.said[id_] += outcomes


def _tell_events(conn: psycopg.Connection[Any], batch: _Batch) -> None:
    """Hand on, as events of clients, what trackers may tell."""
    told: dict[str, list[DuePostback]] = defaultdict(list)
    for one in batch.due:
        tracker = batch.trackers[one.tracker_id]
        if is_booked(tracker, one.kind):
            told[tracker.source].append(one)
    for source, some in told.items():
        rows = [event_row(one, source, batch.entities[one.entity_id], line)
                for line, one in enumerate(some, 1)]  # fmt: skip
        taken = clients.take_events(conn, _frame(rows, "events"), by=source)
        for refusal in taken.report.refused:
            _refuse(conn, batch, some[refusal.line - 1], refusal.code, refusal.reason)
        for line, verdict, waits in taken.verdicts.iter_rows():
            detail = f"the event waits: {waits}" if waits else "told as an event of the client"
            batch.said[some[line - 1].id].append(("event", verdict, detail))


def _frame(rows: Sequence[Mapping[str, Any]], kind: str) -> pl.DataFrame:
    """Return rows as a frame that read_table might have read; what they leave out is null."""
    types = schema(kind)
    return pl.DataFrame([{name: row.get(name) for name in types} for row in rows], schema=types)


def _summed(id_: str, said: Sequence[Outcome]) -> tuple[str, str, str, str]:
    """Sum up what became of one postback: the claim that was followed, else the first, else it."""
    if not said:
        return id_, "noted", "", "kept; it claims nobody, and books nothing"
    first = next((one for one in said if one[0] == "attributed"), said[0])
    words = "; ".join(detail or f"{outcome} {reason}" for outcome, reason, detail in said)
    return id_, first[0], first[1], words
