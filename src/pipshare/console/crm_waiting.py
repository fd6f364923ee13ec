"""What waits for somebody who is not known yet: events, items of payloads; and how to mend it."""

from __future__ import annotations

from typing import Any, ClassVar

import polars as pl
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from pipshare import clients, db, inbox, market
from pipshare.console.asked import (
    Form,
    chosen_entity,
    entity_field,
    form_page,
    may,
    text,
    who,
)
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, at
from pipshare.errors import BadInput
from pipshare.facts.reading import LoadReport, schema
from pipshare.pipeline.work import CHANNEL
from pipshare.web import Cell, Column, Table, reading, room, writing

_MOST = 500
_MEND = {
    "unknown_client": "No registration of his came. Send it, or make the client known here.",
    "unknown_account": "Nobody has said whose account it is. Send the account's opening, or say it"
    " here.",
    "unknown_reference": "What it takes back has not come, or came under another id or source. It"
    " is settled when the original comes; compare the ids in the mapping.",
    "other_client": "What it names is another client's. Send it again with the right client or id"
    " and a higher version.",
    "other_currency": "What it names is in another currency. Send it again in that one, or without"
    " an amount for all of it, with a higher version.",
    "other_kind": "It cannot take back what it names, such as a chargeback of a withdrawal. Send it"
    " again with the right id or kind and a higher version.",
    "unknown_partner": "No partner has this code. Add the partner, or let the code stand for one"
    " (Links, typed codes).",
    "second_person": "Two people decide whose he is: somebody else than who proposed it approves it"
    " in the room Proposals.",
}
_ROOMS = {"unknown_partner": "console:partners", "second_person": "console:proposals"}


class ClientForm(Form):
    """A client who is made known."""

    FAULTS: ClassVar = {"no_entity": "entity", "bad_country": "country"}
    entity = forms.ChoiceField(label="Entity")
    client = text("Client's code", help="As the events name him, letter by letter.")
    country = text("Country", required=False, maxlength=2,
                   help="Two letters, as CY. Empty: not known.")  # fmt: skip


class AccountForm(Form):
    """An account whose owner is said."""

    FAULTS: ClassVar = {"unknown_server": "server", "unknown_client": "client",
                        "other_owner": "client", "bad_login": "login"}  # fmt: skip
    server = text("Server")
    login = forms.IntegerField(label="Login", min_value=1)
    client = text("Client's code", help="Whose account it is; he has to be known.")


@room("waiting.see")
def crm_waiting(request: HttpRequest) -> HttpResponse:
    """List what waits, the longest waiting first, with what would end each wait."""
    with reading() as conn:
        whole = scope_of(conn, request.user) is None
        events = clients.waiting_events(conn, _MOST + 1) if whole else []
        items = inbox.waiting_items(conn, _MOST + 1) if whole else []
    may_mend = may(request, "waiting.mend")
    rows = [_event(one, may_mend) for one in events[:_MOST]]
    rows += [_item(one, may_mend) for one in items[:_MOST]]
    columns = [Column("Since", head=True), Column("What"), Column("Waits for"), Column("Mend it")]
    return render(request, "console/crm_waiting.html", {
        "table": Table("What waits", columns, rows, hide_caption=True) if rows else None,
        "more": max(len(events), len(items)) > _MOST, "most": _MOST, "may_mend": may_mend,
    })  # fmt: skip


def _event(one: tuple[Any, ...], may_mend: bool) -> Row:
    reason, key, source, event, kind, client, since = one[:7]
    return [at(since), Cell(kind.replace("_", " "), note=f"{event} of {source}"),
            Cell(f"{reason.replace('_', ' ')} {key}", note=f"client {client}" if client else ""),
            _mend(reason, key, may_mend)]  # fmt: skip


def _item(one: inbox.WaitingShown, may_mend: bool) -> Row:
    return [
        at(one.since_ms),
        Cell(one.kind or "item", reverse("console:crm_payload", args=[one.payload_id]),
             note=f"item {one.item} by endpoint {one.endpoint}"),
        f"{one.reason.replace('_', ' ')} {one.key}", _mend(one.reason, one.key, may_mend),
    ]  # fmt: skip


def _mend(reason: str, key: str, may_mend: bool) -> Cell:
    url = ""
    if may_mend and reason == "unknown_client":
        url = f"{reverse('console:add_client')}?{urlencode({'client': key})}"
    elif may_mend and reason == "unknown_account":
        server, _, login = key.rpartition(" ")
        url = f"{reverse('console:add_account')}?{urlencode({'server': server, 'login': login})}"
    elif reason in _ROOMS:
        url = reverse(_ROOMS[reason])
    return Cell(_MEND.get(reason, ""), url)


@room("waiting.mend", methods=("GET", "POST"))
def add_client(request: HttpRequest) -> HttpResponse:
    """Make a client known whom events name."""
    with reading() as conn:
        entities = market.entities(conn)
    form = ClientForm(request.POST or None, initial={"client": request.GET.get("client", "")[:100]})
    entity_field(form, entities)

    def act() -> None:
        told = form.cleaned_data
        row = {"client": told["client"].strip(), "country": told["country"].strip() or None,
               "entity": chosen_entity(entities, told["entity"]).code, "line": 1}  # fmt: skip
        with writing() as conn:
            _checked(clients.load_clients(conn, _frame("clients", row), by=who(request)))
            db.wake(conn, CHANNEL)

    if request.method == "POST" and form.is_valid() and form.attempt(act):
        messages.success(request, f"Client {form.cleaned_data['client'].strip()} is known: what"
                                  " waited for him is settled in a moment.")  # fmt: skip
        return redirect("console:crm_waiting")
    here = reverse("console:crm_waiting")
    return form_page(request, form, title="Make a client known", action="Make him known", back=here,
                     crumbs=[("Waiting", here)])  # fmt: skip


@room("waiting.mend", methods=("GET", "POST"))
def add_account(request: HttpRequest) -> HttpResponse:
    """Say whose account it is that events name."""
    given = {name: request.GET.get(name, "")[:100] for name in ("server", "login")}
    form = AccountForm(request.POST or None, initial=given)

    def act() -> None:
        told = form.cleaned_data
        row = {"server": told["server"].strip(), "login": told["login"],
               "client": told["client"].strip(), "line": 1}  # fmt: skip
        with writing() as conn:
            _checked(clients.load_accounts(conn, _frame("accounts", row), by=who(request)))
            db.wake(conn, CHANNEL)

    if request.method == "POST" and form.is_valid() and form.attempt(act):
        messages.success(request, "The account is known: what waited for it is settled in a"
                                  " moment.")  # fmt: skip
        return redirect("console:crm_waiting")
    here = reverse("console:crm_waiting")
    return form_page(request, form, title="Whose account it is", action="Say so", back=here,
                     crumbs=[("Waiting", here)])  # fmt: skip


def _frame(kind: str, row: dict[str, Any]) -> pl.DataFrame:
    types = schema(kind)
    return pl.DataFrame([{name: row.get(name) for name in types}], schema=types)


def _checked(report: LoadReport) -> None:
    """Raise BadInput for what a load refused of its one row."""
    for one in report.refused:
        raise BadInput(one.code, one.reason.removeprefix("line 1, "))
