"""An alert for deposits that two sources tell while nobody said whose count."""

from __future__ import annotations

from collections.abc import Iterator
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
from pipshare.pipeline.run import Run

ALERT = "told_twice"
_AT_ONCE = 5_000  # clients
_FOREVER_MS = 2**62


def look_for_twins(run: Run) -> None:
    """Look at the clients of whom something became known; raise, or close, an entity's alert."""
    known = clients.authorities(run.conn)
    for entity in {one.entity for one in known}:
        if authority_at(known, entity, MONEY_FACT, _FOREVER_MS):
            inbox.resolve_alert(run.conn, ALERT, entity)
    if clients.count_sources(run.conn) > 1:
        for entity, one, other in _found(run):
            inbox.raise_alert(run.conn, ALERT, entity, _words(entity, one, other))
    run.conn.commit()


def _found(run: Run) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield by entity the first movement that is told twice: who counts, who does not."""
    after, seen = 0, set()
    while who := clients.any_touched(run.conn, after, _AT_ONCE):
        after = who[-1]
        events = clients.events_of(run.conn, who, every=True)
        if TOLD_TWICE not in events["why_not"]:
            continue
        rows = events.with_row_index("row").filter(
            pl.col("kind").is_in(MOVES) & pl.col("why_not").is_in([COUNTS, TOLD_TWICE])
        )
        for counts, other, *_ in twins(events, rows):
            one = events.row(counts, named=True)
            if one["entity"] not in seen:
                seen.add(one["entity"])
                yield one["entity"], one, events.row(other, named=True)


def _words(entity: str, one: dict[str, Any], other: dict[str, Any]) -> str:
    amount = f"{format_e8(one['amount_e8'])} {one['currency']}"
    return (
        f"{one['source']} and {other['source']} tell the same {one['kind']}s of entity {entity},"
        f" for example {amount} of client {one['client'] or other['client'] or one['login']} as"
        f" {one['event']} and {other['event']}: each counts once, meanwhile {one['event']} of"
        f" {one['source']}; say whose count: `pipshare deposits authority --entity {entity} --fact"
        f" money --source {one['source']} --reason ... --by ...`"
    )
