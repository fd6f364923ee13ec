"""Countries by whose clients nobody earns: block, unblock, approve; what it costs; warnings."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import numpy as np
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from pipshare import audit, clients
from pipshare.console.asked import Form, form_page, lines, may, sentence, text, who, words
from pipshare.console.compliance import chosen
from pipshare.console.shown import Row, at, counted, wallet
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.facts.jurisdictions import Counts
from pipshare.market import Entity
from pipshare.period import Clock, to_ms
from pipshare.pipeline import Run
from pipshare.pipeline.compliance import Cost, cost_of, countries_of
from pipshare.web import Cell, Column, Table, reading, room, trying, writing

MOST = 5_000  # trades of which a page works out what they would have paid
KIND = "jurisdiction"
_COUNTS: tuple[tuple[Counts, str], ...] = (
    ("either", "Either of the two"),
    ("residence", "Where he lives"),
    ("document", "Of his document"),
)


class CountryForm(Form):
    """A country to block."""

    FAULTS: ClassVar = {"bad_country": "country", "no_change": "country", "bad_from": "since",
                        "proposed_already": "country", "no_reason": "reason"}  # fmt: skip
    country = text("Country", help="Two letters, as IR.", placeholder="IR")
    counts = forms.ChoiceField(label="Which of a client's countries", choices=_COUNTS)
    since = forms.DateField(
        label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The start of this day of the broker's. Empty: from now on, at once. A day of the"
        " past takes back what was booked, and needs a second person.",
    )  # fmt: skip
    reason = lines("Why", required=True, help="Explanations show it.")


class OpenForm(Form):
    """A country to unblock."""

    FAULTS: ClassVar = {"no_change": "since", "proposed_already": "since",
                        "no_reason": "reason"}  # fmt: skip
    since = forms.DateField(
        label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The start of this day of the broker's. Empty: from now on. The day on which it"
        " was blocked undoes the block.",
    )  # fmt: skip
    reason = lines("Why", required=True, help="Explanations show it.")


class WarningsForm(Form):
    """So many days before a document ends."""

    FAULTS: ClassVar = {"bad_days": "days"}
    days = text("Days before", required=False, placeholder="30 7",
                help="One or several, as 30 7. Empty: nothing is said.")  # fmt: skip


@room("compliance.see")
def country(request: HttpRequest, code: str) -> HttpResponse:
    """Show what was said of a country, whom it concerns, and what it costs partners."""
    now = time.time_ns() // 1_000_000
    with trying() as conn:
        entity, codes = chosen(conn, request)
        found = next((one for one in countries_of(conn, entity.id, now)
                      if one.country == code), None)  # fmt: skip
        if found is None:
            raise Missing("no_country", f"Nothing was ever said of {code[:2]!r}.")
        cost = cost_of(Run(conn), entity.id, found, MOST)
        said = clients.jurisdictions(conn)[entity.id].records
    columns = [Column("From", head=True), Column("State"), Column("Counts"), Column("Why"),
               Column("Said")]  # fmt: skip
    rows: list[Row] = [
        [at(one.from_ms), Cell("Blocked" if one.blocked else "Open",
                               tone="bad" if one.blocked else "plain"),
         one.counts, one.reason, at(one.recorded_ms, note=one.recorded_by)]
        for one in reversed(said) if one.country == code
    ]  # fmt: skip
    return render(request, "console/country.html", {
        "code": code, "entity": entity, "entities": codes, "one": found,
        "is_blocked": bool(found.now and found.now.blocked), "cost": _words(cost),
        "who": counted(len(found.client_ids), "client"),
        "table": Table("What was said, the newest first", columns, rows),
        "may_change": may(request, "compliance.change"),
    })  # fmt: skip


@room("compliance.change", methods=("GET", "POST"))
def block_country(request: HttpRequest, code: str = "") -> HttpResponse:
    """Let nobody earn by a country's clients."""
    return _say(request, CountryForm(request.POST or None, initial={"country": code}), "", True)


@room("compliance.change", methods=("GET", "POST"))
def unblock_country(request: HttpRequest, code: str) -> HttpResponse:
    """Propose that partners earn by a country's clients again."""
    return _say(request, OpenForm(request.POST or None), code, False)


@room("compliance.change", methods=("POST",))
def decide_country(request: HttpRequest, number: int) -> HttpResponse:
    """Approve or reject what somebody else proposed of a country."""
    with reading() as conn:
        entity, _ = chosen(conn, request)
    if request.POST.get("what") not in ("approve", "reject"):
        messages.error(request, "Nothing was decided: press Approve or Reject.")
        return redirect(_home(entity))
    try:
        with writing() as conn:
            if audit.proposal(conn, number).kind != KIND:
                raise Missing("no_proposal", "There is no such proposal.")
            if request.POST.get("what") == "approve":
                audit.approve(conn, number, who(request), {KIND: clients.apply_jurisdiction})
            else:
                audit.reject(conn, number, who(request))
    except (BadInput, Conflict) as error:
        messages.error(request, sentence(error))
    else:
        done = "is in force" if request.POST.get("what") == "approve" else "is not done"
        messages.success(request, f"Proposal {number} {done}.")
    return redirect(_home(entity))


@room("compliance.change", methods=("GET", "POST"))
def change_warnings(request: HttpRequest) -> HttpResponse:
    """Set so many days before a document's end it is said."""
    with reading() as conn:
        entity, _ = chosen(conn, request)
        now = clients.expiry_days(conn, entity.id)
    form = WarningsForm(request.POST or None, initial={"days": " ".join(map(str, now))})

    def change() -> None:
        told = words(form.cleaned_data["days"])
        if not all(one.isdecimal() and len(one) < 4 for one in told):
            raise BadInput("bad_days", "write whole numbers of days, as 30 7")
        with writing() as conn:
            clients.set_expiry_days(conn, entity.id, [int(one) for one in told], by=who(request))

    if request.method == "POST" and form.is_valid() and form.attempt(change):
        messages.success(request, "From now on it is said so.")
        return redirect(_home(entity))
    return form_page(
        request, form, title="Warnings before documents end", action="Set them", back=_home(entity),
        crumbs=[("Compliance", _home(entity))],
        lead="An alert here, and the message kyc.expiring to the broker's own webhooks, once for"
        " each number of days.",
    )  # fmt: skip


def _say(request: HttpRequest, form: Form, code: str, blocked: bool) -> HttpResponse:
    with reading() as conn:
        entity, _ = chosen(conn, request)
    made: list[int | None] = []

    def say() -> None:
        told = form.cleaned_data
        with writing() as conn:
            made.append(clients.say_jurisdiction(
                conn, entity.code, told.get("country", code), blocked=blocked, by=who(request),
                reason=told["reason"], counts=told.get("counts", "either"),
                from_ms_=_start(told["since"], entity),
            ))  # fmt: skip

    if request.method == "POST" and form.is_valid() and form.attempt(say):
        if made[0] is None:
            messages.success(request, "Nobody earns by its clients from now on.")
        else:
            messages.success(request, f"Proposal {made[0]}: a second person has to approve it.")
        return redirect(_home(entity))
    lead = (
        "From then on nobody earns by its clients: neither their partners nor those above, nor the"
        " clients themselves by rebates." if blocked else
        "Partners earn by its clients again, once a second person has approved."
    )  # fmt: skip
    return form_page(
        request, form, title="Block a country" if blocked else f"Unblock {code}",
        action="Block it" if blocked else "Propose it", back=_home(entity), danger=blocked,
        crumbs=[("Compliance", _home(entity))], lead=lead,
    )  # fmt: skip


def _start(day: datetime | None, entity: Entity) -> int | None:
    """Return the start of a broker's day in UTC ms; None = now."""
    if day is None:
        return None
    wall = to_ms(datetime(day.year, day.month, day.day, tzinfo=UTC))
    start = int(Clock.parse(entity.clock).to_utc(np.array([wall], np.int64))[0])
    most = to_ms(datetime.now(UTC) + timedelta(days=366))
    if start > most:
        raise BadInput("bad_from", "more than a year from now: choose an earlier day")
    return start


def _home(entity: Entity) -> str:
    return f"{reverse('console:compliance')}?{urlencode({'entity': entity.code})}"


def _words(cost: Cost) -> str:
    """Say what blocked trades would have paid."""
    if not cost.trades:
        return "no trade so far"
    told = f"{counted(cost.trades, 'trade')} paid nobody"
    if cost.amounts is None:
        return f"{told}: more than a page works out (pipshare kyc blocked --cost)"
    return f"{told}; else {wallet(cost.amounts).replace(chr(10), ', ')}"
