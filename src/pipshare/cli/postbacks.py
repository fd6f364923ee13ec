"""`pipshare postbacks`: the log of every postback that came, and what became of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from pipshare import db, inbox
from pipshare.cli.options import console, json_option, moment_ms, money, table
from pipshare.inbox import LoggedPostback
from pipshare.money import format_e8
from pipshare.period import from_ms
from pipshare.tracking.postbacks import KINDS

_VERDICTS = ("accepted", "duplicate", "rejected")


@click.command("postbacks")
@click.option("--tracker", help="Of this tracker.")
@click.option("--event", type=click.Choice(KINDS), help="Of this event.")
@click.option("--verdict", type=click.Choice(_VERDICTS), help="With this verdict.")
@click.option("--reason", help="With this reason, for example unknown_click.")
@click.option("--client", help="About this client.")
@click.option("--click", "click_id", help="With this click id.")
@click.option("--partner", help="With this partner code, as it was told.")
@click.option("--txid", help="With this transaction id.")
@click.option("--id", "id_", help="The one with this number, as the answer told it.")
@click.option("--since", "since_ms", callback=moment_ms, help="Not older than this moment.")
@click.option("--waiting", is_flag=True, help="Only what waits for something else first.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@json_option
def postbacks_command(click_id: str | None, id_: str | None, waiting: bool, limit: int,
                      as_json: bool, **asked: Any) -> None:  # fmt: skip
    """List postbacks, the newest first: what was told, what was answered, what became of it."""
    db.migrate()
    with db.connect() as conn:
        found = inbox.postbacks(conn, limit=limit, click=click_id, id=id_,
                                waits=waiting or None, **asked)  # fmt: skip
    if as_json:
        click.echo(json.dumps([_as_dict(one) for one in found], indent=2, ensure_ascii=False))
        return
    if not found:
        console.print("No such postback came.")
        return
    shown = table("", "id", "came", "tracker", "event", "txid", "client", "amount", "verdict",
                  "became", right=(6,))  # fmt: skip
    for one in found:
        amount = money(one.amount_e8, one.currency) if one.amount_e8 else ""
        shown.add_row(one.id, f"{from_ms(one.at_ms):%Y-%m-%d %H:%M:%S}", one.tracker or "?",
                      one.event, one.txid, one.client, amount,
                      f"{one.verdict} {one.reason}".strip(),
                      f"{one.outcome} {one.outcome_reason}".strip())  # fmt: skip
    console.print(shown)
    if len(found) == 1:
        for text in (found[0].detail, found[0].outcome_detail):
            if text:
                console.print(f"  {text}")


def _as_dict(one: LoggedPostback) -> dict[str, Any]:
    told = asdict(one)
    amount = told.pop("amount_e8")
    for name in ("at", "happened"):
        told[name] = from_ms(told.pop(f"{name}_ms")).isoformat()
    return {**told, "amount": format_e8(amount) if amount else None}
