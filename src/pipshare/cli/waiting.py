"""`pipshare waiting`: the trades, bonuses, periods and events that wait, and what for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from pipshare import clients, db, statements
from pipshare.cli.options import SHOWN, WAITS, console, json_option, table, what_waits
from pipshare.statements.waiting_periods import WaitingPeriod, waiting_periods


@click.command("waiting")
@click.option("--reason", type=click.Choice(sorted(WAITS)), help="Only this reason.")
@json_option
def waiting_command(reason: str | None, as_json: bool) -> None:
    """List what waits, by what it waits for; it is taken up by itself.

    These are trades, what is of no trade (a client's bonus, a cost or sum of a period) and, without
    --json and --reason, events.
    """
    db.migrate()
    with db.connect() as conn:
        _, rows = statements.overview(conn)
        periods = waiting_periods(conn)
        events = clients.waiting_events(conn, SHOWN) if reason is None else []
    rows = [row for row in rows if reason in (None, row.reason)]
    periods = [row for row in periods if reason in (None, row.reason)]
    every: list[statements.Waiting | WaitingPeriod] = [*rows, *periods]
    if as_json:
        click.echo(json.dumps([asdict(row) for row in every], indent=2))
        return
    if events:
        _say_events(events)
    if rows:
        _say_trades(rows)
    if periods:
        _say_periods(periods)
    for name in sorted({row.reason for row in every}):
        console.print(f"  {name}: {what_waits(name)}")
    if not every and not events:
        console.print("Nothing waits.")


def _say_trades(rows: Sequence[statements.Waiting]) -> None:
    shown = table(
        "Waiting", "server", "reason", "for", "trades", "for example", "since", right=(3,)
    )
    for row in rows:
        example, since = str(row.example), row.since[:16]
        shown.add_row(row.server, row.reason, row.key, str(row.trades), example, since)
    console.print(shown)


def _say_periods(rows: Sequence[WaitingPeriod]) -> None:
    """Print what waits and is of no trade: bonuses of clients, costs and sums of periods."""
    shown = table("Bonuses and periods waiting", "component", "reason", "for", "lines", "partner",
                  "client", "since", right=(3,))  # fmt: skip
    for row in rows:
        who = row.partner or "not known yet"
        shown.add_row(f"{row.programme}/{row.component}", row.reason, row.key, str(row.lines), who,
                      row.client, row.since[:16])  # fmt: skip
    console.print(shown)


def _say_events(events: list[tuple[Any, ...]]) -> None:
    shown = table("Events waiting", "reason", "for", "source", "event", "kind", "client", "since")
    for reason, key, source, event, kind, client, since in events:
        shown.add_row(reason, key, source, event, kind, client, f"{since:%Y-%m-%d %H:%M}")
    console.print(shown)
