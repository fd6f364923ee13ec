"""Onboarding: who applied to become a partner, what screening found, what was decided."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import psycopg
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from pipshare import market, outbox, partners
from pipshare.console.asked import may, who
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, ago, count, counted, moment
from pipshare.errors import BadInput, Missing
from pipshare.partners import Application
from pipshare.partners.applications import APPLY, OPEN, REJECTED, SCREENING, STATES, WITHDRAWN
from pipshare.pipeline import onboarding
from pipshare.pipeline.said.ibs import subject_of
from pipshare.web import Cell, Column, Table, reading, room, writing

TONES = {"applied": "warn", "screening": "warn", "approved": "good", "rejected": "bad",
         "withdrawn": "plain"}  # fmt: skip
_AT_ONCE = 50
_WAYS = {"page": "on his page", "paper": "elsewhere", "crm": "in the CRM"}


@room("onboarding.see")
def applications(request: HttpRequest) -> HttpResponse:
    """List applications, newest first, by state; search in names, addresses and codes."""
    now_ms = time.time_ns() // 1_000_000
    state = request.GET.get("state", "open")
    text = request.GET.get("q", "").replace("\0", "").strip()[:100]
    before = request.GET.get("before", "")
    states: Sequence[str] | None = OPEN if state == "open" else [state] if state in STATES else None
    with reading() as conn:
        parents = parents_of(conn, scope_of(conn, request.user))
        found = partners.applications(
            conn, states=states, text=text, parents=parents, limit=_AT_ONCE + 1,
            before=int(before) if before.isdecimal() and len(before) < 10 else None,
        )  # fmt: skip
        counts = partners.count_applications(conn, parents)
        people = partners.people_of(conn, [one.id for one in found])
        has_agreement = any(partners.agreements(conn, key) for key in market.entities(conn))
    shown = found[:_AT_ONCE]
    columns = [Column("Applicant", head=True), Column("Country"), Column("Brought by"),
               Column("Came by"), Column("State"), Column("When")]  # fmt: skip
    rows: list[Row] = []
    for one in shown:
        person = people.get(one.id)
        name = person.name if person else f"Application {one.id}"
        rows.append([
            Cell(name, reverse("console:application", args=[one.id]),
                 note=person.company if person else "erased"),
            person.country if person else "", one.parent or "–", came_by(one),
            Cell(one.state.capitalize(), tone=TONES[one.state], note=one.reason),
            Cell(ago(one.at_ms, now_ms), title=moment(one.at_ms)),
        ])  # fmt: skip
    tabs = [("open", "To decide", sum(counts.get(one, 0) for one in OPEN)),
            *((one, one.capitalize(), counts.get(one, 0)) for one in STATES if one not in OPEN),
            ("all", "All", sum(counts.values()))]  # fmt: skip
    asked = {"state": state, **({"q": text} if text else {})}
    return render(request, "console/onboarding.html", {
        "table": Table("Applications", columns, rows, hide_caption=True) if rows else None,
        "tabs": tabs, "state": state, "q": text, "is_first": not counts,
        "said": counted(len(shown), "application"),
        "first": f"?{urlencode(asked)}" if before else "",
        "older": (f"?{urlencode({**asked, 'before': shown[-1].id})}"
                  if len(found) > _AT_ONCE else ""),
        "has_agreement": has_agreement, "page": request.build_absolute_uri(reverse("portal:apply")),
        "may_change": may(request, "onboarding.change"),
    })  # fmt: skip


@room("onboarding.see")
def application(request: HttpRequest, number: int) -> HttpResponse:
    """Show an application: who, what was accepted, what else is like it, notes, the CRM's ids."""
    with reading() as conn:
        one = application_of(conn, number, scope_of(conn, request.user))
        agreed = partners.acceptances(conn, application_id=one.id, partner_id=one.partner_id)
        waiting = onboarding.to_accept(conn, one, time.time_ns() // 1_000_000)
        like = partners.alike(conn, one.id)
        subject = subject_of(one.id)
        known = {
            "one": one, "person": partners.person_of(conn, one.id),
            "entity": market.entities(conn)[one.entity_id].code,
            "notes": [(moment(note.at_ms), note.by, note.note)
                      for note in partners.notes(conn, one.id)],
            "steps": [(step.state.capitalize(), TONES[step.state], moment(step.at_ms), step.by,
                       step.reason) for step in partners.steps(conn, one.id)],
            "like": [(other, ", ".join(same)) for other, same in like],
            "ids": outbox.externals(conn, [subject]),
            "parent": _known_partner(conn, one),
        }  # fmt: skip
        told = outbox.deliveries(conn, subject=subject, limit=20)
        partner_code = _code(conn, one.partner_id)
    return render(request, "console/application.html", {
        **known, "tone": TONES[one.state], "came_by": came_by(one), "at": moment(one.at_ms),
        "partner_code": partner_code, "accepted": _accepted(agreed), "waiting": waiting,
        "receivers": _receivers(told),
        "page": request.build_absolute_uri(reverse("portal:application", args=[one.reference])),
        "may_decide": may(request, "onboarding.decide"),
        "may_change": may(request, "onboarding.change"),
        "is_open": one.state in OPEN, "is_over": one.state in (REJECTED, WITHDRAWN),
        "may_screen": one.state not in (SCREENING, "approved"),
    })  # fmt: skip


@room("onboarding.decide", methods=("POST",))
def add_note(request: HttpRequest, number: int) -> HttpResponse:
    """Write down what was found out; whoever begins to look takes it into screening."""
    with writing() as conn:
        one = application_of(conn, number, scope_of(conn, request.user))
        if request.POST.get("what") == "note":
            partners.add_note(conn, one.id, request.POST.get("note", ""), by=who(request))
        elif request.POST.get("what") in (SCREENING, WITHDRAWN):
            partners.add_step(conn, one, request.POST["what"], by=who(request))
        else:
            raise BadInput("no_act", "this is nothing that can be done to an application")
    return redirect("console:application", number=one.id)


@room("onboarding.change", methods=("POST",))
def erase(request: HttpRequest, number: int) -> HttpResponse:
    """Erase the person of an application."""
    with writing() as conn:
        one = application_of(conn, number, scope_of(conn, request.user))
        onboarding.erase(conn, one, by=who(request), reason=request.POST.get("reason", "")[:400])
    messages.success(
        request, "The person is erased. What was decided and accepted, and when, stays."
    )
    return redirect("console:application", number=one.id)


def application_of(
    conn: psycopg.Connection[Any], number: int, scope: Sequence[int] | None
) -> Application:
    """Return an application by its number. Raises Missing when there is none within `scope`."""
    one = partners.application(conn, min(number, 2**31 - 1))
    parents = parents_of(conn, scope)
    if parents is not None and one.parent not in parents:
        raise Missing("no_application", f"there is no application {number}")
    return one


def parents_of(conn: psycopg.Connection[Any], scope: Sequence[int] | None) -> list[str] | None:
    """Return the codes of the partners in a scope, None for all: who brought an applicant."""
    if scope is None:
        return None
    everyone = partners.all_partners(conn)
    mine = set(scope)
    return [row["code"] for row in everyone.iter_rows(named=True) if row["id"] in mine]


def came_by(one: Application) -> str:
    """Say by which way an application came."""
    if one.source == APPLY:
        return "the public page"
    return f"{one.source}: {one.external}" if one.external else one.source


def _accepted(agreed: Sequence[partners.Acceptance]) -> Table | None:
    if not agreed:
        return None
    columns = [Column("Agreement", head=True), Column("When"), Column("Who"), Column("From"),
               Column("SHA-256 of the text")]  # fmt: skip
    rows: list[Row] = [
        [Cell(f"{each.title}, version {each.version}",
              reverse("console:agreement", args=[each.agreement_id])),
         Cell(moment(each.at_ms), note=_WAYS[each.way] + (f", by {each.by}" if each.by else "")),
         each.name or "erased", each.address or "–",
         Cell(f"{each.digest[:16]}…", title=each.digest)]
        for each in agreed
    ]  # fmt: skip
    return Table("Accepted", columns, rows)


def _receivers(told: Sequence[outbox.Delivery]) -> Table | None:
    if not told:
        return None
    columns = [Column("Said", head=True), Column("Event"), Column("To"), Column("State"),
               Column("Attempts", number=True)]  # fmt: skip
    words = {"due": ("Waiting", "warn"), "behind": ("Behind", "plain"),
             "delivered": ("Delivered", "good"), "dead": ("Dead letter", "bad"),
             "cancelled": ("Cancelled", "plain")}  # fmt: skip
    rows: list[Row] = [
        [moment(one.said_ms), one.type, one.receiver,
         Cell(words[one.state][0], tone=words[one.state][1], note=one.reason),
         count(one.attempts)] for one in told
    ]  # fmt: skip
    return Table("What the outside was told", columns, rows)


def _known_partner(conn: psycopg.Connection[Any], one: Application) -> int | None:
    return partners.by_typed_code(conn, one.entity_id, [one.parent]).get(one.parent)


def _code(conn: psycopg.Connection[Any], partner_id: int | None) -> str:
    row = conn.execute("SELECT code FROM partners_partner WHERE id = %s", (partner_id,)).fetchone()
    return str(row[0]) if row else ""
