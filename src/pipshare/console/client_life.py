"""A client's life line: clicks, registration, KYC, money, trades, reversals, and what each paid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from pipshare import attribution, market
from pipshare.console.asked import may, sentence
from pipshare.console.scope import scope_of
from pipshare.console.shown import counted, moment, money
from pipshare.errors import BadInput, Missing
from pipshare.pipeline.explained.life_line import (
    CLICK,
    MOST_TRADES,
    TRADES,
    Earned,
    LifeLine,
    Moment,
    life_line,
)
from pipshare.web import Cell, Column, Table, room, trying

_GOOD = {"deposit", "kyc_approved", "chargeback_won", "qualified"}
_SHOWN_TRADES = 20  # of a day


@dataclass(frozen=True)
class Shown:
    """A moment as the page has it."""

    at: str
    name: str
    title: str
    tone: str
    amount: str
    facts: list[tuple[str, str, str]]  # what, text, link
    earned: list[tuple[str, str, str]]  # payee and component, amount, state and why
    trades: list[tuple[str, str]] = field(default_factory=list)
    more_trades: str = ""


@room("clients.see")
def client_life(request: HttpRequest) -> HttpResponse:
    """Show the life line of ?client=; without one, ask for his code."""
    code = request.GET.get("client", "").replace("\0", "").strip()[:100]
    entity = request.GET.get("entity", "").replace("\0", "")[:100] or None
    told, wrong = None, ""
    with trying() as conn:  # reading events puts together temporary tables
        codes = sorted(one.code for one in market.entities(conn).values())
        if code:
            scope = scope_of(conn, request.user)
            try:
                told = life_line(conn, code, entity, scope)
            except (Missing, BadInput) as error:
                wrong = sentence(error).replace("the --entity", "the entity")
            if scope is not None and not (told and _is_within(conn, told, scope)):
                told, wrong = None, f"There is no client {code!r}."  # nor a hint at others' clients
    known: dict[str, Any] = {"code": code, "wrong": wrong, "entities": codes, "entity": entity}
    if told is None:
        return render(request, "console/client_life.html", known, status=404 if wrong else 200)
    links = may(request, "crm.see")
    asked = urlencode({"client": told.client, "entity": told.entity})
    why = f"{reverse('console:client_why')}?{asked}"
    return render(request, "console/client_life.html", {
        **known, "told": told, "entity": told.entity, "why": why,
        "moments": [_shown(one, links) for one in told.moments], "sums": _sums(told),
        "loose": [_line(line) for line in told.loose],
        "most": MOST_TRADES,
    })  # fmt: skip


def _is_within(conn: Any, told: LifeLine, scope: Any) -> bool:
    chain = attribution.why_client(conn, told.client_id)["chain"]
    return bool(chain) and chain[0]["id"] in scope


def _shown(one: Moment, links: bool) -> Shown:
    facts: list[tuple[str, str, str]] = []
    if one.event:
        what = "Click" if one.name == CLICK else "Event"
        facts.append((what, f"{one.event} of {one.source}" if one.source else one.event, ""))
    if one.reference:
        facts.append(("Takes back" if one.is_negative else "About", one.reference, ""))
    if one.detail:
        facts.append(("Details", one.detail, ""))
    if one.waits:
        facts.append(("Waits for", one.waits, ""))
    if one.payload:
        url = reverse("console:crm_payload", args=[one.payload]) if links else ""
        facts.append(("Came by", f"endpoint {one.endpoint}", url))
    trades = [
        (f"{trade['server']} {trade['ticket']}: {trade['symbol']}"
         + ("" if trade["state"] else ", reversed"),
         reverse("console:trade", args=[trade["server_id"], trade["ticket"]]))
        for trade in one.trades[:_SHOWN_TRADES]
    ]  # fmt: skip
    left = len(one.trades) - len(trades)
    return Shown(
        moment(one.at_ms)[:10] if one.name == TRADES else moment(one.at_ms),
        one.name.replace("_", " "), one.title, _tone(one), one.amount, facts,
        [_line(line) for line in one.earned], trades,
        f"and {counted(left, 'more trade')}" if left > 0 else "",
    )  # fmt: skip


def _tone(one: Moment) -> str:
    if one.waits:
        return "warn"
    if not one.counts:
        return "plain"  # money that another source told: green would say that it is more
    if one.is_negative:
        return "bad"
    return "good" if one.name in _GOOD else "plain"


def _line(one: Earned) -> tuple[str, str, str]:
    state = one.state.replace("_", " ")
    return (f"{one.payee}, {one.component}", money(one.amount_e8, one.currency),
            f"{state}: {one.why}" if one.why else state)  # fmt: skip


def _sums(told: LifeLine) -> Table | None:
    """Return what each payee was booked along this life, by state."""
    sums: dict[tuple[str, str], dict[str, int]] = {}
    every = [line for one in told.moments for line in one.earned] + told.loose
    for line in every:
        mine = sums.setdefault((line.payee, line.state), {})
        mine[line.currency] = mine.get(line.currency, 0) + line.amount_e8
    if not sums:
        return None
    columns = [Column("Payee", head=True), Column("State"), Column("Booked", number=True)]
    rows: list[list[Cell | str]] = [
        [
            payee,
            state.replace("_", " "),
            "\n".join(money(amount, currency) for currency, amount in sorted(amounts.items())),
        ]
        for (payee, state), amounts in sorted(sums.items())
    ]
    return Table("What it paid so far", columns, rows)
