"""The public page to become a partner on: a form, agreements to accept, and what became of it."""

from __future__ import annotations

import time
from typing import Any

import psycopg
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render

from pipshare import market, partners
from pipshare.errors import Conflict, Missing
from pipshare.market import Entity
from pipshare.partners import Agreement
from pipshare.partners.applications import APPROVED, OPEN
from pipshare.period import from_ms
from pipshare.pipeline import onboarding
from pipshare.portal import shown
from pipshare.portal.forms import TRAP, AcceptForm, ApplyForm
from pipshare.web import anyone, reading, writing
from pipshare.web.errors import page
from pipshare.web.sender import sender_of

_METHODS = ("GET", "HEAD", "POST")
_ROBOT = (
    "This looks as if a program had filled it in: it came within two seconds, or had something in a"
    " field that nobody sees. If you are a person, look through it and send it once more."
)
_STALE = (
    "The agreement changed while you had this page open, or the page was open for more than a day."
    " Please read what is below, accept it, and send the form once more."
)
_MANY = (
    "Many applications came from your network within the hour. Yours was not taken: please send it"
    " again in an hour."
)
_UNKNOWN = "There is no application under this address. Check whether you have copied all of it."


@anyone
def apply(request: HttpRequest, entity: str = "") -> HttpResponse:
    """Show the form, or take an application in and lead to its page."""
    if request.method not in _METHODS:
        return HttpResponseNotAllowed(_METHODS)
    with reading() as conn:
        whose = _entity(market.entities(conn), entity)
        offered = _offered(conn, whose) if whose else []
        open_ = [] if whose else _open(conn)
    if whose is None:
        known = {"open": open_, "entity": None}
        return _kept(render(request, "portal/choose.html", known))
    if not offered:
        return _kept(render(request, "portal/closed.html", {"entity": whose}, status=404))
    form = ApplyForm(request.POST or None, entity=whose, agreements=offered,
                     initial={"parent": request.GET.get("partner", "")[:64],
                              "currency": whose.currency})  # fmt: skip
    if request.method == "POST" and form.is_valid():
        answer = _take(request, form, whose)
        if answer is not None:
            return answer
    return _form(request, form, whose, offered)


def _take(request: HttpRequest, form: ApplyForm, whose: Entity) -> HttpResponse | None:
    """Store an application; None, with why in the form, where it is not to be stored."""
    told = form.cleaned_data
    read = shown.opened(request.POST.get("shown", ""))
    if told[TRAP] or (read is not None and read.is_hasty):
        form.add_error(None, _ROBOT)
        return None
    address = sender_of(request)
    with writing() as conn:
        offered = _offered(conn, whose)
        if read is None or not read.is_of(offered):
            form.add_error(None, _STALE)
            return None
        if partners.is_too_many(conn, address):
            return _kept(page(request, 429, _MANY))
        who = form.applicant(address, request.headers.get("User-Agent", ""))
        try:
            one = onboarding.apply(conn, whose.id, who, offered, currency=told["currency"],
                                   parent=told["parent"], reference=read.number)  # fmt: skip
        except Conflict:  # the same form again: somebody pressed twice
            return redirect("portal:application", reference=read.number)
    return redirect("portal:application", reference=one.reference)


@anyone
def application(request: HttpRequest, reference: str) -> HttpResponse:
    """Show an applicant what became of his application, and let him accept what is new."""
    if request.method not in _METHODS:
        return HttpResponseNotAllowed(_METHODS)
    if request.method == "POST":
        return _accept(request, reference)
    with reading() as conn:
        return _application(request, conn, reference)


def _accept(request: HttpRequest, reference: str) -> HttpResponse:
    with writing() as conn:
        one = _known(conn, reference)
        waiting = _to_accept(conn, one)
        form = AcceptForm(request.POST, agreements=waiting)
        read = shown.opened(request.POST.get("shown", ""))
        if read is None or not read.is_of(waiting):
            return _application(request, conn, reference, stale=True)
        if not form.is_valid():
            return _application(request, conn, reference, form)
        for agreed in waiting:
            onboarding.accept(conn, one, agreed, form.cleaned_data["name"],
                              address=sender_of(request),
                              agent=request.headers.get("User-Agent", ""))  # fmt: skip
    return redirect("portal:application", reference=reference)


def _application(
    request: HttpRequest, conn: psycopg.Connection[Any], reference: str,
    form: AcceptForm | None = None, *, stale: bool = False,
) -> HttpResponse:  # fmt: skip
    one = _known(conn, reference)
    waiting = _to_accept(conn, one)
    accepted = partners.acceptances(conn, application_id=one.id, partner_id=one.partner_id)
    who = partners.person_of(conn, one.id)
    known: dict[str, Any] = {
        "one": one, "entity": market.entities(conn)[one.entity_id],
        "stale": _STALE if stale else "",
        "accepted": [{"one": each, "when": _when(each.at_ms)} for each in accepted],
        "steps": [{"state": step.state, "when": _when(step.at_ms)}
                  for step in partners.steps(conn, one.id)], "who": who,
        "partner": _code(conn, one.partner_id),
        "form": form or (AcceptForm(agreements=waiting, initial={"name": who.name if who else ""})
                         if waiting else None),
        "token": shown.seal(waiting),
    }  # fmt: skip
    response = _kept(render(request, "portal/application.html", known))
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"  # the address opens the page
    return response


def _form(
    request: HttpRequest, form: ApplyForm, whose: Entity, offered: list[Agreement]
) -> HttpResponse:
    known = {"form": form, "entity": whose, "token": shown.seal(offered), "trap": form[TRAP]}
    return _kept(render(request, "portal/apply.html", known))


def _entity(entities: dict[int, Entity], code: str) -> Entity | None:
    """Return whose page it is: the one named, the only one; None where one is to be chosen."""
    for one in entities.values():
        if one.code == code:
            return one
    if code:
        raise Missing("no_entity", "There is no such page: ask whoever sent you the address.")
    return next(iter(entities.values())) if len(entities) == 1 else None


def _open(conn: psycopg.Connection[Any]) -> list[Entity]:
    """Return the entities that take applications."""
    entities = sorted(market.entities(conn).values(), key=lambda one: one.id)
    return [one for one in entities if _offered(conn, one)]


def _offered(conn: psycopg.Connection[Any], whose: Entity) -> list[Agreement]:
    return partners.agreements_at(conn, whose.id, time.time_ns() // 1_000_000)


def _to_accept(conn: psycopg.Connection[Any], one: partners.Application) -> list[Agreement]:
    """Return what an applicant, or partner, has not accepted yet; who was refused is asked none."""
    if one.state not in (*OPEN, APPROVED):
        return []
    return onboarding.to_accept(conn, one, time.time_ns() // 1_000_000)


def _known(conn: psycopg.Connection[Any], reference: str) -> partners.Application:
    try:
        return partners.application_by_reference(conn, reference[:100].replace("\0", ""))
    except Missing:
        raise Missing("no_application", _UNKNOWN) from None


def _code(conn: psycopg.Connection[Any], partner_id: int | None) -> str:
    row = conn.execute("SELECT code FROM partners_partner WHERE id = %s", (partner_id,)).fetchone()
    return str(row[0]) if row else ""


def _when(utc_ms: int) -> str:
    return f"{from_ms(utc_ms):%d %B %Y, %H:%M} UTC"


def _kept(response: HttpResponse) -> HttpResponse:
    """Return a page that no browser and no proxy keeps."""
    response.headers["Cache-Control"] = "no-store, private"
    return response
