"""`pipshare explain`: why each partner earned what he did from a trade."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from pipshare import db, market
from pipshare.cli.options import console, json_option, money
from pipshare.errors import Missing
from pipshare.money import format_e8
from pipshare.period import from_ms
from pipshare.pipeline import Run
from pipshare.pipeline.explain import Explanation, explain, find
from pipshare.rating.twin_values import TwinLine

_STATUS = {
    "unbooked": "The server has no go-live, so nothing is booked: set one with `pipshare load"
    " servers`.",
    "history": "It closed before the server's go-live: kept, and never booked.",
    "direct": "Nobody introduced this client: nobody earns.",
    "excluded": "The account is excluded: nobody earns.",
    "unknown": "It waits.",
}


@click.command("explain")
@click.argument("ticket", type=int)
@click.option("--server", help="Name of the trade server, when the ticket is on several.")
@click.option("--revision", type=int, help="As an earlier revision of the trade said.")
@json_option
def explain_command(ticket: int, server: str | None, revision: int | None, as_json: bool) -> None:
    """Show why each partner earned what he did from TICKET.

    TICKET is a closing deal (MT5), a ticket (MT4) or a position. Every amount is worked out anew,
    step by step, and compared with the books.
    """
    db.migrate()
    with db.connect() as conn:
        found = find(conn, ticket, server)
        if not found:
            where = f" on server {server}" if server else ""
            raise Missing("no_trade", f"no trade {ticket}{where}: import it first")
        if len(found) > 1:
            click.echo(f"{ticket} is {len(found)} trades; choose one:")
            for code, number in found:
                click.echo(f"  pipshare explain --server {code} {number}")
            sys.exit(1)
        run = Run(conn)
        result = explain(run, market.server(conn, found[0][0]), found[0][1], revision)
    if as_json:
        click.echo(json.dumps(as_dict(result), indent=2))
    else:
        say(result)


def say(result: Explanation) -> None:
    """Print an explanation for a person."""
    trade, who = result.trade, result.who
    side = "buy" if trade["side"] > 0 else "sell"
    console.print(f"[bold]Trade {trade['ticket']} on {result.server}[/], revision"
                  f" {trade['revision']} of {len(result.revisions)}")  # fmt: skip
    opened = _price(trade["open_price_e8"]) if trade["opening"] else "unknown"
    console.print(
        f"  {side} {format_e8(trade['lots_e8'])} lots {trade['symbol']}, login {trade['login']},"
        f" opened at {opened}, closed at {_price(trade['close_price_e8'])}"
        f" on {result.closed_utc}" + ("" if trade["state"] else "; CANCELLED")
    )
    for leg in result.legs:
        console.print(f"  leg: deal {leg.deal}, {format_e8(leg.lots_e8)} lots at"
                      f" {_price(leg.price_e8)}, server time {from_ms(leg.time_ms):%Y-%m-%d %H:%M:%S}"
                      f", commission {format_e8(leg.commission_e8)}")  # fmt: skip
    file = result.revisions[-1]["file"]
    console.print(f"  from {file or 'a connection'}, taken in {result.revisions[-1]['taken_in']}")
    _say_who(who)
    if result.status != "rated":
        console.print(f"  {_STATUS[result.status]}")
    if result.result is not None:
        for step in result.result.working:
            console.print(f"  {step.label}: {step.text}", markup=False)
        names = {level["id"]: level["partner"] for level in who["chain"]}
        for line in result.result.lines:
            _say_line(line, names.get(line.partner_id, str(line.partner_id)))
    if result.agrees is not None:
        word = "The books say the same." if result.agrees else (
            "[bold]The books say something else[/]: run `pipshare verify` and tell us."
        )  # fmt: skip
        console.print(f"  {word}")


def _say_who(who: dict[str, Any]) -> None:
    client = f"client {who['client']}" if who["client"] else "no known client"
    group = f", group {who['state']['group']}" if who["state"] and who["state"]["group"] else ""
    console.print(f"  {client}{group}: {who['sentence']}", markup=False)
    if who["state"] and who["state"]["first_known"]:
        console.print("  (the account was first observed later: its first known state serves)")
    for level in who["chain"]:
        since = (who["relation"] if level["level"] == 1 else who["chain"][level["level"] - 2]
                 ["parent"])["valid_from"]  # fmt: skip
        always = "always" if since == "-infinity" else since
        console.print(f"    level {level['level']}: {level['partner']} {level['name']}"
                      f" (since {always})", markup=False)  # fmt: skip


def _say_line(line: TwinLine, partner: str) -> None:
    what = f"{line.component}, level {line.level}, {partner}" if line.component else partner
    if line.wait is not None:
        console.print(f"  [bold]{what}[/]: waits ({line.wait.word})")
    else:
        console.print(f"  [bold]{what}: {money(line.amount_e8, line.wallet)}[/]"
                      + (" (held: suspended)" if line.held else ""))  # fmt: skip
    for step in line.working:
        console.print(f"      {step.label} {step.text}", markup=False)


def _price(price_e8: int) -> str:
    return format_e8(price_e8, 0)


def as_dict(result: Explanation) -> dict[str, Any]:
    """Return an explanation ready for JSON: amounts as strings."""
    trade = {name.removesuffix("_e8"): format_e8(value) if name.endswith("_e8") else value
             for name, value in result.trade.items() if name != "line"}  # fmt: skip
    lines = []
    for line in result.result.lines if result.result else ():
        lines.append({
            "component": line.component, "level": line.level, "partner_id": line.partner_id,
            "amount": format_e8(line.amount_e8), "currency": line.wallet,
            "original_amount": format_e8(line.orig_e8), "original_currency": line.currency,
            "held": line.held, "reason": line.reason.name.lower(),
            "waits": line.wait.word if line.wait else None,
            "working": [{"step": step.label, "value": step.text} for step in line.working],
        })  # fmt: skip
    posted = [{**{k: v for k, v in row.items() if k != "amount_e8"},
               "amount": format_e8(row["amount_e8"])} for row in result.posted]  # fmt: skip
    return {
        "server": result.server, "ticket": result.trade["ticket"], "status": result.status,
        "closed_utc": result.closed_utc, "trade": trade, "revisions": result.revisions,
        "legs": [{"deal": leg.deal, "time": from_ms(leg.time_ms).isoformat(),
                  "price": _price(leg.price_e8), "lots": format_e8(leg.lots_e8),
                  "commission": format_e8(leg.commission_e8), "fee": format_e8(leg.fee_e8)}
                 for leg in result.legs],
        "attribution": result.who,
        "programme": [{"step": s.label, "value": s.text} for s in result.result.working]
        if result.result else [],
        "lines": lines, "posted": posted, "agrees": result.agrees,
    }  # fmt: skip


def say_explanation(run: Run, server: market.Server, ticket: int) -> None:
    """Explain a trade and print it: what the demonstration ends with."""
    say(explain(run, server, ticket))
