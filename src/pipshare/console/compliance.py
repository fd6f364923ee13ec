"""Compliance: where clients stand with KYC, what is held for them, and whose documents end soon."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import psycopg
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from pipshare import audit, clients, market, plans
from pipshare.audit.propose import person
from pipshare.console.asked import may, who
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, at, count, counted, lasting, moment, wallet
from pipshare.errors import Missing
from pipshare.market import Entity
from pipshare.pipeline.compliance import Country, Held, countries_of, held_of
from pipshare.web import Cell, Column, Stat, Table, room, trying

AT_ONCE = 50
DAY_MS = 86_400_000
TONES = {"approved": "good", "unverified": "plain", "expired": "warn", "rejected": "bad",
         "withdrawn": "bad"}  # fmt: skip


@room("compliance.see")
def compliance(request: HttpRequest) -> HttpResponse:
    """Show what compliance has to look at: held amounts, documents that end, blocked countries."""
    now = time.time_ns() // 1_000_000
    with trying() as conn:
        entity, codes = chosen(conn, request)
        counts = clients.count_verified(conn, now, entity.id)
        held = held_of(conn, entity.id, plans.book(conn), entity.code)
        days = clients.expiry_days(conn, entity.id)
        soon = clients.expiring(conn, now, now + max(days, default=30) * DAY_MS,
                                entity_id=entity.id, limit=AT_ONCE + 1)  # fmt: skip
        found = countries_of(conn, entity.id, now)
        some = held[:AT_ONCE]
        whose = {one.client_id: one for one in clients.verified(
            conn, now, client_ids=[one.client_id for one in some], limit=AT_ONCE)}  # fmt: skip
        waiting = audit.pending(conn, "jurisdiction")
    mine = [one for one in waiting if one.payload["entity"] == entity.code]
    query = urlencode({"entity": entity.code})
    return render(request, "console/compliance.html", {
        "entity": entity, "entities": codes, "query": query,
        "stats": _stats(counts, held, found, query),
        "tables": [table for table in (_held(some, whose), _soon(soon[:AT_ONCE], now)) if table],
        "more_held": len(held) - len(some), "more_soon": len(soon) > AT_ONCE,
        "countries": _countries(found, may(request, "compliance.change")),
        "days": " and ".join(map(str, days)), "may_change": may(request, "compliance.change"),
        "waiting": [(one, person(one.proposed_by) != person(who(request)))
                    for one in mine],
        "is_quiet": not (some or soon or found or mine),
    })  # fmt: skip


@room("compliance.see")
def kyc_clients(request: HttpRequest) -> HttpResponse:
    """List clients by where they stand, or those that a search finds."""
    now = time.time_ns() // 1_000_000
    state = request.GET.get("state", "")
    search = request.GET.get("search", "").replace("\0", "").strip()[:100]
    after = request.GET.get("after", "").replace("\0", "")[:200]
    with trying() as conn:
        entity, codes = chosen(conn, request)
        found = clients.verified(
            conn, now, entity_id=entity.id, search=search, limit=AT_ONCE + 1,
            state=state if state in clients.KYC_STATES else None,
            after=(entity.code, after) if after else ("", ""),
        )  # fmt: skip
    columns = [Column("Client", head=True), Column("Stands"), Column("Since"), Column("Document"),
               Column("Ends")]  # fmt: skip
    rows: list[Row] = [
        [_client(one.code, entity.code), Cell(one.state, tone=TONES.get(one.state, "")),
         at(one.since_ms) if one.since_ms else "–", _document(one),
         at(one.expires_ms) if one.expires_ms else "–"]
        for one in found[:AT_ONCE]
    ]  # fmt: skip
    query = {"entity": entity.code, "state": state, "search": search}
    query = {name: value for name, value in query.items() if value}
    here = reverse("console:kyc_clients")
    return render(request, "console/kyc_clients.html", {
        "entity": entity, "entities": codes, "state": state, "search": search,
        "states": clients.KYC_STATES,
        "table": Table("Clients", columns, rows, hide_caption=True) if rows else None,
        "said": counted(len(rows), "client"),
        "first": f"{here}?{urlencode(query)}" if after else "",
        "older": f"{here}?{urlencode({**query, 'after': found[AT_ONCE - 1].code})}"
        if len(found) > AT_ONCE else "",
    })  # fmt: skip


def chosen(conn: psycopg.Connection[Any], request: HttpRequest) -> tuple[Entity, list[str]]:
    """Return the entity that a page is about (?entity=), and the codes of all of them.

    Raises Missing where there is none, and for people who are limited to some partners.
    """
    if scope_of(conn, request.user) is not None:
        raise Missing("no_page", "There is no such page.")
    known = sorted(market.entities(conn).values(), key=lambda one: one.id)
    if not known:
        raise Missing("no_entity", "Nothing is set up yet: load your trade servers first.")
    asked = request.GET.get("entity", known[0].code)
    found = next((one for one in known if one.code == asked), None)
    if found is None:
        raise Missing("no_entity", "There is no such entity.")
    return found, [one.code for one in known]


def _stats(
    counts: dict[str, int], held: Sequence[Held], found: Sequence[Country], query: str
) -> list[Stat]:
    here, total = reverse("console:kyc_clients"), dict[str, int]()
    for one in held:
        for currency, amount in one.amounts.items():
            total[currency] = total.get(currency, 0) + amount
    blocked = [one.country for one in found if one.now and one.now.blocked]
    not_now = counts["expired"] + counts["rejected"] + counts["withdrawn"]
    return [
        Stat("Approved", count(counts["approved"]), "clients",
             url=f"{here}?{query}&state=approved"),
        Stat("Never verified", count(counts["unverified"]), "clients",
             url=f"{here}?{query}&state=unverified"),
        Stat("Not any more", count(not_now), "expired, rejected or withdrawn",
             tone="warn" if not_now else ""),
        Stat("Held for KYC", wallet(total), f"for {counted(len(held), 'client')}"),
        Stat("Blocked", count(len(blocked)), " ".join(blocked) or "no country"),
    ]  # fmt: skip


def _held(some: Sequence[Held], whose: dict[int, clients.Verified]) -> Table | None:
    columns = [Column("Client", head=True), Column("Stands"), Column("Held", number=True),
               Column("Earned since"), Column("First forfeited")]  # fmt: skip
    rows: list[Row] = []
    for one in some:
        known = whose[one.client_id]
        rows.append([
            _client(known.code, known.entity), Cell(known.state, tone=TONES.get(known.state, "")),
            wallet(one.amounts), one.since.isoformat(),
            one.forfeits.isoformat() if one.forfeits else "never",
        ])  # fmt: skip
    return Table("Held until the client is approved", columns, rows) if rows else None


def _soon(soon: Sequence[clients.Verified], now_ms: int) -> Table | None:
    columns = [Column("Client", head=True), Column("Document"), Column("Ends"), Column("In")]
    rows: list[Row] = [
        [_client(one.code, one.entity), _document(one), at(one.expires_ms),
         lasting((one.expires_ms or now_ms) - now_ms)]
        for one in soon
    ]  # fmt: skip
    return Table("Documents that end soon", columns, rows) if rows else None


def _countries(found: Sequence[Country], may_change: bool) -> Table | None:
    columns = [Column("Country", head=True), Column("State"), Column("Since"), Column("Counts"),
               Column("Clients", number=True), Column("Why"),
               *([Column("Change")] if may_change else [])]  # fmt: skip
    rows: list[Row] = []
    for one in found:
        now, is_blocked = one.now, bool(one.now and one.now.blocked)
        later = "; ".join(f"{'blocked' if each.blocked else 'open'} from {moment(each.from_ms)}"
                          for each in one.later)  # fmt: skip
        first = one.before[0] if one.before else now
        widened = "; ".join(
            f"{each.counts} until {moment(until.from_ms)}"
            for each, until in zip(one.before, (*one.before[1:], now), strict=False)
            if until
        )
        rows.append([
            Cell(one.country, reverse("console:country", args=[one.country])),
            Cell("Blocked" if is_blocked else "Open", tone="bad" if is_blocked else "plain",
                 note=later),
            at(first.from_ms) if first else "–",
            Cell(now.counts, note=widened) if now and now.blocked else "–",
            count(len(one.client_ids)),
            Cell(now.reason, note=now.recorded_by) if now else "–",
            *([Cell("Unblock" if is_blocked else "Block", reverse(
                "console:unblock_country" if is_blocked else "console:block_country_again",
                args=[one.country]))] if may_change else []),
        ])  # fmt: skip
    return Table("Blocked countries, now or before", columns, rows) if rows else None


def _client(code: str, entity: str) -> Cell:
    query = urlencode({"client": code, "entity": entity})
    return Cell(code, f"{reverse('console:client_why')}?{query}")


def _document(one: clients.Verified) -> Cell | str:
    words = " of ".join(word for word in (one.document, one.country) if word)
    return Cell(words or "–", note=f"{one.event} by {one.source}" if one.event else "")
