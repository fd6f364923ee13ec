"""One partner: where he stands, his terms, what he earned month by month, who is below him."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from pipshare import outbox, partners
from pipshare.console.asked import may
from pipshare.console.partner_tree import (
    STATUS_TONES,
    asked_period,
    grown_tree,
    months_of,
    number_in,
    shown,
)
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, at, breaking, count, counted, moment, wallet
from pipshare.console.words import mend, short
from pipshare.errors import Missing
from pipshare.pipeline.said.ibs import subject_of
from pipshare.statements.build import waiting_lines
from pipshare.statements.earnings import Money, earned
from pipshare.statements.partner import Profile, profile
from pipshare.web import Cell, Column, Stat, Table, reading, room

_MONTHS = 6
_AT_ONCE = 100


@room("partners.see")
def partner(request: HttpRequest, partner_id: int) -> HttpResponse:
    """Show a partner. ?period= chooses the month of the tree's figures."""
    with reading() as conn:
        scope = scope_of(conn, request.user)
        one = partner_of(conn, partner_id, scope)
        months = months_of(conn)
        period = asked_period(request, months)
        grown = grown_tree(conn, period, scope)
        path = grown.path(conn, partner_id)
        after = number_in(request.GET.get("after"))
        children, more = grown.children(conn, partner_id, after, _AT_ONCE)
        told = profile(conn, partner_id, one.own_client_id)
        by_month = [(month, earned(conn, month, [partner_id]).get(partner_id, {}))
                    for month in months.every[:_MONTHS]]  # fmt: skip
        waiting = waiting_lines(conn, partner_id)
        codes = partners.typed_codes(conn, [partner_id]).get(partner_id, [])
        application = partners.applications_of(conn, [partner_id]).get(partner_id)
        ids = outbox.externals(conn, [subject_of(application, one.code)])
    if not path:
        raise Missing("no_partner", f"There is no partner with the number {partner_id} yet.")
    me = path[-1]
    return render(request, "console/partner.html", {
        "one": one, "period": period, "months": months.every, "path": path[:-1],
        "status": me.status, "tone": STATUS_TONES.get(me.status, "good"),
        "stats": [
            Stat(f"Earned in {period}", breaking(wallet(me.own)),
                 url=reverse("console:statement", args=[partner_id, period])),
            Stat("With everybody below", breaking(wallet(me.subtree)),
                 f"{counted(me.below, 'partner')} below"),
            Stat("Clients", count(told.clients), "introduced directly, now"),
        ],
        "sees_tracking": may(request, "tracking.see"),
        "codes": codes, "ids": ids,
        "application": application if may(request, "onboarding.see") else None,
        "may_change": may(request, "tracking.change"),
        "by_month": _by_month(partner_id, by_month), "terms": _terms(told),
        "statuses": _statuses(told), "told": told, "go_live": moment(told.go_live),
        "rows": [shown(node, period) for node in children],
        "older": f"?period={period}&after={more}" if more else "",
        "waiting": [(short(reason), counted(lines, "line"), mend(reason))
                    for reason, lines in waiting.items()],
    })  # fmt: skip


def partner_of(
    conn: psycopg.Connection[Any], partner_id: int, scope: Sequence[int] | None
) -> partners.Partner:
    """Return a partner by his number. Raises Missing when there is none within `scope`."""
    row = conn.execute(
        "SELECT p.code, e.code FROM partners_partner p JOIN market_entity e ON e.id = p.entity_id"
        " WHERE p.id = %s", (min(partner_id, 2**31 - 1),),
    ).fetchone()  # fmt: skip
    if row is None or (scope is not None and partner_id not in scope):
        raise Missing("no_partner", f"There is no partner with the number {partner_id}.")
    return partners.partner(conn, row[0], row[1])


def _by_month(partner_id: int, months: Sequence[tuple[str, Money]]) -> Table:
    columns = [Column("Statement", head=True), Column("Earned", number=True)]
    rows: list[Row] = []
    for month, amounts in months:
        url = reverse("console:statement", args=[partner_id, month])
        rows.append([Cell(month, url), wallet(amounts)])
    return Table("Month by month", columns, rows)


def _terms(told: Profile) -> Table | None:
    if not told.terms:
        return None
    columns = [Column("Programme", head=True), Column("Card"), Column("Holds"), Column("Recorded")]
    rows: list[Row] = [
        [Cell(code or "earns nothing"), card if code else "–",
         Cell(_span(start, end), note="now" if holds else ""),
         at(told_at, " ".join(filter(None, (by, reason))))]
        for code, card, start, end, holds, told_at, by, reason in told.terms
    ]  # fmt: skip
    return Table("Terms, the newest record first", columns, rows)


def _statuses(told: Profile) -> Table | None:
    if not told.statuses:
        return None
    columns = [Column("Status", head=True), Column("From"), Column("Recorded")]
    rows: list[Row] = [
        [Cell(status.capitalize()), moment(start) if start else "always",
         at(told_at, " ".join(filter(None, (by, reason))))]
        for status, start, told_at, by, reason in told.statuses
    ]  # fmt: skip
    return Table("Statuses", columns, rows)


def _span(start: Any, end: Any) -> str:
    if not start and not end:
        return "always"
    return f"{moment(start) if start else 'always'} to {moment(end) if end else 'further on'}"
