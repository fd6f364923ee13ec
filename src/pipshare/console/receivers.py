"""Receivers: who is told of what happens, how each fares; paused, resumed, switched off, tested."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from pipshare import market, outbox
from pipshare.console.asked import may, who
from pipshare.console.message_rows import STATES, delivery_table
from pipshare.console.receiver_preview import REQUEST, WEBHOOK, previews, test_data
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, ago, count, counted, lasting, moment
from pipshare.errors import Missing
from pipshare.outbox import Fares, Receiver
from pipshare.outbox.receiver_settings import CONCURRENCY, TIMEOUT_S
from pipshare.outbox.sealed import secrets_of
from pipshare.pipeline.delivering.notices import resume
from pipshare.tracking.catalogue import TYPES
from pipshare.tracking.presets import PRESETS
from pipshare.web import Cell, Column, Stat, Table, reading, room, writing

_AT_ONCE = 50
_ANSWERS = (("answer_id", "Its own id in the answer"), ("answer_error", "Why it refuses"),
            ("source", "What this endpoint said is not told back"))  # fmt: skip
_NOT_YET = Fares(0, None, 0, None, "", 0, 0)
_DONE = {
    "pause": "It is paused: what is said to it is kept, in order, and sent when it is resumed.",
    "resume": "It is sent to again.",
    "off": "It is switched off: what waited is among its dead letters.",
    "remove": "It is removed: what waited is cancelled, and its log stays.",
}
_ACTS: Mapping[str, Callable[..., None]] = {
    "pause": outbox.pause, "resume": resume, "off": outbox.off, "remove": outbox.remove,
}  # fmt: skip


@room("receivers.see")
def receivers(request: HttpRequest) -> HttpResponse:
    """List the receivers with their health: failing, waiting, dead letters."""
    now_ms = time.time_ns() // 1_000_000
    with reading() as conn:
        scope = scope_of(conn, request.user)
        found = [one for one in outbox.receivers(conn) if _is_within(one, scope)]
        fares = outbox.fares(conn)
        running = outbox.is_dispatched(conn)
    columns = [Column("Receiver", head=True), Column("Whose"), Column("State"),
               Column("Last success"), Column("Waiting", number=True),
               Column("Dead letters", number=True)]  # fmt: skip
    rows: list[Row] = []
    for one in found:
        fare = fares.get(one.id, _NOT_YET)
        word, tone, note = state_of(one, fare, now_ms)
        rows.append([
            Cell(one.name, reverse("console:receiver", args=[one.id]), note=kind_of(one)),
            Cell(one.partner or "The broker"), Cell(word, tone=tone, note=note),
            Cell(ago(fare.last_ok_ms, now_ms), title=moment(fare.last_ok_ms)),
            count(fare.waiting), Cell(count(fare.dead), tone="bad" if fare.dead else ""),
        ])  # fmt: skip
    return render(request, "console/receivers.html", {
        "table": Table("Receivers", columns, rows, hide_caption=True) if rows else None,
        "may_change": may(request, "receivers.change"), "running": running,
    })  # fmt: skip


@room("receivers.see")
def receiver(request: HttpRequest, receiver_id: int) -> HttpResponse:
    """Show a receiver: how it fares, its settings, what it would get, what became of messages."""
    now_ms = time.time_ns() // 1_000_000
    state = request.GET.get("state", "")
    subject = request.GET.get("subject", "").replace("\0", "").strip()[:200]
    before = request.GET.get("before", "")
    with reading() as conn:
        one = receiver_of(conn, receiver_id, scope_of(conn, request.user))
        fare = outbox.fares(conn, one.id).get(one.id, _NOT_YET)
        found = outbox.deliveries(
            conn, receiver_id=one.id, states=STATES[state][1] if state in STATES else None,
            subject=subject or None, limit=_AT_ONCE + 1,
            before=int(before) if before.isdecimal() and len(before) < 19 else None,
        )  # fmt: skip
        entity = market.entities(conn)[one.entity_id].code
        running = outbox.is_dispatched(conn)
        secrets = secrets_of(conn, [one.id]).get(one.id, [])
    word, tone, note = state_of(one, fare, now_ms)
    shown = found[:_AT_ONCE]
    here = reverse("console:receiver", args=[one.id])
    page = {key: value for key, value in (("state", state), ("subject", subject)) if value}
    return render(request, "console/receiver.html", {
        "one": one, "word": word, "tone": tone, "note": note, "kind": kind_of(one),
        "entity": entity, "stats": _stats(one, fare, now_ms), "running": running,
        "is_webhook": one.kind == WEBHOOK, "is_request": one.kind == REQUEST,
        "has_secret": any(not key.header for key in secrets),
        "secret_headers": sorted({key.header for key in secrets if key.header}),
        "facts": _facts(one), "preset": PRESETS.get(one.settings.get("preset", "")),
        "previews": previews(one, entity), "dead": fare.dead,
        "types": [(kind, said.event) for kind, said in TYPES.items()],
        "may_change": may(request, "receivers.change"),
        "may_secrets": may(request, "secrets.change"),
        "states": [(key, label) for key, (label, _) in STATES.items()], "state": state,
        "subject": subject,
        "table": delivery_table(shown, one.id, now_ms) if shown else None,
        "said": counted(len(shown), "message"), "first": here if before else "",
        "older": f"?{urlencode({**page, 'before': shown[-1].id})}" if len(found) > _AT_ONCE else "",
    })  # fmt: skip


@room("receivers.change", methods=("POST",))
def change_state(request: HttpRequest, receiver_id: int) -> HttpResponse:
    """Pause, resume, switch off or remove a receiver: `what` says which."""
    what = request.POST.get("what", "")
    if what not in _ACTS:
        raise Missing("no_act", "This is nothing that can be done to a receiver.")
    with writing() as conn:
        one = receiver_of(conn, receiver_id, scope_of(conn, request.user))
        reason = request.POST.get("reason", "").replace("\0", "").strip()[:400]
        if what == "off":
            reason = reason or "switched off in the console"
        _ACTS[what](conn, one, by=who(request), reason=reason)
    messages.success(request, f"{one.name}: {_DONE[what][:1].lower()}{_DONE[what][1:]}")
    if what == "remove":
        return redirect("console:receivers")
    return redirect("console:receiver", receiver_id=one.id)


@room("receivers.change", methods=("POST",))
def send_test(request: HttpRequest, receiver_id: int) -> HttpResponse:
    """Say a test to this receiver alone, and lead to what becomes of it."""
    with writing() as conn:
        one = receiver_of(conn, receiver_id, scope_of(conn, request.user))
        entity = market.entities(conn)[one.entity_id].code
        number = outbox.send_test(conn, one, test_data(entity, one.partner))
    return redirect("console:message", receiver_id=one.id, message_id=number)


def receiver_of(
    conn: psycopg.Connection[Any], receiver_id: int, scope: Sequence[int] | None
) -> Receiver:  # fmt: skip
    """Return a receiver by its number. Raises Missing when there is none within `scope`."""
    for one in outbox.receivers(conn):
        if one.id == receiver_id and _is_within(one, scope):
            return one
    raise Missing("unknown_receiver", f"There is no receiver with the number {receiver_id}.")


def kind_of(one: Receiver) -> str:
    """Name what kind of receiver one is, with its tracker."""
    preset = PRESETS.get(one.settings.get("preset", ""))
    return f"Postback to {preset.name}" if preset else one.kind.capitalize()


def state_of(one: Receiver, fare: Fares, now_ms: int) -> tuple[str, str, str]:
    """Say how a receiver fares: a word, its tone, a note."""
    if one.state == "off":
        return "Off", "bad", one.off_reason
    if one.state == "paused":
        return "Paused", "plain", f"{count(fare.waiting)} wait" if fare.waiting else ""
    if fare.failing_since_ms is not None:
        since = f"for {lasting(max(0, now_ms - fare.failing_since_ms))}"
        return "Failing", "warn", f"{since}: {fare.error}"
    return "Active", "good", ""


def _is_within(one: Receiver, scope: Sequence[int] | None) -> bool:
    return scope is None or one.partner_id in scope


def _stats(one: Receiver, fare: Fares, now_ms: int) -> list[Stat]:
    here = reverse("console:receiver", args=[one.id])
    stats = [
        Stat("Last success", ago(fare.last_ok_ms, now_ms), moment(fare.last_ok_ms)),
        Stat("Waiting", count(fare.waiting), "said, not taken yet",
             url=f"{here}?state=waiting#messages"),
        Stat("Dead letters", count(fare.dead), "given up; may be sent again" if fare.dead else "",
             "bad" if fare.dead else "", f"{here}?state=dead#messages"),
    ]  # fmt: skip
    if fare.fails:
        stats.append(Stat("Failed in a row", count(fare.fails),
                          f"since {moment(fare.failing_since_ms)}", "warn"))  # fmt: skip
    return stats


def _facts(one: Receiver) -> list[tuple[str, str]]:
    told = one.settings
    minimum = ", ".join(f"{amount} {code}" for code, amount in told.get("minimum", {}).items())
    return [
        ("Events", ", ".join(told.get("events", ())) or "all"),
        ("Only clients of", ", ".join(told.get("countries", ())) or "any country"),
        *([("No clients of", ", ".join(told["not_countries"]))] if told.get("not_countries")
          else []),
        ("Amounts from", minimum or "any"),
        *([(label, told[key]) for key, label in _ANSWERS if told.get(key)]),
        ("Requests", f"{told.get('concurrency', CONCURRENCY)} at a time, "
                     f"{told.get('per_minute', 'no limit')} a minute, "
                     f"{told.get('timeout_s', TIMEOUT_S)} s for an answer"),
        *([("Mail when it is switched off", told["owner_email"])] if told.get("owner_email")
          else []),
    ]  # fmt: skip
