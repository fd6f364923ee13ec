"""`pipshare waiting`: the trades, bonuses, periods and events that wait, and what for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from pipshare import clients, db, statements
from pipshare.cli.options import WAITS, Rows, console, json_option, table, what_waits
from pipshare.statements.waiting_periods import WaitingPeriod, waiting_periods

_EACH = 5  # rows of a reason that are printed without --all
_MOST = 100_000  # events that are looked at


@click.command("waiting")
@click.option("--reason", type=click.Choice(sorted(WAITS)), help="Only this reason.")
@click.option("--all", "every_row", is_flag=True, help=f"Every row, not {_EACH} of a reason.")
@json_option
def waiting_command(reason: str | None, every_row: bool, as_json: bool) -> None:
    """List what waits, by what it waits for; it is taken up by itself.

    These are trades, what is of no trade (a client's bonus, a cost or sum of a period) and, without
    --json, events.
    """
    db.migrate()
    with db.connect() as conn:
        _, trades = statements.overview(conn)
        periods = waiting_periods(conn)
        events = [] if as_json else clients.waiting_events(conn, _MOST)
    trades = [row for row in trades if reason in (None, row.reason)]
    periods = [row for row in periods if reason in (None, row.reason)]
    if as_json:
        both: list[statements.Waiting | WaitingPeriod] = [*trades, *periods]
        click.echo(json.dumps([asdict(row) for row in both], indent=2))
        return
    told = [
        (row[0], row[1], row[2], row[3], row[4], row[5], f"{row[6]:%Y-%m-%d %H:%M}")
        for row in events if reason in (None, row[0])
    ]  # fmt: skip
    shown = table("Events waiting", "reason", "for", "source", "event", "kind", "client",
                  "since (UTC)")  # fmt: skip
    found = _say(shown, told, 0, every_row)
    shown = table("Waiting", "server", "reason", "for", "trades", "for example", "since (UTC)",
                  right=(3,))  # fmt: skip
    found |= _say(shown, [
        (row.server, row.reason, row.key, str(row.trades), str(row.example), row.since[:16])
        for row in trades
    ], 1, every_row)  # fmt: skip
    shown = table("Bonuses and periods waiting", "component", "reason", "for", "lines", "partner",
                  "client", "since (UTC)", right=(3,))  # fmt: skip
    found |= _say(shown, [
        (f"{row.programme}/{row.component}", row.reason, row.key, str(row.lines),
         row.partner or "not known yet", row.client, row.since[:16])
        for row in periods
    ], 1, every_row)  # fmt: skip
    for name in sorted(found & WAITS.keys()):
        console.print(f"  {name}: {what_waits(name)}")
    if not found:
        console.print("Nothing waits.")


def _say(shown: Rows, rows: Sequence[tuple[str, ...]], at: int, every_row: bool) -> set[str]:
    """Print rows together by the reason in column `at`, of each a few; return the reasons."""
    groups: dict[str, list[tuple[str, ...]]] = {}
    for row in rows:
        groups.setdefault(row[at], []).append(row)
    more = []
    for reason, group in groups.items():
        some = group if every_row else group[:_EACH]
        for row in some:
            shown.add_row(*row)
        if len(group) > len(some):
            more.append(f"{len(group) - len(some)} more of {reason}")
    if groups:
        console.print(shown)
    if more:
        console.print(f"  ... {', '.join(more)}: pipshare waiting --all lists every one")
    return set(groups)
