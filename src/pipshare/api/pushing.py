"""Push closed trades: one object, a list, or a line each (NDJSON)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import polars as pl
import psycopg
from django.http import HttpRequest, HttpResponse
from ninja import Header

from pipshare import market
from pipshare.api.access import key_of, needs
from pipshare.api.bodies import FIELD, answer, answered_once, merged, pushed, records_of, told_of
from pipshare.api.problems import Problem
from pipshare.api.reading import router
from pipshare.facts import Refusal
from pipshare.facts.fields import FIELDS
from pipshare.people.keys import Key
from pipshare.pipeline.desk import MOST_ROWS, Desk
from pipshare.pipeline.pushed import Door, Outcome, Pushed, books
from pipshare.sources.mapped.pushed import pushed_trades
from pipshare.web import writing

_desks: dict[int, Desk] = {}
_one_thread = Lock()
_TRADE = {
    "type": "object",
    "properties": {one.name: FIELD | {"description": one.about} for one in FIELDS["trades"]},
    "required": [one.name for one in FIELDS["trades"] if one.required],
}
_SCHEMA = pushed(
    "trade", _TRADE,
    ("new", "revised", "repeated", "refused", "matches", "differs", "missing"),
    {"ticket": {"type": "string", "nullable": True}},
    {"books": {"type": "boolean", "description": "false: compared with what is stored only"}},
)  # fmt: skip


def desk() -> Desk:
    """Return this process's desk; a fork of a server gets one of its own."""
    with _one_thread:
        if os.getpid() not in _desks:
            _desks[os.getpid()] = Desk()
        return _desks[os.getpid()]


def close() -> None:
    """End this process's desk: at its end, and between tests."""
    with _one_thread:
        found = _desks.pop(os.getpid(), None)
    if found is not None:
        found.close()


@router.post("/v1/trades", auth=needs("trades:write"), openapi_extra=_SCHEMA,
             tags=["trades"],
             summary="Push closed trades")  # fmt: skip
def push(
    request: HttpRequest, idempotency_key: str | None = Header(None, alias="Idempotency-Key")
) -> HttpResponse:
    """Take in and book closed trades; the answer comes when they are durable.

    Fields are those of the generic CSV (docs/reference/files.md, trades). A key is bound to one
    server and one provenance; where that source is not authoritative the trades are compared with
    what is stored, and book nothing. Known trades change nothing; other content is a revision.
    """
    key, sent, kind = key_of(request), request.body, request.content_type or ""
    if idempotency_key is None:
        return answer(*_take(key, sent, kind, _books))
    return answered_once(
        key, idempotency_key, sent,
        lambda conn: _take(key, sent, kind, lambda door: _books_by(conn, door)),
    )  # fmt: skip


def _take(
    key: Key, sent: bytes, content_type: str, is_booked: Callable[[Door], bool]
) -> tuple[int, bytes]:
    """Take in what was sent; return the status and the answer's bytes.

    Who holds a connection already must not ask for another here: all threads waiting for their
    second one would wait for each other.
    """
    records, is_one = records_of(sent, content_type, "trade")
    if len(records) > MOST_ROWS:
        raise Problem(413, "too_many", f"{len(records)} trades at once; send at most {MOST_ROWS}.")
    frame, refused = pushed_trades(records)
    door = Door(key.server, key.provenance, f"key {key.name}")
    lines = frame["line"].to_list()
    outcomes: list[Outcome] = []
    if len(frame):
        raw = tuple(records[line - 1] for line in lines)
        outcomes = desk().submit(Pushed(door, frame.with_columns(pl.col("line")), raw))
    results = _merged(dict(zip(lines, outcomes, strict=True)), refused)
    return told_of(
        results, is_one, "ticket", ("new", "revised"), lambda: {"books": is_booked(door)}
    )


def _merged(outcomes: dict[int, Outcome], refused: Sequence[Refusal]) -> list[dict[str, Any]]:
    """Put what was taken and what was refused into the order in which it was sent."""
    told: dict[int, dict[str, Any]] = {
        line: {"ticket": str(one.ticket), "verdict": one.verdict, "reason": one.reason}
        for line, one in outcomes.items()
    }
    for one in refused:
        told[one.line] = {"ticket": None, "verdict": "refused", "reason": one.reason}
    return merged(told)


def _books(door: Door) -> bool:
    with writing() as conn:
        return _books_by(conn, door)


def _books_by(conn: psycopg.Connection[Any], door: Door) -> bool:
    return books(market.server(conn, door.server), door)
