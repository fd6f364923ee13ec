"""An alert for deposits that two sources tell while nobody said whose count."""

from __future__ import annotations

from typing import Any

import polars as pl

from pipshare import clients, inbox
from pipshare.facts.counted import (
    COUNTS,
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
    rows = events.with_row_index("row").filter(
        pl.col("kind").is_in(MOVES) & pl.col("why_not").is_in([COUNTS, TOLD_TWICE])
    )
    seen = set()
    for counts, other, *_ in twins(events, rows):
        one = events.row(counts, named=True)
        if one["entity"] not in seen:
            seen.add(one["entity"])
            words = _words(one["entity"], one, events.row(other, named=True))
            inbox.raise_alert(run.conn, ALERT, one["entity"], words)


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
