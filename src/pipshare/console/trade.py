"""One trade: its revisions side by side, its raw record, and every line booked for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from pipshare import inbox, market
from pipshare.console.scope import scope_of
from pipshare.console.shown import at, moment, money, number, wall, wallet
from pipshare.console.words import mend, short
from pipshare.errors import Missing
from pipshare.facts import Kind, State
from pipshare.market import Server
from pipshare.rating import Reason
from pipshare.statements.trade import booked_lines, is_within, revisions, waits
from pipshare.web import Cell, Column, Table, reading, room

Row = dict[str, Any]
_LARGE = 2_000_000  # bytes of a file that is searched for a record without being asked
_LONGEST = 20_000  # characters of a raw record that are shown
# What of a revision is shown, in this order.
_FIELDS: Sequence[tuple[str, Callable[[Row], str]]] = (
    ("State", lambda row: State(row["state"]).name.capitalize()),
    ("Symbol", lambda row: row["symbol"]),
    ("Side", lambda row: "Buy" if row["side"] > 0 else "Sell"),
    ("Lots", lambda row: number(row["lots_e8"])),
    ("Closed (server time)", lambda row: wall(row["close_ms"])),
    ("Closed (UTC)", lambda row: wall(row["close_utc_ms"])),
    ("Close price", lambda row: number(row["close_price_e8"], 0)),
    ("Opened (server time)", lambda row: wall(row["open_ms"]) if row["open_ms"] else "unknown"),
    ("Open price", lambda row: number(row["open_price_e8"], 0) if row["opening"] else "unknown"),
    ("How it closed", lambda row: Kind(row["kind"]).name.replace("_", " ").capitalize()),
    ("Profit", lambda row: number(row["profit_e8"])),
    ("Commission", lambda row: number(row["commission_e8"])),
    ("Fee", lambda row: number(row["fee_e8"])),
    ("Swap", lambda row: number(row["swap_e8"])),
    ("Contract size", lambda row: number(row["contract_e8"], 0) if row["contract_e8"] else "–"),
    ("Login", lambda row: str(row["login"])),
    ("Position", lambda row: str(row["position"]) if row["position"] else "–"),
    ("Came from", lambda row: row["source"] or "–"),
    ("Received", lambda row: moment(row["received_at"])),
)
_NO_CHANGE = {"Came from", "Received"}  # differ in every revision, which says nothing


@room("trades.see")
def trade(request: HttpRequest, server_id: int, ticket: str) -> HttpResponse:
    """Show a trade as it was told, revision by revision, and as it was booked."""
    user: Any = request.user
    sees_money = user.may("explanations.see")
    with reading() as conn:
        scope = scope_of(conn, user)
        server = server_of(conn, server_id)
        told = revisions(conn, server_id, ticket_of(ticket))
        if not told or not is_within(conn, server_id, ticket_of(ticket), scope):
            raise Missing("no_trade", f"There is no trade {ticket} on {server.code}.")
        lines = booked_lines(conn, server_id, ticket_of(ticket), scope) if sees_money else []
        missing = waits(conn, server_id, ticket_of(ticket)) if scope is None else []
        may_see_raw = scope is None and user.may("trades.raw")
        raw = None
        if may_see_raw and ("raw" in request.GET or _is_near(conn, told[-1]["file_id"])):
            raw = _raw(conn, server, ticket_of(ticket))
    return render(request, "console/trade.html", {
        "server": server, "ticket": ticket, "now": told[-1], "count": len(told),
        "is_cancelled": not told[-1]["state"], "table": _side_by_side(told),
        "lines": lines_table(lines) if lines else None, "raw": raw,
        "waits": [(short(reason), key, mend(reason)) for reason, key, _ in missing],
        "why": reverse("console:explanation", args=[server_id, ticket]) if sees_money else "",
        "file_id": told[-1]["file_id"] if scope is None else None,
        "may_see_raw": may_see_raw, "ask_raw": may_see_raw and raw is None,
    })  # fmt: skip


def server_of(conn: Any, server_id: int) -> Server:
    """Return a server by its number. Raises Missing when there is none."""
    for server in market.servers(conn):
        if server.id == server_id:
            return server
    raise Missing("unknown_server", f"There is no server with the number {server_id}.")


def ticket_of(text: str) -> int:
    """Read a ticket of an address; those of journals are negative. Raises Missing for no number."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 19 + (text[:1] != "-")):
        raise Missing("no_trade", f"{text[:40]!r} is not a ticket.")
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise Missing("no_trade", f"{text!r} is larger than a ticket can be.")
    return value


def _is_near(conn: Any, file_id: int | None) -> bool:
    """Whether the record is quickly found: of a live source, or of a file that is not large."""
    row = conn.execute("SELECT size FROM inbox_file WHERE id = %s", (file_id,)).fetchone()
    return row is None or row[0] < _LARGE


def _raw(conn: Any, server: Server, ticket: int) -> str:
    rows = conn.execute(
        "SELECT batch_id FROM trades_trade WHERE server_id = %s AND ticket = %s"
        " ORDER BY revision DESC LIMIT 1", (server.id, ticket),
    ).fetchall()  # fmt: skip
    found = inbox.raw_record(conn, server.id, ticket)
    if found is None and rows:
        found = inbox.raw_record(conn, server.id, ticket, int(rows[0][0]))
    return (found or "")[:_LONGEST]


def _side_by_side(told: Sequence[Row]) -> Table:
    """Show a field per row and a revision per column; what changed is marked."""
    columns = [Column("Field", head=True),
               *(Column(f"Revision {row['revision']}", number=True) for row in told)]  # fmt: skip
    rows: list[list[Cell | str]] = []
    for label, show in _FIELDS:
        values = [show(row) for row in told]
        cells: list[Cell | str] = [Cell(label)]
        for place, value in enumerate(values):
            is_new = place > 0 and value != values[place - 1] and label not in _NO_CHANGE
            cells.append(Cell(value, tone="warn" if is_new else "",
                              note=f"was {values[place - 1]}" if is_new else ""))  # fmt: skip
        rows.append(cells)
    return Table("What the trade was, as it was told", columns, rows)


def _partner_url(partner_id: int | None) -> str:
    """Return the room of a partner; "" for a client, who has none."""
    return "" if partner_id is None else reverse("console:partner", args=[partner_id])


def lines_table(lines: Sequence[Row]) -> Table:
    """Show the lines booked for a trade, the first rating first."""
    columns = [Column("Partner", head=True), Column("Level", number=True), Column("Component"),
               Column("Booked"), Column("Amount", number=True)]  # fmt: skip
    rows: list[list[Cell | str]] = []
    for row in lines:
        reason = Reason(row["reason"])
        why = [] if row["state"] == "accrued" else [row["state"].replace("_", " ")]
        why += [] if reason is Reason.PAID else [reason.sentence]
        told = [
            f"transfer {row['transfer']}",
            f"revision {row['revision']}",
            f"earned {row['day']}",
        ]
        told += [row["kind"]] if row["kind"] == "correction" else []
        rows.append([
            Cell(row["partner"], _partner_url(row["partner_id"]), note=row["name"]),
            str(row["level"]), Cell(row["component"], note=row["programme"]),
            at(row["booked_at"], ", ".join(told)),
            Cell(money(row["amount_e8"], row["currency"]), note=", ".join(why)),
        ])  # fmt: skip
    sums: dict[str, int] = {}
    for row in lines:
        sums[row["currency"]] = sums.get(row["currency"], 0) + row["amount_e8"]
    foot = [Cell("Together"), Cell(""), Cell(""), Cell(""), Cell(wallet(sums))]
    return Table("Lines in the books", columns, rows, foot)
