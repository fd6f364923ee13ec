"""`pipshare prune`: what is old and serves nothing any more, counted, and deleted when told so."""

from __future__ import annotations

import json
import time

import click

from pipshare import db
from pipshare.cli.options import by_option, console, counted, json_option, table
from pipshare.errors import BadInput
from pipshare.pipeline.prune import DAY_MS, KINDS, Prunable, prunable, prune


@click.command("prune")
@click.argument("kinds", nargs=-1, type=click.Choice(tuple(KINDS)))
@click.option("--older-than", "days", default=400, show_default=True, metavar="DAYS",
              type=click.IntRange(1, 36_500), help="What is older than so many days.")  # fmt: skip
@click.option("--apply", "applies", is_flag=True, help="Delete the KINDS; else nothing is.")
@by_option
@json_option
def prune_command(kinds: tuple[str, ...], days: int, applies: bool, by: str, as_json: bool) -> None:
    """Count what is old and may go, by kind; with --apply delete these KINDS for good.

    Books, trades, events and messages are never pruned, nor anything that is not settled.
    """
    db.migrate()
    now_ms = time.time_ns() // 1_000_000
    before_ms = now_ms - days * DAY_MS
    if applies:
        if not kinds:
            raise BadInput("no_kinds", f"name what is to be deleted: {', '.join(KINDS)}")
        with db.connect("owner") as conn:  # the application itself may not delete these
            done = prune(conn, kinds, before_ms, now_ms, by)
        if as_json:
            click.echo(json.dumps(done))
        for name, rows in {} if as_json else done.items():
            console.print(f"{name}: {counted(rows, 'row')} deleted.")
        return
    with db.connect() as conn:
        found = prunable(conn, before_ms, now_ms)
    found = [one for one in found if not kinds or one.kind.name in kinds]
    if as_json:
        click.echo(json.dumps({
            one.kind.name: {"rows": one.rows, "why_not": one.why_not} for one in found
        }))  # fmt: skip
    else:
        _show(found, days)


def _show(found: list[Prunable], days: int) -> None:
    shown = table(f"Older than {days} days", "kind", "rows", "what", "stays", right=(1,))
    for one in found:
        shown.add_row(one.kind.name, "-" if one.why_not else f"{one.rows:,}", one.kind.what,
                      one.kind.stays)  # fmt: skip
    console.print(shown)
    for one in found:
        if one.why_not:
            console.print(f"{one.kind.name}: {one.why_not}")
    console.print("Nothing was deleted. `pipshare prune KINDS --apply` deletes, for good.")
