"""`pipshare waiting`: the trades that wait, and what for."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from pipshare import db, statements
from pipshare.cli.options import WAITS, console, json_option, table, what_waits


@click.command("waiting")
@click.option("--reason", type=click.Choice(sorted(WAITS)), help="Only this reason.")
@json_option
def waiting_command(reason: str | None, as_json: bool) -> None:
    """List the trades that wait, by what they wait for. They are taken up by themselves."""
    db.migrate()
    with db.connect() as conn:
        _, rows = statements.overview(conn)
    rows = [row for row in rows if reason in (None, row.reason)]
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    if not rows:
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
