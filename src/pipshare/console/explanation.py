"""The explanation of a trade: why each partner earned what he did, step by step, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, money, number, wall
from pipshare.console.trade import lines_table, server_of, ticket_of
from pipshare.console.windows import parts_shown
from pipshare.console.words import NOBODY_EARNS, mend
from pipshare.console.worked import work_out
from pipshare.errors import BadInput, Missing
from pipshare.pipeline.explain import Explanation, explain, held_of
from pipshare.pipeline.explained.words import held_words
from pipshare.pipeline.explained.worked import MOST_OF_A_PAGE
from pipshare.rating.twin_values import TwinLine
from pipshare.statements.trade import booked_lines, is_within
from pipshare.web import Cell, Column, Table, room, trying


@room("explanations.see")
def explanation(request: HttpRequest, server_id: int, ticket: str) -> HttpResponse:
    """Explain a trade, as it now stands or as a revision said (?revision=)."""
    number_ = ticket_of(ticket)
    revision = _revision(request.GET.get("revision", ""))
    with trying() as conn:
        scope = scope_of(conn, request.user)
        server = server_of(conn, server_id)
        if not is_within(conn, server_id, number_, scope):
            raise Missing("no_trade", f"There is no trade {ticket} on {server.code}.")
        told = work_out(conn, lambda run: explain(
            run, run.servers[server_id], number_, revision, most=MOST_OF_A_PAGE
        ))  # fmt: skip
        lines = booked_lines(conn, server_id, number_, scope)
    return render(request, "console/explanation.html", _page(told, server_id, lines, scope))


def _page(
    told: Explanation, server_id: int, lines: Sequence[dict[str, Any]], scope: list[int] | None
) -> dict[str, Any]:
    trade, who = told.trade, told.who
    names = {level["id"]: (level["partner"], level["name"]) for level in who["chain"]}
    worked = told.result.lines if told.result else ()
    return {
        "told": told, "trade": trade, "server_id": server_id, "who": who,
        "side": "Buy" if trade["side"] > 0 else "Sell",
        "lots": number(trade["lots_e8"]), "close_price": number(trade["close_price_e8"], 0),
        "open_price": number(trade["open_price_e8"], 0) if trade["opening"] else "unknown",
        "closed": wall(trade["close_ms"]), "closed_utc": wall(trade["close_utc"]),
        "legs": _legs(told) if told.legs else None,
        "nobody": NOBODY_EARNS.get(told.status, ""),
        "wait": mend(who["why"]) if told.status == "unknown" else None,
        "working": told.result.working if told.result else (),
        "reason": told.result.reason.sentence if told.result and told.result.reason else "",
        "chain": _chain(who, scope), "is_whole": scope is None,
        "lines": [_line(told, line, names) for line in worked
                  if scope is None or line.partner_id in scope],
        "parts": parts_shown(told.parts, scope),
        "booked": lines_table(lines) if lines else None,
        "newest": told.revisions[-1]["revision"],
    }  # fmt: skip


def _legs(told: Explanation) -> Table:
    columns = [Column("Deal", head=True), Column("Server time"), Column("Lots", number=True),
               Column("Price", number=True), Column("Commission", number=True),
               Column("Fee", number=True)]  # fmt: skip
    rows: list[Row] = [
        [str(leg.deal), wall(leg.time_ms), number(leg.lots_e8), number(leg.price_e8, 0),
         number(leg.commission_e8), number(leg.fee_e8)]
        for leg in told.legs
    ]  # fmt: skip
    return Table("The deals that opened it", columns, rows)


def _chain(who: dict[str, Any], scope: list[int] | None) -> Table | None:
    """Show who stands above whom, and which record says so."""
    if not who["chain"]:
        return None
    columns = [Column("Partner", head=True), Column("Level", number=True), Column("Because of"),
               Column("Since"), Column("Recorded")]  # fmt: skip
    rows: list[Row] = []
    record = who["relation"]
    for level in who["chain"]:
        what = "the client's relation" if level["level"] == 1 else "the place in the tree"
        always = record["valid_from"] == "-infinity"
        url = reverse("console:partner", args=[level["id"]])
        said = " ".join(filter(None, (record["recorded_by"], record["reason"])))
        row: Row = [
            Cell(level["partner"], url, note=level["name"]),
            str(level["level"]), f"{what}, record {record['record']}",
            "always" if always else f"{record['valid_from'][:16]} UTC",
            Cell(f"{record['recorded_at'][:16]} UTC", note=said, title="in UTC"),
        ]  # fmt: skip
        if scope is None or level["id"] in scope:
            rows.append(row)
        record = level["parent"]
    when = "the close"
    if who["chain_moment"] == "open":
        when = f"the opening, {wall(who['chain_ms'])} UTC"
    return Table(f"The chain of partners at {when}", columns, rows)


def _line(told: Explanation, line: TwinLine, names: dict[int, tuple[str, str]]) -> dict[str, Any]:
    client = (told.who["client"] or "", "the client")
    partner, name = names.get(line.partner_id, client)
    waits = line.wait is not None
    return {
        "partner": partner, "name": name, "id": line.partner_id, "level": line.level,
        "component": line.component, "held": held_words(held_of(told, line)),
        "amount": "waits" if waits else money(line.amount_e8, line.wallet),
        "wait": mend(line.wait.word) if line.wait is not None else None,
        "steps": line.working,
        "zero": "" if waits or line.amount_e8 else line.reason.sentence,
    }  # fmt: skip


def _revision(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise BadInput("no_revision", f"{text[:20]!r} is not a revision: give a number, 1 or more.")
    return int(text)
