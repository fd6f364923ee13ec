"""The log of CRM payloads: every one that came, what became of each item, and replay."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from pipshare import db, inbox
from pipshare.console.asked import Form, may, text, who
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, counted, wall
from pipshare.errors import Missing
from pipshare.facts.clicks import is_click_id
from pipshare.inbox import LoggedPayload, PayloadItem
from pipshare.period import to_ms
from pipshare.pipeline.work import CHANNEL
from pipshare.web import Cell, Column, Table, reading, room, writing

_AT_ONCE = 50
_ITEMS = 500  # of one payload that are shown
_BODY = 100_000  # characters of a body that are shown
_DAY_MS = 86_400_000
_REPLAY = 1_000  # payloads at once
_TONES = {
    "new": "good", "revised": "good", "attributed": "good", "noted": "good", "repeated": "plain",
    "older": "plain", "skipped": "plain", "kept": "plain", "waits": "warn", "proposed": "warn",
    "not_followed": "warn",
    "problem": "bad", "refused": "bad",
}  # fmt: skip


class PayloadSearch(Form):
    """What is looked for; days are in UTC."""

    endpoint = forms.ChoiceField(label="Endpoint", required=False)
    verdict = forms.ChoiceField(
        label="Answer", required=False,
        choices=[("", "Any"), ("accepted", "accepted"), ("rejected", "rejected")],
    )  # fmt: skip
    event = text("Event", required=False)
    client = text("Client", required=False)
    problems = forms.BooleanField(label="Only with problems", required=False)
    waits = forms.BooleanField(label="Only what waits", required=False)
    day = forms.DateField(label="Day (UTC)", required=False,
                          widget=forms.DateInput(attrs={"type": "date"}))  # fmt: skip


@room("crm.see")
def payloads(request: HttpRequest) -> HttpResponse:
    """List payloads, the newest first, or those that a search finds."""
    before = request.GET.get("before", "")
    form = PayloadSearch(request.GET)
    found: list[LoggedPayload] = []
    with reading() as conn:
        every = inbox.endpoints(conn)
        form.fields["endpoint"].choices = [("", "Any"), *((e.code, e.code) for e in every)]
        if scope_of(conn, request.user) is None and form.is_valid():
            asked = _asked(form)
            if is_click_id(before):
                asked["before"] = before
            found = inbox.payloads(conn, limit=_AT_ONCE + 1, **asked)
    query = {key: value for key, value in request.GET.items() if value and key != "before"}
    here = reverse("console:crm_log")
    rows = [_row(one) for one in found[:_AT_ONCE]]
    columns = [Column("Came", head=True), Column("Endpoint"), Column("Answer"),
               Column("Items", number=True), Column("What became of it")]  # fmt: skip
    return render(request, "console/crm_log.html", {
        "form": form, "is_narrow": form.is_valid() and any(form.cleaned_data.values()),
        "has_endpoints": bool(every), "said": counted(len(rows), "payload"),
        "table": Table("Payloads", columns, rows, hide_caption=True) if rows else None,
        "first": f"{here}?{urlencode(query)}" if before else "",
        "older": f"{here}?{urlencode({**query, 'before': found[_AT_ONCE - 1].id})}"
        if len(found) > _AT_ONCE else "",
        "may_change": may(request, "crm.change"),
    })  # fmt: skip


@room("crm.see")
def show_payload(request: HttpRequest, payload_id: str) -> HttpResponse:
    """Show one payload: what became of each item, and its raw body to those who may see it."""
    id_ = payload_id.replace("\0", "")[:40]
    with reading() as conn:
        whole = scope_of(conn, request.user) is None
        found = inbox.payloads(conn, id=id_, limit=1) if whole else []
        if not found:
            raise Missing("no_payload", "There is no payload with this number.")
        one = found[0]
        items = inbox.payload_items(conn, id_)
        body = _body(conn, one) if one.has_body and may(request, "crm.raw") else ""
    return render(request, "console/crm_payload.html", {
        "one": one, "came": wall(one.at_ms), "body": body,
        "tone": "good" if one.verdict == "accepted" and not one.is_bad else
        "warn" if one.verdict == "accepted" else "bad",
        "table": _items(items[:_ITEMS]) if items else None,
        "more": counted(len(items) - _ITEMS, "more item") if len(items) > _ITEMS else "",
        "may_see_raw": may(request, "crm.raw"),
        "may_replay": may(request, "crm.replay") and one.verdict == "accepted" and one.has_body,
        "test": f"{reverse('console:crm_mapping', args=[one.endpoint])}?payload={one.id}",
    })  # fmt: skip


@room("crm.replay", methods=("POST",))
def replay(request: HttpRequest) -> HttpResponse:
    """Map payloads anew by the mapping that holds: one, or all of an endpoint with problems."""
    id_, code = (request.POST.get(name, "").replace("\0", "")[:100]
                 for name in ("payload", "endpoint"))  # fmt: skip
    with writing() as conn:
        if id_:
            found = inbox.payloads(conn, id=id_, limit=1)
        else:  # never those of all endpoints, which no `endpoint` would mean
            named = inbox.endpoint(conn, code).code
            found = inbox.payloads(conn, limit=_REPLAY, endpoint=named, problems=True)
        if id_ and not found:
            raise Missing("no_payload", "There is no payload with this number.")
        ids = [one.id for one in found]
        count = inbox.settle_payloads_again(conn, ids, by=who(request))
        db.wake(conn, CHANNEL)
    if count:
        messages.success(request, f"{counted(count, 'payload')} will be mapped anew in a moment:"
                                  " nothing is applied twice.")  # fmt: skip
    else:
        messages.warning(request, "There is nothing to replay: no body is kept, or it is on its"
                                  " way already.")  # fmt: skip
    if id_:
        return redirect("console:crm_payload", payload_id=id_)
    return redirect("console:crm_endpoint", code=code)


def _asked(form: PayloadSearch) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: value.strip() if isinstance(value, str) else value
        for name, value in form.cleaned_data.items()
        if value and name != "day"
    }
    day = form.cleaned_data.get("day")
    if day is not None:
        start = to_ms(datetime(day.year, day.month, day.day, tzinfo=UTC))
        told |= {"since_ms": start, "until_ms": start + _DAY_MS}
    return told


def _row(one: LoggedPayload) -> Row:
    became = (
        "not settled yet" if one.is_due else f"{counted(one.waits, 'item')} wait"
        if one.waits else "settled" if one.verdict == "accepted" else "nothing"
    )  # fmt: skip
    tone = "bad" if one.verdict != "accepted" else "warn" if one.is_bad else "good"
    return [
        Cell(wall(one.at_ms), reverse("console:crm_payload", args=[one.id]), title="in UTC"),
        Cell(one.endpoint, note=one.sender),
        Cell(one.verdict, tone=tone, note=said_of(one)),
        f"{one.items:,}", became,
    ]  # fmt: skip


def said_of(one: LoggedPayload) -> str:
    """Say what was wrong with a payload; of one that was mended by a replay, that."""
    if one.problems and not one.is_bad and not one.is_due:
        return "mended by a replay"
    return one.detail or one.reason.replace("_", " ")


def _items(items: list[PayloadItem]) -> Table:
    columns = [Column("Item", number=True, head=True), Column("What it is"), Column("Client"),
               Column("What became of it"), Column("Where")]  # fmt: skip
    life = reverse("console:client_life")
    rows: list[Row] = [
        [str(one.item), Cell(one.kind or "–", note=one.event),
         Cell(one.client or "–",
              f"{life}?{urlencode({'client': one.client})}" if one.client else ""),
         Cell(one.outcome, tone=_TONES.get(one.outcome, "plain"),
              note=one.detail or one.reason.replace("_", " ")),
         ", ".join(text for text in (f"rule {one.rule}" if one.rule else "",
                                     f"field {one.field}" if one.field else "",
                                     one.expression) if text) or "–"]
        for one in items
    ]  # fmt: skip
    return Table("What became of each item", columns, rows)


def _body(conn: Any, one: LoggedPayload) -> str:
    """Return a body as it came, digit by digit."""
    return inbox.payload_body(conn, one.id)[0].decode("utf-8", "replace")[:_BODY]
