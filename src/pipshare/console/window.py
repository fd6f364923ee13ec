"""The explanation of a window: all that a partner's period of a component came to, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from pipshare.console.partner import partner_of
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, moment, money
from pipshare.console.windows import booked_table
from pipshare.console.words import mend, short
from pipshare.console.worked import work_out
from pipshare.partners import Partner
from pipshare.pipeline.explained.of_window import explain_window_at
from pipshare.pipeline.explained.sums import Payee, Window
from pipshare.pipeline.explained.words import held_words
from pipshare.pipeline.explained.worked import MOST_OF_A_PAGE, Earned
from pipshare.web import Cell, Column, Table, room, trying

SHOWN = 200  # lines of a window that are on the page; the command line has all


@room("explanations.see")
def window(request: HttpRequest, partner_id: int, component: int, start_ms: int) -> HttpResponse:
    """Explain what a partner was paid by a component in the window that holds a moment (UTC ms)."""
    with trying() as conn:
        scope = scope_of(conn, request.user)
        one = partner_of(conn, partner_id, scope)
        payee = Payee("partner", partner_id, one.code)
        found = work_out(conn, lambda run: explain_window_at(
            run, component, payee, one.entity_id, start_ms, most=MOST_OF_A_PAGE
        ))  # fmt: skip
    return render(request, "console/window.html", _page(one, found, is_whole=scope is None))


def _page(one: Partner, found: Sequence[Window], *, is_whole: bool) -> dict[str, Any]:
    first = found[0]
    return {
        "one": one, "component": first.component, "programme": first.programme,
        "period": first.period, "month": f"{moment(first.end_ms - 1)[:7]}",
        "windows": [_window(window, is_whole=is_whole) for window in found],
    }  # fmt: skip


def _window(window: Window, *, is_whole: bool) -> dict[str, Any]:
    lines = window.lines[:SHOWN]
    return {
        "window": window, "count": len(window.lines), "left_out": len(window.lines) - len(lines),
        "lines": _lines(lines, is_whole=is_whole) if lines else None,
        "amount": money(window.payable_e8, window.currency) if not window.trades else "",
        "stands": money(window.booked_e8, window.currency),
        "netted": ", ".join(window.netted_with),
        "working": window.working if len(window.working) > 1 else (),
        "booked": booked_table(window.booked, is_whole=is_whole) if window.booked else None,
    }  # fmt: skip


def _lines(lines: Sequence[Earned], *, is_whole: bool) -> Table:
    columns = [Column("Earned by", head=True), Column("Level", number=True), Column("The working"),
               Column("Amount", number=True)]  # fmt: skip
    rows: list[Row] = []
    for one in lines:
        line = one.line
        steps = {step.label: step.text for step in line.working}
        why = steps.get("in words") or "; ".join(f"{x.label} {x.text}" for x in line.working)
        waits = line.wait is not None
        note = held_words(one.held_by)
        if not waits and not line.amount_e8:
            note = line.reason.sentence
        rows.append([
            _by(one, is_whole=is_whole), str(line.level),
            Cell(why or "–", note=f"{mend(line.wait.word).what}" if line.wait is not None else ""),
            Cell("waits" if waits else money(line.amount_e8, line.wallet),
                 tone="warn" if waits else "",
                 note=short(line.wait.word) if line.wait is not None else note),
        ])  # fmt: skip
    return Table("Line by line", columns, rows)


def _by(one: Earned, *, is_whole: bool) -> Cell:
    """Say what a line is earned by; clients are named to whom nobody is hidden."""
    note = f"client {one.client}" if is_whole and one.client else ""
    when = f"{moment(one.moment_ms)}"
    if one.ticket:
        url = reverse("console:explanation", args=[one.server, one.ticket])
        return Cell(f"trade {one.ticket}", url, note=f"{one.on}, {when}")
    if one.event:
        return Cell(f"event {one.event}" if is_whole else "an event", note=note or when)
    return Cell("the sum of the period", note=note)
