"""Trackers: who may post back to us; made with a token that is shown once, and revoked."""

from __future__ import annotations

from typing import ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pipshare import inbox, market
from pipshare.console.asked import (
    Form,
    chosen_entity,
    entity_field,
    form_page,
    may,
    text,
    who,
    words,
)
from pipshare.console.links import base_of
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row
from pipshare.inbox import MONEY_KINDS
from pipshare.tracking.postbacks_url import url_of
from pipshare.web import Cell, Column, Table, reading, room, writing


class TrackerForm(Form):
    """A new tracker."""

    FAULTS: ClassVar = {
        "bad_code": "code", "tracker_exists": "code", "bad_network": "networks",
        "bad_money": "money", "reversal_alone": "money", "no_entity": "entity",
    }  # fmt: skip
    entity = forms.ChoiceField(label="Entity")
    code = text("Code", help="How you call who posts back, as site or crm. Small letters.")
    networks = text("Only from", required=False, placeholder="203.0.113.0/24",
                    help="Addresses or networks. Empty: from anywhere, by its token.")  # fmt: skip
    is_signed = forms.BooleanField(
        label="It signs what it sends", required=False,
        help_text="HMAC-SHA256 with a secret, shown once beside the token.",
    )  # fmt: skip
    money = forms.MultipleChoiceField(
        label="What it says of these is booked", required=False,
        choices=[(kind, kind) for kind in MONEY_KINDS], widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: it only says whose client somebody is. Choose what no other source"
        " tells you, or it counts twice.",
    )  # fmt: skip


class RevokeForm(Form):
    """Why a tracker is revoked."""

    reason = text("Why", required=False)


@room("tracking.see")
def trackers(request: HttpRequest) -> HttpResponse:
    """List who may post back."""
    may_change = may(request, "trackers.change")
    with reading() as conn:
        found = inbox.trackers(conn) if scope_of(conn, request.user) is None else []
    columns = [Column("Tracker", head=True), Column("Entity"), Column("Books"), Column("From"),
               Column("Signed"), Column("State"),
               *([Column("Change")] if may_change else [])]  # fmt: skip
    rows: list[Row] = []
    for one in found:
        log = reverse("console:postbacks")
        is_active = one.state == "active"
        rows.append([
            Cell(one.code, f"{log}?tracker={one.code}"), one.entity,
            ", ".join(one.money) or "nothing, it only attributes",
            ", ".join(one.networks) or "anywhere", "yes" if one.secret else "no",
            Cell("In use", tone="good") if is_active else Cell("Revoked", tone="plain"),
            *([Cell("Revoke" if is_active else "",
                    reverse("console:revoke_tracker", args=[one.code]) if is_active else "")]
              if may_change else []),
        ])  # fmt: skip
    return render(request, "console/trackers.html", {
        "table": Table("Trackers", columns, rows, hide_caption=True) if rows else None,
        "may_change": may_change,
    })  # fmt: skip


@room("trackers.change", methods=("GET", "POST"))
def add_tracker(request: HttpRequest) -> HttpResponse:
    """Make a tracker and show its token, this once."""
    with reading() as conn:
        entities = market.entities(conn)
    form = TrackerForm(request.POST or None)
    entity_field(form, entities)
    shown: list[str] = []

    def add() -> None:
        told = form.cleaned_data
        with writing() as conn:
            shown.extend(inbox.add_tracker(
                conn, chosen_entity(entities, told["entity"]).id, told["code"].strip(),
                networks=words(told["networks"]), money=told["money"],
                is_signed=told["is_signed"], by=who(request),
            ))  # fmt: skip

    if request.method == "POST" and form.is_valid() and form.attempt(add):
        token, secret = shown
        return render(request, "console/token.html", {
            "code": form.cleaned_data["code"].strip(), "token": token, "secret": secret,
            "url": url_of(base_of(request), "registration", token, is_signed=bool(secret)),
        })  # fmt: skip
    here = reverse("console:trackers")
    return form_page(
        request, form, title="New tracker", action="Make it", back=here,
        crumbs=[("Postbacks", reverse("console:postbacks")), ("Trackers", here)],
        lead="A site, CRM or tracker that tells us of registrations, deposits and trades.",
    )  # fmt: skip


@room("trackers.change", methods=("GET", "POST"))
def revoke_tracker(request: HttpRequest, code: str) -> HttpResponse:
    """Refuse a tracker's token from now on."""
    with reading() as conn:
        one = inbox.tracker(conn, code.replace("\0", ""))
    form = RevokeForm(request.POST or None)
    here = reverse("console:trackers")

    def revoke() -> None:
        with writing() as conn:
            inbox.revoke_tracker(conn, one.code, by=who(request),
                                 reason=form.cleaned_data["reason"])  # fmt: skip

    if request.method == "POST" and form.is_valid() and form.attempt(revoke):
        messages.success(request, f"{one.code} is revoked: what it sends is refused.")
        return redirect(here)
    return form_page(
        request, form, title=f"Revoke {one.code}", action="Revoke it", back=here, danger=True,
        crumbs=[("Postbacks", reverse("console:postbacks")), ("Trackers", here)],
        lead="Its token is refused from now on, for good. What it said before stays.",
    )  # fmt: skip
