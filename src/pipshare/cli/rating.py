"""`pipshare rate`: what partners would earn from files, without any database."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from pipshare.cli.options import console, counted, json_option, money, table, what_waits
from pipshare.cli.printed import complain
from pipshare.pipeline.from_files import Files, Result, rate_files
from pipshare.pipeline.from_files.as_json import as_dict
from pipshare.pipeline.from_files.twin import explain_trade

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
SHOWN = 200  # lines that are printed; --json has them all


@click.command("rate")
@click.option("--plan", "plans", type=_FILE, multiple=True, required=True,
              help="A programme file; several may be given.")  # fmt: skip
@click.option("--tree", type=_FILE, required=True,
              help="Partners, clients, accounts, terms: JSON, TOML or CSV.")  # fmt: skip
@click.option("--trades", type=_FILE, help="Closed trades, CSV or JSON.")
@click.option("--events", type=_FILE, help="Registrations, deposits, KYC ..., CSV or JSON.")
@click.option("--symbols", type=_FILE, help="Symbols, as for `load symbols`.")
@click.option("--quotes", type=_FILE, help="Quotes, as for `load quotes`.")
@click.option("--fx", type=_FILE, help="Exchange rates, as for `load fx`.")
@click.option("--explain", "ticket", help="Show the working of one trade, step by step.")
@json_option
def rate_command(
    plans: tuple[Path, ...], tree: Path, trades: Path | None, events: Path | None,
    symbols: Path | None, quotes: Path | None, fx: Path | None, ticket: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Rate trades and events in files, by the rules that book; nothing is stored.

    docs/reference/rate.md describes the files and the result. Rows that cannot be read are left
    out and listed, and the exit status is 1.
    """
    if trades is None and events is None:
        raise click.UsageError("give --trades, --events or both: there is nothing to rate")
    files = Files(plans, tree, trades, events, symbols, quotes, fx)
    if ticket is not None:
        _explain(files, ticket, as_json)
        return
    result = rate_files(files)
    if as_json:
        click.echo(json.dumps(as_dict(result), indent=2, ensure_ascii=False))
    else:
        _say(result)
    sys.exit(int(bool(result.refused)))


def _say(result: Result) -> None:
    _say_lines(result)
    totals = table("Totals", "partner", "amount", "payable", right=(1, 2))
    for one in result.totals:
        totals.add_row(one.payee, money(one.amount_e8, one.currency),
                       money(one.payable_e8, one.currency))  # fmt: skip
    console.print(totals)
    for waiting in result.waiting[:SHOWN]:
        whose = f" {waiting.component}, level {waiting.level}, {waiting.partner}:" \
            if waiting.component else ""  # fmt: skip
        key = f" ({waiting.key})" if waiting.key else ""
        console.print(
            f"{_what(waiting.trade, waiting.event)} waits:{whose} {what_waits(waiting.reason)}{key}"
        )
    for guarded in result.guarded[:SHOWN]:
        paid = money(guarded.paid_e8, guarded.currency)
        limit = money(guarded.limit_e8, guarded.currency)
        console.print(f"Trade {guarded.trade}: the chain is paid {paid}, the limit is {limit}:"
                      f" {guarded.action}")  # fmt: skip
    for name, why in result.unrated[:SHOWN]:
        console.print(f"{_what(name, None)}: nobody earns ({why.replace('_', ' ')})")
    for refused in result.refused:
        complain(f"left out: {refused.reason}")
    if result.refused:
        complain(f"{counted(len(result.refused), 'row')} left out")


def _explain(files: Files, ticket: str, as_json: bool) -> None:
    """Print how the scalar twin comes to the lines of a trade."""
    lines = explain_trade(files, ticket)
    if as_json:
        click.echo(json.dumps({"trade": ticket, "lines": lines}, indent=2, ensure_ascii=False))
        return
    console.print(f"Trade {ticket}", style="bold")
    for line in lines:
        told = f"waits ({line['waits']})" if line["waits"] else \
            f"{line['amount']} {line['currency']} ({line['reason'].replace('_', ' ')})"  # fmt: skip
        console.print(f"  {line['component']}, level {line['level']}, {line['partner']}: {told}")
        for step in line["working"]:
            console.print(f"      {step['step']} {step['value']}")


def _what(trade: str | None, event: str | None) -> str:
    return f"Trade {trade}" if trade is not None else f"Event {event}" if event else "A period"


def _say_lines(result: Result) -> None:
    lines = table("Lines", "for", "partner", "level", "component", "amount", "reason", "rule",
                  right=(2, 4))  # fmt: skip
    for line in result.lines[:SHOWN]:
        held = f" (held: {line.held_by})" if line.held_by else ""
        what = " ".join(one for one in (line.trade, line.event) if one) or line.period
        lines.add_row(what, line.payee, str(line.level), line.component,
                      money(line.amount_e8, line.currency), line.reason.replace("_", " ") + held,
                      line.rule)  # fmt: skip
    console.print(lines)
    if len(result.lines) > SHOWN:
        console.print(f"... and {len(result.lines) - SHOWN} more; --json prints them all")
