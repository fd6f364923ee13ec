"""`pipshare explain`: why each partner earned what he did from a trade."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from rich.text import Text

from pipshare import db, market
from pipshare.cli.explaining_client import client_command
from pipshare.cli.explaining_windows import (
    event_command,
    say_parts,
    window_command,
)
from pipshare.cli.options import console, json_option, money
from pipshare.errors import Missing
from pipshare.money import format_e8
from pipshare.period import from_ms
from pipshare.pipeline import Run
from pipshare.pipeline.explain import Explanation, explain, find, held_of
from pipshare.pipeline.explain_json import as_dict
from pipshare.pipeline.explained.words import held_words
from pipshare.rating.twin_values import TwinLine

_STATUS = {
    "unbooked": "The server has no go-live, so nothing is booked: set one with `pipshare load"
    " servers`.",
    "history": "It closed before the server's go-live: kept, and never booked.",
    "direct": "It is no partner's trade: nobody earns.",
    "excluded": "The account is excluded: nobody earns.",
    "unknown": "It waits.",
}


@click.command("explain")
@click.argument("ticket", type=int, required=False)
@click.option("--server", help="Name of the trade server, when the ticket is on several.")
@click.option("--revision", type=int, help="As an earlier revision of the trade said.")
@click.option("--event", help="Explain what an event of a client led to.")
@click.option("--source", help="Where the event came from, when several sources have such a one.")
@click.option("--window", nargs=3, metavar="COMPONENT PARTNER PERIOD",
              help="Explain all that a partner's period of a component came to.")  # fmt: skip
@click.option("--client", help="Explain whose client somebody is, and all that was claimed.")
@click.option("--entity", help="The client's entity, when several have one of this code.")
@json_option
def explain_command(
    ticket: int | None, server: str | None, revision: int | None, event: str | None,
    source: str | None, window: tuple[str, str, str] | None, client: str | None,
    entity: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Show why each partner earned what he did from TICKET.

    TICKET is a closing deal (MT5), a ticket (MT4), a position or its opening deal. Every amount is
    worked out anew, step by step, and compared with the books.
    """
    if sum(one is not None for one in (ticket, event, window, client)) != 1:
        raise click.UsageError("Give a TICKET, or --event, or --window, or --client.")
    db.migrate()
    with db.connect() as conn:
        if event is not None:
            event_command(Run(conn), event, source, as_json=as_json)
        elif window is not None:
            window_command(Run(conn), window, as_json=as_json)
        elif client is not None:
            client_command(conn, client, entity, as_json=as_json)
        elif ticket is not None:
            _explain_trade(conn, ticket, server, revision, as_json=as_json)


def _explain_trade(
    conn: Any, ticket: int, server: str | None, revision: int | None, *, as_json: bool
) -> None:
    if server:
        market.server(conn, server)  # says which there are
    found = find(conn, ticket, server)
    if not found:
        where = f" on server {server}" if server else ""
        raise Missing("no_trade", f"no trade {ticket}{where}: import it first")
    if len(found) > 1:
        click.echo(f"{ticket} is {len(found)} trades; choose one:")
        for code, number in found:
            # After -- a number may be negative, as those of journals are.
            shown = f"-- {number}" if number < 0 else number
            click.echo(f"  pipshare explain --server {code} {shown}")
        sys.exit(1)
    result = explain(Run(conn), market.server(conn, found[0][0]), found[0][1], revision)
    if as_json:
        click.echo(json.dumps(as_dict(result), indent=2, ensure_ascii=False))
    else:
        say(result)


def say(result: Explanation) -> None:
    """Print an explanation for a person."""
    _say_trade(result)
    _say_who(result.who)
    if result.status != "rated":
        console.print(f"  {_STATUS[result.status]}")
    if result.result is not None:
        for step in result.result.working:
            console.print(f"  {step.label}: {step.text}")
        names = {level["id"]: level["partner"] for level in result.who["chain"]}
        for line in result.result.lines:
            whose = names.get(line.partner_id) or f"client {result.who['client']}"
            _say_line(line, whose, held_words(held_of(result, line)))
        say_parts(result.parts)
    if any(row["seq"] > 1 for row in result.posted):
        _say_posted(result.posted)
    if result.agrees:
        console.print("  The books say the same.")
    elif result.agrees is False:
        console.print("  The books say something else: run `pipshare verify` and tell us.",
                      style="bold")  # fmt: skip


def _say_trade(result: Explanation) -> None:
    trade = result.trade
    side = "buy" if trade["side"] > 0 else "sell"
    console.print(
        Text.assemble(
            (f"Trade {trade['ticket']} on {result.server}", "bold"),
            f", revision {trade['revision']} of {len(result.revisions)}",
        )
    )
    opened = _price(trade["open_price_e8"]) if trade["opening"] else "unknown"
    position = f", position {trade['position']}" if trade["position"] else ""
    console.print(
        f"  {side} {format_e8(trade['lots_e8'])} lots {trade['symbol']}, login {trade['login']}"
        f"{position}, opened at {opened}, closed at {_price(trade['close_price_e8'])}"
        f" on {result.closed_utc}" + ("" if trade["state"] else "; CANCELLED")
    )
    for leg in result.legs:
        console.print(f"  leg: deal {leg.deal}, {format_e8(leg.lots_e8)} lots at"
                      f" {_price(leg.price_e8)}, server time"
                      f" {from_ms(leg.time_ms):%Y-%m-%d %H:%M:%S},"
                      f" commission {format_e8(leg.commission_e8)}")  # fmt: skip
    told = {row["revision"]: row for row in result.revisions}[trade["revision"]]
    console.print(f"  from {told['file'] or 'a connection'}, taken in {told['taken_in'][:19]} UTC")


def _say_who(who: dict[str, Any]) -> None:
    client = f"client {who['client']}" if who["client"] else "no known client"
    group = f", group {who['state']['group']}" if who["state"] and who["state"]["group"] else ""
    console.print(f"  {client}{group}: {who['sentence']}")
    if who["state"] and who["state"]["first_known"]:
        console.print("  (the account was first observed later: its first known state serves)")
    if who["chain_moment"] == "open":
        opened = from_ms(who["chain_ms"])
        console.print(f"  chain at the opening, {opened:%Y-%m-%d %H:%M} UTC")
    for level in who["chain"]:
        since = (who["relation"] if level["level"] == 1 else who["chain"][level["level"] - 2]
                 ["parent"])["valid_from"]  # fmt: skip
        always = "always" if since == "-infinity" else since
        console.print(f"    level {level['level']}: {level['partner']} {level['name']}"
                      f" (since {always})")  # fmt: skip


def _say_line(line: TwinLine, partner: str, held: str) -> None:
    what = f"{line.component}, level {line.level}, {partner}" if line.component else partner
    if line.wait is not None:
        console.print(Text.assemble("  ", (what, "bold"), f": waits ({line.wait.word})"))
    else:
        console.print(Text.assemble("  ", (f"{what}: {money(line.amount_e8, line.wallet)}", "bold"),
                                    f" ({held})" if held else ""))  # fmt: skip
    for step in line.working:
        console.print(f"      {step.label} {step.text}")


def _say_posted(posted: list[dict[str, Any]]) -> None:
    """Print the bookings one by one: only where there were corrections."""
    console.print("  booked, and corrected since:")
    for row in posted:
        console.print(f"    transfer {row['transfer']}, earned {row['day']}, revision"
                      f" {row['revision']}: {row['component']}, level {row['level']},"
                      f" {row['partner']}: {money(row['amount_e8'], row['currency'])}")  # fmt: skip


def _price(price_e8: int) -> str:
    return format_e8(price_e8, 0)


def say_explanation(run: Run, server: market.Server, ticket: int) -> None:
    """Explain a trade and print it: what the demonstration ends with."""
    say(explain(run, server, ticket))
