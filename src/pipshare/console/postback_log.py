"""The log of postbacks in: every one that came, what it was told, and what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from pipshare import inbox
from pipshare.console.asked import Form, may, text
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, counted, money, wall
from pipshare.errors import Missing
from pipshare.facts.clicks import first_id, is_click_id
from pipshare.inbox import LoggedPostback
from pipshare.period import to_ms
from pipshare.tracking.postbacks import KINDS
from pipshare.web import Cell, Column, Table, reading, room

_AT_ONCE = 50
_DAY_MS = 86_400_000
_TONES = {"accepted": "good", "duplicate": "plain", "rejected": "bad"}
_BECAME = {"": "not settled yet", "waits": "waits"}


class LogSearch(Form):
    """What is looked for; days are in UTC."""

    tracker = forms.ChoiceField(label="Tracker", required=False)
    event = forms.ChoiceField(label="Event", required=False,
                              choices=[("", "Any"), *((kind, kind) for kind in KINDS)])  # fmt: skip
    verdict = forms.ChoiceField(label="Verdict", required=False,
                                choices=[("", "Any"), *((one, one) for one in _TONES)])  # fmt: skip
    reason = text("Reason", required=False)
    client = text("Client", required=False)
    txid = text("Transaction id", required=False)
    click = text("Click id", required=False)
    partner = text("Partner told", required=False)
    waits = forms.BooleanField(label="Only what waits", required=False)
    day = forms.DateField(label="Day (UTC)", required=False,
                          widget=forms.DateInput(attrs={"type": "date"}))  # fmt: skip


@room("tracking.see")
def postbacks(request: HttpRequest) -> HttpResponse:
    """List postbacks, the newest first, or those that a search finds."""
    before = request.GET.get("before", "")
    form = LogSearch(request.GET)
    found: list[LoggedPostback] = []
    with reading() as conn:
        every = inbox.trackers(conn)
        form.fields["tracker"].choices = [("", "Any"), *((one.code, one.code) for one in every)]
        whole = scope_of(conn, request.user) is None  # what trackers say is the broker's business
        if whole and form.is_valid():
            asked = _asked(form, before if is_click_id(before) else "")
            found = inbox.postbacks(conn, limit=_AT_ONCE + 1, **asked)
    is_narrow = form.is_valid() and any(form.cleaned_data.values())
    rows = [_row(one) for one in found[:_AT_ONCE]]
    columns = [Column("Came", head=True), Column("Tracker"), Column("Event"), Column("Client"),
               Column("Amount", number=True), Column("Answer"),
               Column("What became of it")]  # fmt: skip
    query = {key: value for key, value in request.GET.items() if value and key != "before"}
    here = reverse("console:postbacks")
    return render(request, "console/postbacks.html", {
        "form": form, "is_narrow": is_narrow, "has_trackers": bool(every),
        "may_change": may(request, "trackers.change"),
        "table": Table("Postbacks", columns, rows, hide_caption=True) if rows else None,
        "said": counted(len(rows), "postback"),
        "first": f"{here}?{urlencode(query)}" if before else "",
        "older": f"{here}?{urlencode({**query, 'before': found[_AT_ONCE - 1].id})}"
        if len(found) > _AT_ONCE else "",
    })  # fmt: skip


@room("tracking.see")
def postback(request: HttpRequest, postback_id: str) -> HttpResponse:
    """Show one postback: what it said, field by field, the answer, and what became of it."""
    with reading() as conn:
        whole = scope_of(conn, request.user) is None
        found = inbox.postbacks(conn, id=postback_id.replace("\0", "")[:40]) if whole else []
    if not found:
        raise Missing("no_postback", "There is no postback with this number.")
    one = found[0]
    return render(request, "console/postback.html", {
        "one": one, "tone": _TONES.get(one.verdict, "plain"), "came": wall(one.at_ms),
        "happened": wall(one.happened_ms) if one.happened_ms else "",
        "amount": money(one.amount_e8, one.currency) if one.amount_e8 else "",
        "told": sorted(one.told.items()), "became": became(one),
    })  # fmt: skip


def became(one: LoggedPostback) -> tuple[str, str]:
    """Say what became of a postback: a few words, and a sentence or ""."""
    if one.verdict != "accepted":
        return "nothing", ""
    words = _BECAME.get(one.outcome, one.outcome).replace("_", " ")
    reason = one.outcome_reason.replace("_", " ")
    return (f"{words}: {reason}" if reason not in ("", words) else words), one.outcome_detail


def _asked(form: LogSearch, before: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: value.strip() if isinstance(value, str) else value
        for name, value in form.cleaned_data.items()
        if value and name != "day"
    }  # Django's fields refuse zero bytes
    day = form.cleaned_data.get("day")
    if day is not None:
        start = to_ms(datetime(day.year, day.month, day.day, tzinfo=UTC))
        told["since_ms"] = start
        end = first_id(max(0, start + _DAY_MS))  # a postback's id holds its moment, as a click's
        before = min(before, end) if before else end
    return {**told, "before": before}


def _row(one: LoggedPostback) -> Row:
    words, _ = became(one)
    return [
        Cell(wall(one.at_ms), reverse("console:postback", args=[one.id]), title="in UTC"),
        Cell(one.tracker or "nobody known", note=one.sender if not one.tracker else ""),
        Cell(one.event, note=one.txid),
        Cell(one.client or "–", note=f"partner {one.partner}" if one.partner else ""),
        money(one.amount_e8, one.currency) if one.amount_e8 else "–",
        Cell(one.verdict, tone=_TONES.get(one.verdict, "plain"),
             note=one.reason.replace("_", " ")),
        words,
    ]  # fmt: skip
