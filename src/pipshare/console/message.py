"""One message to one receiver with every attempt; sent again; a receiver's secrets."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pipshare import outbox
from pipshare.console.asked import Form, form_page, may, text, who
from pipshare.console.message_rows import state_cell, subject_of
from pipshare.console.receiver_preview import WEBHOOK, spread
from pipshare.console.receivers import receiver_of
from pipshare.console.scope import scope_of
from pipshare.console.shown import counted, wall
from pipshare.errors import BadInput, Missing
from pipshare.period import to_ms
from pipshare.tracking.catalogue import TYPES
from pipshare.web import reading, room, writing

_STOP_POLLING = 286  # htmx: show this, and ask no more
_OUTCOMES = {"ok": ("Taken", "good"), "temporary": ("Failed, tried again", "warn"),
             "permanent": ("Refused for good", "bad")}  # fmt: skip


class HeaderForm(Form):
    """A secret header, which is sent with each request and never shown."""

    FAULTS: ClassVar = {"bad_header": "header"}
    header = text("Header", placeholder="Authorization")
    value = forms.CharField(label="Value", max_length=4096, strip=False, help_text="Stored sealed,"
                            " never shown again.", widget=forms.PasswordInput(
                                attrs={"autocomplete": "off"}))  # fmt: skip


@room("receivers.see")
def message(request: HttpRequest, receiver_id: int, message_id: int) -> HttpResponse:
    """Show what became of a message; the part that changes asks for news until it has ended."""
    now_ms = time.time_ns() // 1_000_000
    with reading() as conn:
        one = receiver_of(conn, receiver_id, scope_of(conn, request.user))
        found = outbox.deliveries(conn, receiver_id=one.id, message_id=min(message_id, 2**63 - 1))
        if not found:
            row = conn.execute("SELECT 1 FROM outbox_message WHERE id = %s AND receiver_id = %s",
                               (min(message_id, 2**63 - 1), one.id)).fetchone()  # fmt: skip
            if row is None:
                raise Missing("no_message", f"{one.name} was never told of message {message_id}.")
        tries = outbox.attempts(conn, [found[0].id]) if found else []
        running = outbox.is_dispatched(conn)
    delivery = found[0] if found else None
    is_over = delivery is not None and delivery.state not in ("due", "behind")
    seen = f"{running} {delivery.state} {delivery.attempts}" if delivery else f"{running}"
    known = {
        "one": one, "seen": seen, "delivery": delivery, "message_id": message_id,
        "running": running,
        "state": state_cell(delivery, now_ms) if delivery else None, "is_over": is_over,
        "subject": subject_of(delivery) if delivery else "",
        "about": TYPES[delivery.type].about if delivery and delivery.type in TYPES else "",
        "data": json.dumps(delivery.data, indent=2, ensure_ascii=False) if delivery else "",
        "attempts": [_attempt(each) for each in reversed(tries)],
        "may_replay": is_over and may(request, "receivers.change"),
    }  # fmt: skip
    if getattr(request, "htmx", False):
        if request.GET.get("seen") == seen and not is_over:
            return HttpResponse(status=204)  # nothing new: nobody is read the same again
        return render(request, "console/parts/message_live.html", known,
                      status=_STOP_POLLING if is_over else 200)  # fmt: skip
    return render(request, "console/message.html", known)


@room("receivers.change", methods=("POST",))
def replay(request: HttpRequest, receiver_id: int) -> HttpResponse:
    """Send dead letters again: one delivery, those of a filter, or all."""
    told = request.POST
    number = told.get("delivery", "")
    types = [kind for kind in told.getlist("type") if kind in TYPES]
    try:
        since, until = _day(told.get("since", "")), _day(told.get("until", ""), 1)
    except ValueError:
        raise BadInput(
            "bad_day", "a day is written as 2026-03-31: go back and correct it"
        ) from None
    with writing() as conn:
        one = receiver_of(conn, receiver_id, scope_of(conn, request.user))
        if number.isdecimal() and len(number) < 19:
            states = ("dead", "delivered", "cancelled")
            outbox.replay(conn, one, ids=[int(number)], states=states, by=who(request))
            [asked] = outbox.deliveries(conn, receiver_id=one.id, ids=[int(number)])
            messages.success(request, "It is sent again, under the same id.")
            return redirect("console:message", receiver_id=one.id, message_id=asked.message_id)
        count = outbox.replay(conn, one, types=types or None, since_ms=since, until_ms=until,
                              by=who(request))  # fmt: skip
    messages.success(request, f"{counted(count, 'message')} sent again, in order: look below.")
    return redirect("console:receiver", receiver_id=receiver_id)


@room("secrets.change", methods=("GET", "POST"))
def secret(request: HttpRequest, receiver_id: int) -> HttpResponse:
    """Make a webhook's signing secret and show it this once; the one before signs for a day."""
    with writing() as conn:
        one = receiver_of(conn, receiver_id, scope_of(conn, request.user))
        if one.kind != WEBHOOK:
            raise Missing("no_secret", "Postbacks are not signed: give it a secret header instead.")
        made = ""
        if request.method == "POST":
            made = outbox.rotate_secret(conn, one, by=who(request))
    return render(request, "console/secret.html", {"one": one, "secret": made})


@room("secrets.change", methods=("GET", "POST"))
def secret_header(request: HttpRequest, receiver_id: int) -> HttpResponse:
    """Set a header whose value is a secret."""
    with reading() as conn:
        one = receiver_of(conn, receiver_id, scope_of(conn, request.user))
    form = HeaderForm(request.POST or None)
    here = reverse("console:receiver", args=[one.id])

    def put() -> None:
        told = form.cleaned_data
        with writing() as conn:
            outbox.set_header(conn, one, told["header"].strip(), told["value"], by=who(request))

    if request.method == "POST" and form.is_valid() and form.attempt(put):
        messages.success(request, f"{form.cleaned_data['header']} is sent with every request.")
        return redirect(here)
    return form_page(request, form, title="Secret header", action="Set it", back=here,
                     crumbs=[("Receivers", reverse("console:receivers")), (one.name, here)],
                     lead="For trackers and systems that ask for a key in a header.")  # fmt: skip


def _attempt(one: outbox.Attempt) -> dict[str, Any]:
    word, tone = _OUTCOMES[one.outcome]
    return {
        "one": one, "at": wall(one.at_ms), "word": word, "tone": tone,
        "late": one.at_ms - one.due_ms if one.at_ms - one.due_ms > 1_000 else 0,
        "headers": _headers(one.headers), "body": spread(one.body),
    }  # fmt: skip


def _headers(text_: str) -> list[tuple[str, str]]:
    try:
        told = json.loads(text_)
    except ValueError:
        return [("", text_)]
    return list(told.items()) if isinstance(told, dict) else [(str(n), str(v)) for n, v in told]


def _day(value: str, later: int = 0) -> int | None:
    """Return the first moment of a day in UTC, or of the day after it. Raises ValueError."""
    if not value:
        return None
    return to_ms(datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)) + later * 86_400_000
