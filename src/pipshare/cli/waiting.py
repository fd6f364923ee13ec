"""`pipshare waiting`: the trades and events that wait, and what for."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from pipshare import clients, db, statements
from pipshare.cli.options import SHOWN, WAITS, console, json_option, table, what_waits


@click.command("waiting")
@click.option("--reason", type=click.Choice(sorted(WAITS)), help="Only this reason.")
@json_option
def waiting_command(reason: str | None, as_json: bool) -> None:
    """List the trades and events that wait, by what they wait for. They are taken up by themselves.

    With --json or --reason only trades are listed.
    """
    db.migrate()
    with db.connect() as conn:
        _, rows = statements.overview(conn)
        events = clients.waiting_events(conn, SHOWN) if reason is None else []
    rows = [row for row in rows if reason in (None, row.reason)]
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    if events:
        _say_events(events)
    if not rows:
        if not events:
            console.print("Nothing waits.")
        return
    shown = table(
        "Waiting", "server", "reason", "for", "trades", "for example", "since", right=(3,)
    )
    for row in rows:
        example, since = str(row.example), row.since[:16]
        shown.add_row(row.server, row.reason, row.key, str(row.trades), example, since)
    console.print(shown)
    for name in sorted({row.reason for row in rows}):
        console.print(f"  {name}: {what_waits(name)}")


def _say_events(events: list[tuple[Any, ...]]) -> None:
    shown = table("Events waiting", "reason", "for", "source", "event", "kind", "client", "since")
    for reason, key, source, event, kind, client, since in events:
        shown.add_row(reason, key, source, event, kind, client, f"{since:%Y-%m-%d %H:%M}")
    console.print(shown)
