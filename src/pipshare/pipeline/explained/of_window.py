"""All that a payee's window of a component came to: `explain --window`."""

from __future__ import annotations

import psycopg

from pipshare import partners
from pipshare.errors import Missing
from pipshare.period import FOREVER_MS
from pipshare.pipeline.explained.said import said_of
from pipshare.pipeline.explained.sums import Asked, Payee, Window, span_at, window_of
from pipshare.pipeline.explained.worked import MOST, TooMany, Worked, work_clients, work_trees
from pipshare.pipeline.run import Run
from pipshare.rating.windows import is_of_clients
from pipshare.rating.windows.names import named_span

_CLIENT = """
SELECT c.id, c.code, c.entity_id FROM clients_client c JOIN market_entity e ON e.id = c.entity_id
 WHERE c.code = %(code)s AND (%(entity)s::text IS NULL OR e.code = %(entity)s) ORDER BY e.id
"""


def explain_window(
    run: Run, component: str, payee: str, period: str, entity: str | None = None
) -> list[Window]:
    """Explain a payee's windows of a component that begin in a period, the earliest first.

    `component` may be written programme/component; `payee` is a partner, or a client for his
    rebates; `period` like 2026-03, 2026-03-02, 2026-W10 or 2026-Q1. Raises Missing for who or what
    there is not, BadInput for a period that is none.
    """
    run = run.looking(run.book)
    who, entity_id = _payee(run.conn, payee, entity)
    first, last = named_span(period, run.clock(entity_id))
    numbers = _components(run, component, run.entities[entity_id].code)
    out: list[Window] = []
    for number in numbers:
        at = first
        while at < last:
            start, end = span_at(run, entity_id, number, at)
            worked = _work(run, entity_id, number, who, (start, end))
            out += window_of(run, entity_id, Asked(number, who, start, end), worked)
            at = end
    if not out:
        raise Missing("nothing_earned", f"{payee} has nothing of {component} in {period}")
    return out


def explain_window_at(
    run: Run, component_id: int, payee: Payee, entity_id: int, moment_ms: int, most: int = MOST
) -> list[Window]:
    """Explain a payee's window of a component that holds a moment, one for each currency.

    With more than `most` trades only what is booked is told. Raises Missing where nothing is.
    """
    run = run.looking(run.book)
    out: list[Window] = []
    if component_id in said_of(run.book) and moment_ms < FOREVER_MS:
        start, end = span_at(run, entity_id, component_id, moment_ms)
        worked = _work(run, entity_id, component_id, payee, (start, end), most)
        out = window_of(run, entity_id, Asked(component_id, payee, start, end), worked)
    if not out:
        raise Missing("nothing_earned", f"{payee.code} has nothing of this component then")
    return out


def _work(
    run: Run, entity_id: int, number: int, who: Payee, span: tuple[int, int], most: int = MOST
) -> Worked | TooMany:
    component = said_of(run.book)[number][-1].component
    if is_of_clients(component):
        near = partners.clients_of(run.conn, run.members({run.shard(who.id)}))
        return work_clients(run, entity_id, number, near, most)
    shards = {run.shard(who.id)} if who.kind == "partner" else {
        run.shard(partner)
        for found in partners.introducers(run.conn, [who.id]).values() for partner in found
    }  # fmt: skip
    return work_trees(run, entity_id, [number], shards, span, most)


def _payee(conn: psycopg.Connection, code: str, entity: str | None) -> tuple[Payee, int]:
    """Return the partner with this code, or the client who has it where no partner has."""
    try:
        found = partners.partner(conn, code, entity)
    except Missing:
        row = conn.execute(_CLIENT, {"code": code, "entity": entity}).fetchone()
        if row is None:
            raise
        return Payee("client", row[0], row[1]), row[2]
    return Payee("partner", found.id, found.code), found.entity_id


def _components(run: Run, name: str, entity: str) -> list[int]:
    """Return the components of this name that build up, in the programmes of an entity."""
    programme, _, code = name.rpartition("/")
    known: set[str] = set()
    out = []
    for number, versions in said_of(run.book).items():
        last = versions[-1]
        if last.programme.entity != entity or programme not in ("", last.programme.code):
            continue
        if not any(one.component.builds_up for one in versions):
            continue
        known.add(last.component.code)
        if last.component.code == code:
            out.append(number)
    if not out:
        there = ", ".join(sorted(known)) or "none"
        raise Missing("no_component", f"no component {name!r} that builds up: there are {there}")
    return sorted(out)
