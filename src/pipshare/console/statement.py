"""The statement of a partner and month: opening, booked, closing, and every line with its trade."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse

from pipshare.console.partner import partner_of
from pipshare.console.partner_tree import months_of
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, closed, count, counted, harmless, money, number, wall
from pipshare.console.words import mend, short, told
from pipshare.money import format_e8
from pipshare.partners import Partner
from pipshare.payouts import Payment, payments
from pipshare.rating import Reason
from pipshare.statements import Frozen, frozen
from pipshare.statements.build import Balance, balances, waiting_lines
from pipshare.statements.lines import Line, Place, Sum, all_lines, by_component, lines
from pipshare.statements.windows import WindowLine, window_lines
from pipshare.web import Cell, Column, Table, reading, room

_SMALL = 200_000  # entries up to which sums are worked out without being asked for
_ENTRIES = "SELECT reltuples::bigint FROM pg_class WHERE oid = 'rating_entry'::regclass"
_PLACE = re.compile(r"\d{1,19}(_-?\d{1,19}){5}")
_HEADER = (
    "server", "ticket", "login", "symbol", "lots", "closed", "closed_utc", "earned_day",
    "programme", "component", "level", "kind", "amount", "currency", "state", "reason", "transfer",
)  # fmt: skip


@room("statements.see")
def statement(request: HttpRequest, partner_id: int, period: str) -> HttpResponse:
    """Show a statement. Lines come in pages, the last booked first."""
    with reading() as conn:
        one = partner_of(conn, partner_id, scope_of(conn, request.user))
        wallets = balances(conn, partner_id, period)
        page, more = lines(conn, partner_id, period, _place(request.GET.get("after", "")))
        row = conn.execute(_ENTRIES).fetchone()
        sums = None
        if "sums" in request.GET or (row and row[0] <= _SMALL):
            sums = by_component(conn, partner_id, period)
        windows = window_lines(conn, partner_id, period)
        waiting = waiting_lines(conn, partner_id)
        closings = [row for row in frozen(conn, one.entity_id, period)
                    if row.payee[:2] == ("partner", partner_id)]  # fmt: skip
        paid = [row for row in payments(conn, partner_id) if f"{row.paid_on:%Y-%m}" == period]
        months = months_of(conn).every
    here = reverse("console:statement", args=[partner_id, period])
    shown = _balances(wallets)
    return render(request, "console/statement.html", {
        "one": one, "period": period, "months": months, "here": here,
        "balances": shown if shown.rows else None,
        "closings": _closings(closings) if closings else None,
        "payments": _payments(paid) if paid else None,
        "lines": _lines(page) if page else None, "said": counted(len(page), "line"),
        "first": here if request.GET.get("after") else "",
        "older": f"{here}?after={'_'.join(map(str, more))}" if more else "",
        "windows": _windows(partner_id, windows) if windows else None,
        "sums": _sums(sums) if sums else None, "may_sum": sums is None and bool(page),
        "waiting": [(short(reason), counted(found, "line"), mend(reason))
                    for reason, found in waiting.items()],
        "csv": reverse("console:lines_csv", args=[partner_id, period]),
    })  # fmt: skip


@room("statements.see")
def lines_csv(request: HttpRequest, partner_id: int, period: str) -> StreamingHttpResponse:
    """Return all lines of a statement as CSV, as they are read; texts cannot become formulas."""
    with reading() as conn:
        one = partner_of(conn, partner_id, scope_of(conn, request.user))
        balances(conn, partner_id, period)  # refuses what is no period
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", f"{one.code}-{period}")
    return StreamingHttpResponse(
        _csv(one, period),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _csv(one: Partner, period: str) -> Iterator[bytes]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_HEADER)
    with reading() as conn:
        for place, line in enumerate(all_lines(conn, one.id, period)):
            writer.writerow([harmless(value) for value in _cells(line)])
            if place % 500 == 499:
                yield out.getvalue().encode()
                out.seek(0)
                out.truncate()
    yield out.getvalue().encode()


def _cells(line: Line) -> Sequence[object]:
    return (
        line.server, line.ticket, line.login, line.symbol, format_e8(line.lots_e8),
        wall(line.close_ms), f"{wall(line.close_utc_ms)}Z", line.day, line.programme,
        line.component, line.level, line.kind, format_e8(line.amount_e8), line.currency,
        line.state, Reason(line.reason).name.lower(), line.transfer,
    )  # fmt: skip


def _balances(wallets: Sequence[Balance]) -> Table:
    columns = [Column("Wallet", head=True), Column("Opening", number=True),
               Column("Earned", number=True), Column("Corrections", number=True),
               Column("Adjustments", number=True), Column("Moved", number=True),
               Column("Closing", number=True)]  # fmt: skip
    rows: list[Row] = []
    for one in wallets:
        amounts = (one.opening_e8, one.accrued_e8, one.corrected_e8, one.adjusted_e8,
                   one.moved_e8, one.closing_e8)  # fmt: skip
        if any(amounts):
            rows.append([Cell(one.currency, note=one.state.replace("_", " ")),
                         *(money(amount, one.currency) for amount in amounts)])  # fmt: skip
    return Table("Opening, booked, closing", columns, rows)


def _closings(found: Sequence[Frozen]) -> Table:
    columns = [Column("At the closing", head=True), Column("Payable", number=True),
               Column("Carried forward", number=True), Column("Why")]  # fmt: skip
    rows: list[Row] = [
        [one.payee[2], money(one.payable_e8, one.payee[2]), money(one.carried_e8, one.payee[2]),
         one.why or "–"]
        for one in found
    ]  # fmt: skip
    return Table("What became payable", columns, rows)


def _payments(found: Sequence[Payment]) -> Table:
    columns = [Column("Paid on", head=True), Column("Reference"), Column("Amount", number=True)]
    rows: list[Row] = [[f"{one.paid_on}", one.reference, money(one.amount_e8, one.currency)]
                       for one in found]  # fmt: skip
    return Table("Payments", columns, rows)


def _windows(partner_id: int, found: Sequence[WindowLine]) -> Table:
    columns = [Column("Component", head=True), Column("Window"), Column("Level", number=True),
               Column("Because"), Column("Amount", number=True)]  # fmt: skip
    rows: list[Row] = []
    for one in found:
        span = f"{wall(one.start_ms)} – {wall(one.end_ms)}" if not one.client else one.client
        url = reverse("console:window", args=[partner_id, one.component_id, one.start_ms])
        rows.append([Cell(one.component, url, note=one.programme), span, str(one.level),
                     told(one.causes), money(one.amount_e8, one.currency)])  # fmt: skip
    return Table("By window and client", columns, rows)


def _sums(sums: Sequence[Sum]) -> Table:
    columns = [Column("Component", head=True), Column("Level", number=True),
               Column("Trades", number=True), Column("Amount", number=True)]  # fmt: skip
    rows: list[Row] = [[Cell(one.component, note=one.programme), str(one.level), count(one.trades),
             money(one.amount_e8, one.currency)] for one in sums]  # fmt: skip
    return Table("By component and level", columns, rows)


def _lines(page: Sequence[Line]) -> Table:
    columns = [Column("Closed", head=True), Column("Ticket"), Column("Trade"), Column("Component"),
               Column("Amount", number=True)]  # fmt: skip
    rows: list[Row] = []
    for line in page:
        url = reverse("console:explanation", args=[line.server_id, line.ticket])
        reason = Reason(line.reason)
        notes = [line.kind] if line.kind != "accrual" else []
        notes += [reason.sentence] if reason is not Reason.PAID else []
        rows.append([
            closed(line.close_ms, line.close_utc_ms, line.server, url),
            Cell(str(line.ticket), url, note=f"login {line.login}"),
            f"{number(line.lots_e8)} lots {line.symbol}",
            Cell(line.component, note=f"{line.programme}, level {line.level}"),
            Cell(money(line.amount_e8, line.currency), note=", ".join(notes)),
        ])  # fmt: skip
    return Table("Lines, the last booked first", columns, rows)


def _place(text: str) -> Place | None:
    """Read where a page ended; anything else is the first page."""
    if not _PLACE.fullmatch(text):
        return None
    limits = (2**63 - 1, 2**31 - 1, 2**63 - 1, 2**15 - 1, 2**31 - 1, 2**15 - 1)
    values = [max(-limit, min(int(value), limit))
              for value, limit in zip(text.split("_"), limits, strict=True)]  # fmt: skip
    return Place(*values)
