"""Agreements with partners: versions, their texts, and who accepted which."""

from __future__ import annotations

import time
from datetime import UTC
from typing import Any, ClassVar

import psycopg
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pipshare import market, partners
from pipshare.console.asked import (
    Form,
    chosen_entity,
    entity_field,
    form_page,
    lines,
    may,
    text,
    who,
)
from pipshare.console.shown import Row, count, moment
from pipshare.errors import Missing
from pipshare.partners import Agreement
from pipshare.partners.agreements import MOST_TEXT
from pipshare.period import to_ms
from pipshare.pipeline import onboarding
from pipshare.web import Cell, Column, Table, reading, room, writing

_WAYS = {"page": "on the page", "paper": "elsewhere", "crm": "in the CRM"}


class AgreementForm(Form):
    """A version to publish."""

    FAULTS: ClassVar = {"bad_code": "code", "bad_title": "title", "bad_text": "text",
                        "same_agreement": "text", "bad_moment": "valid_from",
                        "no_entity": "entity"}  # fmt: skip
    entity = forms.ChoiceField(label="Entity")
    code = text("Code", help="As partner or privacy. A code that there is gets its next version.")
    title = text("Title", help="As applicants read it.")
    text = lines("Text", required=True, rows=16, most=MOST_TEXT,
                 help="Plain text. It cannot be changed once it is published.")  # fmt: skip
    valid_from = forms.DateTimeField(
        label="Valid from", required=False, help_text="UTC, as 2026-12-01 00:00; empty: at once.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "2026-12-01 00:00"}),
    )  # fmt: skip


@room("onboarding.see")
def agreements(request: HttpRequest) -> HttpResponse:
    """List every version of every agreement."""
    now_ms = time.time_ns() // 1_000_000
    columns = [Column("Agreement", head=True), Column("Version", number=True),
               Column("Valid from"), Column("State"), Column("Accepted", number=True),
               Column("Published by")]  # fmt: skip
    rows: list[Row] = []
    with reading() as conn:
        entities = sorted(market.entities(conn).values(), key=lambda one: one.id)
        for entity in entities:
            current = {one.id for one in partners.agreements_at(conn, entity.id, now_ms)}
            for one in partners.agreements(conn, entity.id):
                word, tone = _state(one, one.id in current, now_ms)
                many = len(partners.acceptances(conn, agreement_id=one.id, limit=10_000))
                rows.append([
                    Cell(one.title, reverse("console:agreement", args=[one.id]),
                         note=f"{one.code}, {entity.code}" if len(entities) > 1 else one.code),
                    str(one.version), moment(one.valid_from_ms), Cell(word, tone=tone),
                    count(many), one.by,
                ])  # fmt: skip
    return render(request, "console/agreements.html", {
        "table": Table("Agreements", columns, rows, hide_caption=True) if rows else None,
        "may_change": may(request, "onboarding.change"),
    })  # fmt: skip


@room("onboarding.see")
def agreement(request: HttpRequest, agreement_id: int) -> HttpResponse:
    """Show a version with its text, and who accepted it."""
    with reading() as conn:
        one = _of(conn, agreement_id)
        found = partners.acceptances(conn, agreement_id=one.id)
    columns = [Column("When", head=True), Column("Who"), Column("From"), Column("How")]
    rows: list[Row] = [
        [Cell(moment(each.at_ms), reverse("console:application", args=[each.application_id])
              if each.application_id else ""), each.name or "erased", each.address or "–",
         _WAYS[each.way] + (f", by {each.by}" if each.by else "")] for each in found
    ]  # fmt: skip
    return render(request, "console/agreement.html", {
        "one": one, "from": moment(one.valid_from_ms),
        "table": Table("Accepted by, newest first", columns, rows) if rows else None,
        "may_change": may(request, "onboarding.change"),
    })  # fmt: skip


@room("onboarding.change", methods=("GET", "POST"))
def publish(request: HttpRequest) -> HttpResponse:
    """Publish a version; ?of=ID begins with the text of one that there is."""
    before = request.GET.get("of", "")
    begun: dict[str, str] = {}
    with reading() as conn:
        entities = market.entities(conn)
        if before.isdecimal() and len(before) < 10:
            one = _of(conn, int(before))
            begun = {"code": one.code, "title": one.title, "text": one.text,
                     "entity": entities[one.entity_id].code}  # fmt: skip
    form = AgreementForm(request.POST or None, initial=begun)
    entity_field(form, entities)
    made: list[Agreement] = []

    def act() -> None:
        told = form.cleaned_data
        at = told["valid_from"]
        at_ms = to_ms(at.replace(tzinfo=UTC)) if at else time.time_ns() // 1_000_000
        with writing() as conn:
            made.append(onboarding.publish(
                conn, chosen_entity(entities, told["entity"]).id, told["code"].strip(),
                told["title"], told["text"], valid_from_ms=at_ms, by=who(request),
            ))  # fmt: skip

    back = reverse("console:agreements")
    if request.method == "POST" and form.is_valid() and form.attempt(act):
        one = made[0]
        messages.success(request, f"Version {one.version} of {one.code} is published.")
        return redirect("console:agreement", agreement_id=one.id)
    return form_page(request, form, title="Publish an agreement", action="Publish it", back=back,
                     crumbs=[("Onboarding", reverse("console:onboarding")), ("Agreements", back)],
                     lead="Applicants accept all agreements of the entity that are valid; partners"
                     " find a new version on their own page.")  # fmt: skip


def _state(one: Agreement, is_current: bool, now_ms: int) -> tuple[str, str]:
    if one.valid_from_ms > now_ms:
        return "To come", "warn"
    return ("In force", "good") if is_current else ("Replaced", "plain")


def _of(conn: psycopg.Connection[Any], agreement_id: int) -> Agreement:
    for entity_id in market.entities(conn):
        for one in partners.agreements(conn, entity_id):
            if one.id == agreement_id:
                return one
    raise Missing("no_agreement", f"There is no agreement with the number {agreement_id}.")
