"""`pipshare period`: which periods are closed, and closing one for good."""

from __future__ import annotations

import json
import time

import click

from pipshare import db, ledger, market
from pipshare.cli.options import by_option, console, counted, json_option, money, table, what_waits
from pipshare.errors import Missing
from pipshare.money import format_e8
from pipshare.pipeline import Run
from pipshare.pipeline.closing import Closed, close_period


@click.group("period")
def period_command() -> None:
    """Close periods, and see which are closed."""


@period_command.command("close")
@click.argument("entity")
@click.argument("period")
@click.option(
    "--leave-waiting",
    is_flag=True,
    help="Close although trades wait; the open period takes them when they settle.",
)
@by_option
@json_option
def close_command(entity: str, period: str, leave_waiting: bool, by: str, as_json: bool) -> None:
    """Close PERIOD (2026-11) of ENTITY: what each payee earned is frozen and becomes payable."""
    db.migrate()
    with db.connect() as conn:
        now_ms = time.time_ns() // 1_000_000
        closed = close_period(
            Run(conn), entity, period, by=by, now_ms=now_ms, leave_waiting=leave_waiting
        )
    if as_json:
        click.echo(json.dumps(_as_dict(closed), indent=2))
    else:
        _say(closed)


def _say(closed: Closed) -> None:
    console.print(f"Closed {closed.period} of {closed.entity}:"
                  f" {counted(closed.payees, 'wallet')}.")  # fmt: skip
    shown = table("", "currency", "payable", "carried forward", "held", right=(1, 2, 3))
    for currency in sorted(closed.payable):
        shown.add_row(currency, *(
            money(sums.get(currency, 0), currency)
            for sums in (closed.payable, closed.carried, closed.held)
        ))  # fmt: skip
    if closed.payable:
        console.print(shown)
    for reason, count in sorted(closed.waiting.items()):
        console.print(f"  left behind, {counted(count, 'trade')}: {what_waits(reason)}")
    console.print("Record payments with `pipshare payout record PARTNER AMOUNT --reference R`.")


def _as_dict(closed: Closed) -> dict[str, object]:
    sums = {
        name: {currency: format_e8(amount) for currency, amount in values.items()}
        for name, values in (
            ("payable", closed.payable), ("carried", closed.carried), ("held", closed.held)
        )
    }  # fmt: skip
    return {"entity": closed.entity, "period": closed.period, "wallets": closed.payees, **sums,
            "waiting": closed.waiting}  # fmt: skip


@period_command.command("list")
@click.argument("entity", default="main")
def list_command(entity: str) -> None:
    """List the closed periods of ENTITY (main if left out), and say which one is open."""
    db.migrate()
    with db.connect() as conn:
        ids = {one.code: id_ for id_, one in market.entities(conn).items()}
        if entity not in ids:
            raise Missing("no_entity", f"no entity {entity!r}; known: {', '.join(ids)}")
        rows = ledger.closed_periods(conn, ids[entity])
        open_ = ledger.open_period(conn, ids[entity])
    for period, when, by in rows:
        console.print(f"{period}  closed {when:%Y-%m-%d %H:%M} by {by}")
    console.print(f"Open: {open_ or 'every period; none was closed yet'}")
