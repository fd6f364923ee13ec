"""The room of partners: the tree with what each earned, himself and with everybody below him."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import psycopg
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from pipshare import market
from pipshare.console.kept import kept
from pipshare.console.scope import scope_of
from pipshare.console.shown import count, wallet
from pipshare.errors import Missing
from pipshare.period import Clock, broker_days, day_to_date
from pipshare.statements.earnings import Node, Tree, find_partners
from pipshare.statements.sums import periods
from pipshare.web import reading, room

_AT_ONCE = 100
_PERIOD = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
STATUS_TONES = {"suspended": "warn", "terminated": "bad"}


@room("partners.see")
def tree(request: HttpRequest) -> HttpResponse:
    """Show the roots of the tree, or the partners that a search finds, with their earnings."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:100]
    with reading() as conn:
        months = months_of(conn)
        period = asked_period(request, months)
        scope = scope_of(conn, request.user)
        grown = grown_tree(conn, period, scope)
        if text:
            ids = find_partners(conn, text, scope)
            found = [(node, grown.path(conn, node.id)[:-1]) for node in grown.nodes(conn, ids)]
            more = None
        else:
            roots, more = grown.children(conn, None, number_in(request.GET.get("after")), _AT_ONCE)
            found = [(node, []) for node in roots]
        total = grown.total()
    return render(request, "console/partners.html", {
        "rows": [shown(node, period, above) for node, above in found],
        "period": period, "months": months.every, "q": text, "count": count(len(grown)),
        "has_partners": len(grown) > 0, "total": wallet(total),
        "older": _more(request, more) if more else "",
    })  # fmt: skip


@room("partners.see")
def below(request: HttpRequest, partner_id: int) -> HttpResponse:
    """Return the partners directly below one, to be put under him in the tree."""
    with reading() as conn:
        period = asked_period(request, months_of(conn))
        grown = grown_tree(conn, period, scope_of(conn, request.user))
        if partner_id not in grown:
            raise Missing("no_partner", f"There is no partner with the number {partner_id}.")
        after = number_in(request.GET.get("after"))
        nodes, more = grown.children(conn, partner_id, after, _AT_ONCE)
    return render(request, "console/parts/nodes.html", {
        "rows": [shown(node, period) for node in nodes],
        "more": _below_url(partner_id, period, more) if more else "",
    })  # fmt: skip


def shown(node: Node, period: str, above: Sequence[Node] = ()) -> dict[str, Any]:
    """Return a partner as a row of the tree."""
    return {
        "node": node,
        "url": f"{reverse('console:partner', args=[node.id])}?{urlencode({'period': period})}",
        "statement": reverse("console:statement", args=[node.id, period]),
        "own": wallet(node.own),
        "subtree": wallet(node.subtree),
        "below": count(node.below),
        "below_url": _below_url(node.id, period, None) if node.children else "",
        "tone": STATUS_TONES.get(node.status, ""),
        "path": " › ".join(one.code for one in above),
    }


def grown_tree(conn: psycopg.Connection[Any], period: str, scope: list[int] | None) -> Tree:
    """Return the tree with its sums, at most a few seconds old: opening it asks many times."""
    return kept(conn, f"tree {period} {scope}", lambda: Tree(conn, period, scope)).value


class Months(NamedTuple):
    """The periods to choose from, newest first, and the one that a page opens with."""

    every: list[str]
    first: str


def months_of(conn: psycopg.Connection[Any]) -> Months:
    """Return the periods with bookings and the running one; a page opens with the newest booked."""
    entities = market.entities(conn)
    text = min(entities.values(), key=lambda one: one.id).clock if entities else "UTC"
    now_ms = np.array([time.time_ns() // 1_000_000], np.int64)
    today = day_to_date(int(broker_days(now_ms, Clock.parse(text))[0]))
    booked = periods(conn)
    running = f"{today:%Y-%m}"
    return Months(sorted({running, *booked}, reverse=True), booked[0] if booked else running)


def asked_period(request: HttpRequest, months: Months) -> str:
    """Return the period asked for, else the one that a page opens with."""
    asked = request.GET.get("period", "")
    return asked if _PERIOD.fullmatch(asked) else months.first


def _below_url(partner_id: int, period: str, after: int | None) -> str:
    query = {"period": period} | ({"after": str(after)} if after else {})
    return f"{reverse('console:below', args=[partner_id])}?{urlencode(query)}"


def _more(request: HttpRequest, after: int) -> str:
    query = request.GET.copy()
    query["after"] = str(after)
    return f"{reverse('console:partners')}?{query.urlencode()}"


def number_in(text: str | None) -> int | None:
    """Read an id of an address; anything else is none."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else None
