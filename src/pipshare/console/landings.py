"""Where links lead, which codes may be typed, and how clicks count: what tracking rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
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
    may,
    text,
    who,
)
from pipshare.console.partner import partner_of
from pipshare.console.scope import scope_of
from pipshare.errors import Missing
from pipshare.partners import Landing, Tracking
from pipshare.partners.landings import MACROS
from pipshare.partners.tracking import FIRST, LAST
from pipshare.web import reading, room, writing

_CRUMBS = (("Links", "console:links"), ("Landing pages and settings", "console:landings"))
_MOST = 300  # partners whose typed codes are listed


class LandingForm(Form):
    """A landing page that is allowed from now on."""

    FAULTS: ClassVar = {
        **dict.fromkeys(("bad_code", "landing_exists"), "code"),
        **dict.fromkeys(("too_long", "no_scheme", "bad_scheme", "bad_characters", "credentials",
                         "bad_host", "bad_port", "bad_path", "unknown_macro"), "url"),
    }  # fmt: skip
    entity = forms.ChoiceField(label="Entity")
    code = text("Code", help="How you call it, as open-account.")
    url = text(
        "Address", inputmode="url", placeholder="https://www.example.com/open-account",
        help="With https://. Deep links may go to this page and to all below it. Its query may have"
        " " + ", ".join(f"{{{name}}}" for name in MACROS) + ".",
    )  # fmt: skip
    is_default = forms.BooleanField(
        label="Links without a page of their own lead here", required=False
    )


class CodeForm(Form):
    """A code that stands for a partner when somebody types it."""

    FAULTS: ClassVar = {"no_partner": "partner", "ambiguous": "partner", "bad_code": "code",
              "code_taken": "code"}  # fmt: skip
    partner = text("Partner", help="His code. It may be typed itself, in any case of letters.")
    code = text("Code to type", help="Letters, digits, '-', '_' and '.', as SUMMER26. A code is"
                " never given to anybody else later.")  # fmt: skip


class TrackingForm(Form):
    """An entity's settings of tracking."""

    FAULTS: ClassVar = {
        "bad_model": "model", "bad_window": "window_days", "bad_param": "click_param",
        **dict.fromkeys(("bad_amount", "not_a_number", "too_large", "too_many_decimals"),
                        "qualified_amount"),
    }  # fmt: skip
    model = forms.ChoiceField(
        label="Which click counts", choices=[(LAST, "The last one before registration"),
                                             (FIRST, "The first one")],
        help_text="When a visitor followed the links of several partners.",
    )  # fmt: skip
    window_days = forms.IntegerField(
        label="Days within which it counts", min_value=0, max_value=3650,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text="Before the registration; 0: however long ago.",
    )  # fmt: skip
    visitor_cookie = forms.BooleanField(
        label="Know a visitor again by a cookie", required=False,
        help_text="Without it only the click that the registration names counts.",
    )  # fmt: skip
    click_param = text("Parameter of the click's id", help="Added to landing pages' addresses.")
    qualified_amount = text("A deposit qualifies from", required=False, inputmode="decimal",
                            help="All cleared deposits together; empty: any one.")  # fmt: skip
    qualified_currency = text("Currency of that amount", required=False, placeholder="USD")


@room("tracking.see")
def landings(request: HttpRequest) -> HttpResponse:
    """Show landing pages, typed codes and settings, entity by entity."""
    with reading() as conn:
        scope = scope_of(conn, request.user)
        entities = market.entities(conn)
        known = partners.all_partners(conn)
        names = {row["id"]: row["code"] for row in known.iter_rows(named=True)
                 if scope is None or row["id"] in scope}  # fmt: skip
        codes = partners.typed_codes(conn, list(names))
        parts = [
            {"entity": entity, "pages": partners.landings(conn, entity.id, archived=True),
             "tracking": partners.tracking_settings(conn, entity.id)}
            for entity in sorted(entities.values(), key=lambda one: one.id)
        ]  # fmt: skip
    typed = [(id_, names[id_], mine) for id_, mine in codes.items()]
    return render(request, "console/landings.html", {
        "may_change": may(request, "tracking.change"), "parts": parts, "many": len(parts) > 1,
        "typed": sorted(typed, key=lambda one: one[1])[:_MOST], "left_out": len(typed) > _MOST,
    })  # fmt: skip


@room("tracking.change", methods=("GET", "POST"))
def add_landing(request: HttpRequest) -> HttpResponse:
    """Allow a landing page."""
    with reading() as conn:
        entities = market.entities(conn)
    form = LandingForm(request.POST or None, initial={"entity": request.GET.get("entity", "")})
    entity_field(form, entities)

    def add(conn: psycopg.Connection[Any], told: dict[str, Any]) -> str:
        entity = chosen_entity(entities, told["entity"])
        one = partners.add_landing(conn, entity.id, told["code"].strip(), told["url"].strip(),
                                   is_default=told["is_default"], by=who(request))  # fmt: skip
        return f"Links may lead to {one.url} now."

    return _changed(request, form, add, "Allow a landing page", "Allow it")


@room("tracking.change", methods=("POST",))
def change_landing(request: HttpRequest, landing_id: int) -> HttpResponse:
    """Make a landing page the default one, or archive it: `what` says which."""
    with writing() as conn:
        one = _landing(conn, landing_id)
        if request.POST.get("what") == "default":
            partners.make_default(conn, one, by=who(request))
            told = f"Links without a page of their own lead to {one.code} now."
        else:
            partners.archive_landing(conn, one, by=who(request))
            told = f"{one.code} is archived: links that led there lead to the default page."
    messages.success(request, told)
    return redirect("console:landings")


@room("tracking.change", methods=("GET", "POST"))
def add_code(request: HttpRequest) -> HttpResponse:
    """Let a typed code stand for a partner."""
    form = CodeForm(request.POST or None, initial={"partner": request.GET.get("partner", "")})

    def add(conn: psycopg.Connection[Any], told: dict[str, Any]) -> str:
        one = partners.partner(conn, told["partner"].strip())
        scope = scope_of(conn, request.user)
        if scope is not None and one.id not in scope:
            raise Missing("no_partner", f"there is no partner {one.code!r}")
        partners.add_typed_code(conn, one, told["code"].strip(), by=who(request))
        return f"Who types {told['code'].strip()} at his registration becomes {one.code}'s client."

    return _changed(request, form, add, "New code to type", "Let it stand")


@room("tracking.change", methods=("POST",))
def archive_code(request: HttpRequest, partner_id: int) -> HttpResponse:
    """Let a typed code stand for nobody any more."""
    code = request.POST.get("code", "").replace("\0", "")[:100]
    with writing() as conn:
        one = partner_of(conn, partner_id, scope_of(conn, request.user))
        partners.archive_typed_code(conn, one, code, by=who(request))
    messages.success(request, f"{code} stands for nobody any more.")
    return redirect("console:landings")


@room("tracking.change", methods=("GET", "POST"))
def change_tracking(request: HttpRequest, entity: str) -> HttpResponse:
    """Change an entity's settings of tracking."""
    with reading() as conn:
        one = next((e for e in market.entities(conn).values() if e.code == entity), None)
        if one is None:
            raise Missing("no_entity", f"There is no entity {entity[:40]!r}.")
        now = partners.tracking_settings(conn, one.id)
    form = TrackingForm(request.POST or None, initial=asdict(now))

    def put(conn: psycopg.Connection[Any], told: dict[str, Any]) -> str:
        currency = told["qualified_currency"].strip().upper()
        partners.set_tracking(conn, one.id, Tracking(**{**told, "qualified_currency": currency}),
                              by=who(request))  # fmt: skip
        return "The settings hold from now on. What was decided before stays."

    return _changed(request, form, put, f"Tracking of {entity}", "Save")


def _changed(
    request: HttpRequest, form: Form, act: Callable[[Any, dict[str, Any]], str], title: str,
    action: str,
) -> HttpResponse:  # fmt: skip
    """Show a form, or do what it asks for and go back to the page with everything."""
    told: list[str] = []

    def acted() -> None:
        with writing() as conn:
            told.append(act(conn, form.cleaned_data))

    if request.method == "POST" and form.is_valid() and form.attempt(acted):
        messages.success(request, told[0])
        return redirect("console:landings")
    crumbs = [(label, reverse(name)) for label, name in _CRUMBS]
    return form_page(request, form, title=title, crumbs=crumbs, action=action, back=crumbs[-1][1])


def _landing(conn: psycopg.Connection[Any], landing_id: int) -> Landing:
    for entity in market.entities(conn):
        for one in partners.landings(conn, entity):
            if one.id == landing_id:
                return one
    raise Missing("no_landing", f"There is no landing page with the number {landing_id}.")
