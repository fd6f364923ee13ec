"""Push events of clients: one object, a list, or a line each (NDJSON)."""

from __future__ import annotations

from typing import Any

import psycopg
from django.http import HttpRequest, HttpResponse
from ninja import Header

from pipshare import clients, market
from pipshare.api.access import key_of, needs
from pipshare.api.bodies import answer, answered_once, merged, pushed, records_of, told_of
from pipshare.api.problems import Problem
from pipshare.api.reading import router
from pipshare.facts.event_schemas import schema_of
from pipshare.facts.events import KINDS
from pipshare.facts.records import read_records
from pipshare.people.keys import Key
from pipshare.web import writing

MOST = 10_000  # events of one request
_DIALECT = ("$schema", "$id")
_EVENT = {
    "oneOf": [
        {name: told for name, told in schema_of(kind).items() if name not in _DIALECT}
        for kind in KINDS
    ]
}
_SCHEMA = pushed(
    "event", _EVENT, ("new", "revised", "older", "repeated", "refused"),
    {
        "event": {"type": "string", "nullable": True},
        "waits": {
            "type": "string",
            "description": "what it waits for: unknown_client, unknown_account,"
            " unknown_reference; or why it cannot take back what it names: other_client,"
            " other_currency, other_kind",
        },
    },
)  # fmt: skip


@router.post("/v1/events", auth=needs("events:write"), openapi_extra=_SCHEMA, tags=["events"],
             summary="Push events of clients")  # fmt: skip
def push_events(
    request: HttpRequest, idempotency_key: str | None = Header(None, alias="Idempotency-Key")
) -> HttpResponse:
    """Take in registrations, deposits, reversals, KYC and the like; durable once answered.

    Fields are those of docs/reference/files.md, events; `source` is the key's name unless told. A
    known event changes nothing, other content of it is a revision. An event of a client who is
    not known yet, or about an event that is not, is taken and waits.
    """
    key, sent, kind = key_of(request), request.body, request.content_type or ""
    if idempotency_key is None:
        with writing() as conn:
            return answer(*_take(conn, key, sent, kind))
    return answered_once(key, idempotency_key, sent, lambda conn: _take(conn, key, sent, kind))


def _take(
    conn: psycopg.Connection[Any], key: Key, sent: bytes, content_type: str
) -> tuple[int, bytes]:
    """Take in what was sent; return the status and the answer's bytes."""
    records, is_one = records_of(sent, content_type, "event")
    if len(records) > MOST:
        raise Problem(413, "too_many", f"{len(records)} events at once; send at most {MOST}.")
    clocks = market.day_clocks(conn, "events")
    frame, refused = read_records(records, "events", clock=clocks, defaults={"source": key.name})
    taken = clients.take_events(conn, frame, by=f"key {key.name}")
    names = dict(frame.select("line", "event").iter_rows())
    told = {
        line: {"event": names[line], "verdict": verdict, "waits": waits, "reason": ""}
        for line, verdict, waits in taken.verdicts.iter_rows()
    }
    for one in [*refused, *taken.report.refused]:
        reason = one.reason.replace(f"line {one.line},", f"record {one.line},", 1)
        told[one.line] = {"event": names.get(one.line), "verdict": "refused", "waits": "",
                          "reason": reason}  # fmt: skip
    return told_of(merged(told), is_one, "event", ("new", "revised", "older"))
