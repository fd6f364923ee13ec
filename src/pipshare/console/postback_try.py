"""The URL that a broker's developer calls, how it is signed, and a test through the real door."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from pipshare import audit, inbox, settings
from pipshare.console.asked import Form, may, text, who
from pipshare.console.links import base_of
from pipshare.console.receiver_preview import spread
from pipshare.console.scope import scope_of
from pipshare.errors import Missing
from pipshare.facts.clicks import click_id
from pipshare.inbox import Tracker
from pipshare.tracking.postback_fields import signature_of
from pipshare.tracking.postbacks import KINDS, REGISTRATION
from pipshare.tracking.postbacks_url import EXAMPLES, url_of
from pipshare.web import reading, room, writing

_TIMEOUT_S = 10
_MOST_ANSWER = 20_000
_WAYS = (("get", "GET, all in the address"), ("form", "POST, a form"), ("json", "POST, JSON"))
_TYPES = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
_NEEDED = {"registration": ("client",), "reversal": ("txid", "reference")}
_MONEY = ("deposit", "withdrawal")


class TryForm(Form):
    """A test: the token, the way, and the event's fields. What it begins with changes nothing."""

    token = forms.CharField(
        label="Token", max_length=200, widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="As it was shown when the tracker was made: we keep no copy.",
    )  # fmt: skip
    way = forms.ChoiceField(label="Sent by", choices=_WAYS)

    def __init__(self, *args: Any, kind: str, **given: Any) -> None:
        super().__init__(*args, **given)
        self.names = list(dict.fromkeys([*EXAMPLES[kind].fields, "click_id"]))
        unknown = click_id(time.time_ns() // 1_000_000, secrets.token_bytes(10))
        begun = {**EXAMPLES[kind].fields, "click_id": unknown, "partner": "", "at": "",
                 "txid": f"TEST-{secrets.token_hex(4)}",
                 "client": "TEST-1" if kind == REGISTRATION else ""}  # fmt: skip
        for name in self.names:
            self.fields[f"f_{name}"] = text(name, required=False)
            self.fields[f"f_{name}"].initial = begun.get(name, "")


@dataclass(frozen=True)
class Tried:
    """A test as it was sent, and what came back; `error` where nothing did."""

    method: str
    url: str
    body: str
    status: int = 0
    answer: str = ""
    ms: int = 0
    error: str = ""


@room("tracking.see")
def build_url(request: HttpRequest) -> HttpResponse:
    """Show the address of an event for a tracker's developer, with examples of calling it."""
    with reading() as conn:
        every = _trackers(conn, request)
    one, kind = _chosen(every, request.GET.get("tracker", ""), request.GET.get("event", ""))
    return _page(request, every, one, kind, TryForm(kind=kind))


@room("tracking.change", methods=("POST",))
def send_postback(request: HttpRequest) -> HttpResponse:
    """Send a postback over HTTP to our own door, as the tracker would, and show the answer."""
    with reading() as conn:
        every = _trackers(conn, request)
    one, kind = _chosen(every, request.POST.get("tracker", ""), request.POST.get("event", ""))
    form = TryForm(request.POST, kind=kind)
    if not form.is_valid():
        return _page(request, every, one, kind, form)
    told = form.cleaned_data
    fields = [(name, told[f"f_{name}"].strip()) for name in form.names]
    tried = _send(request, one, kind, told["token"].strip(), told["way"],
                  [(name, value) for name, value in fields if value])  # fmt: skip
    with writing() as conn:
        audit.record(conn, who(request), "postback.tested", one.code if one else "",
                     detail={"event": kind, "status": tried.status})  # fmt: skip
    return _page(request, every, one, kind, form, tried)


def _page(
    request: HttpRequest, every: Sequence[Tracker], one: Tracker | None, kind: str, form: TryForm,
    tried: Tried | None = None,
) -> HttpResponse:  # fmt: skip
    base = base_of(request)
    is_signed = one is not None and one.secret is not None
    fields = EXAMPLES[kind].fields
    address = f"{base}/s2s/{kind}"
    query = urlencode(fields)
    shown = None
    if tried is not None:
        log = _log_of(tried.answer)
        shown = {"tried": tried, "answer": spread(tried.answer),
                 "log": reverse("console:postback", args=[log]) if log else ""}  # fmt: skip
    return render(request, "console/postback_try.html", {
        "trackers": every, "one": one, "kind": kind, "kinds": KINDS, "about": EXAMPLES[kind].about,
        "url": url_of(base, kind, "TOKEN", is_signed=is_signed), "is_signed": is_signed,
        "address": address, "query": query, "json": json.dumps(fields), "form": form,
        "fields": [(name, EXAMPLES[kind].fields.get(name, ""), name in _needed(kind))
                   for name in dict.fromkeys([*fields, "click_id"])],
        "may_try": may(request, "tracking.change"), "shown": shown,
    })  # fmt: skip


def _send(
    request: HttpRequest, one: Tracker | None, kind: str, token: str, way: str,
    fields: Sequence[tuple[str, str]],
) -> Tried:  # fmt: skip
    """Call the door as a developer's program does; the token is not in what is shown."""
    secret = one.signing_secret() if one is not None else None
    path, headers, body = f"/s2s/{kind}", {}, b""
    if way == "get":
        query = urlencode(fields)
        sig = f"&sig={signature_of(secret, query.encode())}" if secret else ""
        path += f"?{query}{sig}"
    else:
        text_ = json.dumps(dict(fields)) if way == "json" else urlencode(fields)
        body = text_.encode()
        headers["Content-Type"] = _TYPES[way]
        if secret:
            headers["X-Signature"] = signature_of(secret, body)
    method = "GET" if way == "get" else "POST"
    shown = Tried(method, f"{base_of(request)}{path}", body.decode())
    headers |= {"Authorization": f"Bearer {token}", "Accept": "application/json",
                "User-Agent": "pipshare console"}  # fmt: skip
    began = time.monotonic_ns()
    try:
        connection = _connection(request)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            told = answer.read(_MOST_ANSWER).decode("utf-8", "replace")
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Tried(shown.method, shown.url, shown.body, error=(
            f"this server does not reach {base_of(request)} ({error}). The door may be open to"
            " others nevertheless: send it from outside"
        ))  # fmt: skip
    ms = (time.monotonic_ns() - began) // 1_000_000
    return Tried(shown.method, shown.url, shown.body, answer.status, told, ms)


def _connection(request: HttpRequest) -> http.client.HTTPConnection:
    """Connect to the address that people type; without one, to the socket this request came by."""
    if settings.ENV.url:
        parts = urlsplit(settings.ENV.url)
        kind = (http.client.HTTPSConnection if parts.scheme == "https"
                else http.client.HTTPConnection)  # fmt: skip
        return kind(str(parts.hostname), parts.port, timeout=_TIMEOUT_S)
    port = int(request.META["SERVER_PORT"])
    return http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)


def _trackers(conn: Any, request: HttpRequest) -> list[Tracker]:
    if scope_of(conn, request.user) is not None:
        return []
    return [one for one in inbox.trackers(conn) if one.state == "active"]


def _chosen(every: Sequence[Tracker], code: str, kind: str) -> tuple[Tracker | None, str]:
    if kind and kind not in KINDS:
        raise Missing("no_event", f"There is no event {kind[:40]!r}.")
    one = next((each for each in every if each.code == code), every[0] if every else None)
    return one, kind or REGISTRATION


def _needed(kind: str) -> tuple[str, ...]:
    return _NEEDED.get(kind, ("txid", "amount", "currency") if kind in _MONEY else ())


def _log_of(answer: str) -> str:
    """Return the number under which the log has a postback, as the door answered it."""
    try:
        return str(json.loads(answer).get("id", ""))
    except (ValueError, AttributeError):
        return ""
