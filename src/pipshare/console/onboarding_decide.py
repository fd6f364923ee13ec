"""Approve an applicant, with code, parent and terms; or reject him, with the reason."""

from __future__ import annotations

from typing import Any, ClassVar

import psycopg
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from pipshare import market, partners, plans
from pipshare.console.asked import Form, form_page, lines, text, who
from pipshare.console.onboarding import application_of
from pipshare.console.scope import scope_of
from pipshare.errors import Missing
from pipshare.partners import Application
from pipshare.pipeline import onboarding
from pipshare.pipeline.onboarding import Approval
from pipshare.web import reading, room, writing

_LATER = ("", "none yet: what he would earn waits")


class ApproveForm(Form):
    """What an applicant becomes."""

    FAULTS: ClassVar = {
        **dict.fromkeys(("bad_code", "code_taken", "reserved_code"), "code"),
        **dict.fromkeys(("unknown_parent", "own_parent"), "parent"), "bad_currency": "currency",
        "unknown_programme": "programme", "unknown_card": "tier",
    }  # fmt: skip
    code = text("Code", help="His for good. Clients type it; messages and files name him by it.")
    name = text("Name", required=False)
    parent = text("Partner above", required=False, help="His code; empty: nobody.")
    currency = text("Wallet", help="The currency he is paid in, for good.")
    programme = forms.ChoiceField(label="Programme", required=False)
    tier = text("Tier", required=False, help="His rate card in the programme; empty: standard.")
    reason = text("Remark", required=False, help="Kept with the decision; nobody outside is told.")

    def __init__(self, *args: Any, programmes: list[str], **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["programme"].choices = [_LATER, *((one, one) for one in programmes)]


class RejectForm(Form):
    """Why an applicant is rejected."""

    FAULTS: ClassVar = {"no_reason": "reason"}
    reason = lines("Reason", required=True, most=400, help="The applicant reads it on his page, and"
                   " your CRM is told: write it to him, and nothing that is nobody's"
                   " business.")  # fmt: skip


@room("onboarding.decide", methods=("GET", "POST"))
def approve(request: HttpRequest, number: int) -> HttpResponse:
    """Make an applicant a partner."""
    with reading() as conn:
        one = application_of(conn, number, scope_of(conn, request.user))
        entity = market.entities(conn)[one.entity_id].code
        programmes = [each.code for each in plans.programmes(conn) if each.entity == entity]
        form = ApproveForm(request.POST or None, programmes=programmes, initial=_begun(conn, one))
    made: list[partners.Partner] = []

    def act() -> None:
        told = {name: value.strip() for name, value in form.cleaned_data.items()}
        with writing() as conn:
            scope = scope_of(conn, request.user)
            now = application_of(conn, number, scope)
            if told["parent"] and scope is not None:
                above = partners.partner(conn, told["parent"], entity)
                if above.id not in scope:
                    raise Missing("unknown_parent", f"there is no partner {told['parent']!r}")
            what = Approval(
                told["code"], told["name"], told["currency"].upper(), told["parent"],
                told["programme"], told["tier"] or "standard", told["reason"],
            )  # fmt: skip
            made.append(onboarding.approve(conn, now, what, by=who(request)))

    here = reverse("console:application", args=[one.id])
    if request.method == "POST" and form.is_valid() and form.attempt(act):
        messages.success(request, f"He is partner {made[0].code} now.")
        return redirect("console:partner", partner_id=made[0].id)
    return form_page(request, form, title="Approve", action="Make him a partner", back=here,
                     crumbs=_crumbs(one),
                     lead="He appears in the tree at once, and your systems are told.")  # fmt: skip


@room("onboarding.decide", methods=("GET", "POST"))
def reject(request: HttpRequest, number: int) -> HttpResponse:
    """Reject an application."""
    with reading() as conn:
        one = application_of(conn, number, scope_of(conn, request.user))
    form = RejectForm(request.POST or None)

    def act() -> None:
        with writing() as conn:
            now = application_of(conn, number, scope_of(conn, request.user))
            onboarding.reject(conn, now, form.cleaned_data["reason"], by=who(request))

    here = reverse("console:application", args=[one.id])
    if request.method == "POST" and form.is_valid() and form.attempt(act):
        messages.success(request, "It is rejected. It can be taken up again.")
        return redirect(here)
    return form_page(request, form, title="Reject", action="Reject it", back=here, danger=True,
                     crumbs=_crumbs(one))  # fmt: skip


def _begun(conn: psycopg.Connection[Any], one: Application) -> dict[str, str]:
    person = partners.person_of(conn, one.id)
    name = (person.company or person.name) if person else ""
    return {"code": onboarding.free_code(conn, one.entity_id), "name": name,
            "parent": one.parent, "currency": one.currency, "tier": ""}  # fmt: skip


def _crumbs(one: Application) -> list[tuple[str, str]]:
    return [("Onboarding", reverse("console:onboarding")),
            (f"Application {one.id}", reverse("console:application", args=[one.id]))]  # fmt: skip
