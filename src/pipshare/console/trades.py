"""The room of trades: look for them, see how each stands and what it earned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from pipshare import market
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, closed, counted, number, wall, wallet
from pipshare.console.trade_search import TradeSearch, after_text, read_after
from pipshare.console.words import STANDING_TONES, STANDINGS, short
from pipshare.period import Clock
from pipshare.statements.found import Found
from pipshare.statements.search import Page, search
from pipshare.web import Cell, Column, Table, reading, room


@room("trades.see")
def trades(request: HttpRequest) -> HttpResponse:
    """List trades, the newest close first, or those that a search finds."""
    user: Any = request.user
    with reading() as conn:
        servers = market.servers(conn)
        entities = market.entities(conn)
        text = min(entities.values(), key=lambda one: one.id).clock if entities else "UTC"
        form = TradeSearch(request.GET, servers, Clock.parse(text))
        page = Page([], None)
        if form.is_valid():
            after = read_after(request.GET.get("after", ""))
            page = search(conn, form.asked(), after, scope=scope_of(conn, user))
    sees_money = user.may("earnings.see")
    return render(request, "console/trades.html", {
        "form": form, "is_narrow": form.is_narrow(), "has_servers": bool(servers),
        "table": trade_table(page.trades, sees_money) if page.trades else None,
        "said": counted(len(page.trades), "trade"),
        "first": _address(request, "") if request.GET.get("after") else "",
        "older": _address(request, after_text(page.after)) if page.after else "",
        "looked_to": f"{wall(page.looked_to_ms)} UTC" if page.looked_to_ms is not None else "",
    })  # fmt: skip


def trade_table(found: Sequence[Found], sees_money: bool, caption: str = "Trades") -> Table:
    """Show trades as a table; what they earned only to whom it is open."""
    columns = [Column("Closed", head=True), Column("Ticket"), Column("Trade"), Column("Stands"),
               *([Column("Earned", number=True)] if sees_money else [])]  # fmt: skip
    rows: list[Row] = []
    for one in found:
        url = reverse("console:trade", args=[one.server_id, one.ticket])
        side = "Buy" if one.side > 0 else "Sell"
        rows.append([
            closed(one.close_ms, one.close_utc_ms, one.server, url),
            Cell(str(one.ticket), url, note=f"login {one.login}"),
            Cell(f"{side} {number(one.lots_e8)} {one.symbol}",
                 note=f"revision {one.revision}" if one.revision > 1 else ""),
            standing(one),
            *([wallet(one.earned)] if sees_money else []),
        ])  # fmt: skip
    return Table(caption, columns, rows, hide_caption=True)


def standing(one: Found) -> Cell:
    """Show how a trade stands, with what it waits for."""
    tone = STANDING_TONES.get(one.standing, "plain")
    if not one.state:
        return Cell("Cancelled", tone="bad", note=STANDINGS[one.standing].lower())
    waits = ", ".join(short(reason) for reason in one.waits)
    return Cell(STANDINGS[one.standing], tone="warn" if waits else tone, note=waits)


def _address(request: HttpRequest, after: str) -> str:
    """Return this search's address for the page after a key."""
    query = request.GET.copy()
    query.pop("after", None)
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    if after:
        query["after"] = after
    return f"{reverse('console:trades')}?{query.urlencode()}"
