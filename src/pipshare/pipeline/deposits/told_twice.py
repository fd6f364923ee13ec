"""An alert for deposits that two sources tell while nobody said whose count."""

from __future__ import annotations

from typing import Any

import polars as pl

from pipshare import clients, inbox
from pipshare.facts.counted import (
    COUNTS,
    KYC_FACT,
    MONEY_FACT,
    MOVES,
    TOLD_TWICE,
    authority_at,
    twins,
)
from pipshare.money import format_e8
from pipshare.period import FOREVER_MS
from pipshare.pipeline.run import Run

ALERT = "told_twice"


def note_twins(run: Run, events: pl.DataFrame) -> None:
    """Raise the alert of each entity of which some of `events` are told twice.

    `events`: all of some clients, as clients.events_of reads them with `every`.
    """
    if TOLD_TWICE not in events["why_not"]:
        return
    seen = set()
    for counts, other, *_ in _twins(events):
        one = events.row(counts, named=True)
        if one["entity"] not in seen:
            seen.add(one["entity"])
            words = _words(one["entity"], one, events.row(other, named=True))
            inbox.raise_alert(run.conn, ALERT, one["entity"], words)


def why_not_counted(run: Run, client_id: int, source: str, event: str) -> str:
    """Say why an event of a client does not count; "" = it does, or nobody decides that."""
    events = clients.events_of(run.conn, [client_id], every=True)
    place = {key: row for row, key in enumerate(events.select("source", "event").iter_rows())}
    row = place.get((source, event), -1)
    reason = events["why_not"][row] if row >= 0 else COUNTS
    if reason == COUNTS:
        return ""
    about = int(events["original"][row]) if events["original"][row] >= 0 else row
    told = events.row(about, named=True)
    if reason == TOLD_TWICE:
        mine = next(some for some in _twins(events) if about in some)
        counts = events.row(mine[0], named=True)
        return f"told twice: {counts['event']} of {counts['source']} counts"
    fact = MONEY_FACT if told["kind"] in MOVES else KYC_FACT
    whose = authority_at(clients.authorities(run.conn), told["entity"], fact, told["at_ms"])
    return f"kept and not counted: of {fact} the word of {whose} counts in entity {told['entity']}"


def _twins(events: pl.DataFrame) -> list[list[int]]:
    rows = events.with_row_index("row").filter(
        pl.col("kind").is_in(MOVES) & pl.col("why_not").is_in([COUNTS, TOLD_TWICE])
    )
    return twins(events, rows)


def close_told(run: Run) -> None:
    """Close the alerts of entities of which somebody has said whose deposits count. Commits."""
    known = clients.authorities(run.conn)
    for entity in {one.entity for one in known}:
        if authority_at(known, entity, MONEY_FACT, FOREVER_MS):
            inbox.resolve_alert(run.conn, ALERT, entity)
    run.conn.commit()


def _words(entity: str, one: dict[str, Any], other: dict[str, Any]) -> str:
    amount = f"{format_e8(one['amount_e8'])} {one['currency']}"
    return (
        f"{one['source']} and {other['source']} tell the same {one['kind']}s of entity {entity},"
        f" for example {amount} of client {one['client'] or other['client'] or one['login']} as"
        f" {one['event']} and {other['event']}: each counts once, meanwhile {one['event']} of"
        f" {one['source']}; say whose count: `pipshare deposits authority --entity {entity} --fact"
        f" money --source {one['source']} --reason ... --by ...`"
    )
