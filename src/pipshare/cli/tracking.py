"""`pipshare tracking`: which click counts and for how long, and what qualifies a client."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import click

from pipshare import db, partners
from pipshare.cli.landings import entity_id, entity_option
from pipshare.cli.options import by_option, console, json_option
from pipshare.partners.tracking import FIRST, LAST, Tracking


@click.group("tracking")
def tracking_command() -> None:
    """An entity's settings of tracking: show them, set them."""


@tracking_command.command("show")
@entity_option
@json_option
def show_command(entity: str, as_json: bool) -> None:
    """Show the settings in force."""
    db.migrate()
    with db.connect() as conn:
        held = partners.tracking_settings(conn, entity_id(conn, entity))
    _show(held, as_json)


@tracking_command.command("set")
@click.option("--model", type=click.Choice((LAST, FIRST)), help="Which of a visitor's clicks.")
@click.option("--window-days", type=int, help="How long a click counts; 0 = for ever.")
@click.option("--visitor-cookie/--no-visitor-cookie", default=None,
              help="Know a browser again, to tell its first click from its last.")  # fmt: skip
@click.option("--click-param", help="The parameter in which landing pages get the click's id.")
@click.option("--qualified-amount", help="A deposit of so much qualifies; '' = any.")
@click.option("--qualified-currency", help="The currency of that amount.")
@entity_option
@by_option
def set_command(entity: str, by: str, **given: Any) -> None:
    """Change what is named here; the rest stays as it is."""
    told = {name: value for name, value in given.items() if value is not None}
    db.migrate()
    with db.transaction() as conn:
        number = entity_id(conn, entity)
        held = partners.tracking_settings(conn, number)
        if told.get("qualified_amount") == "":
            told["qualified_currency"] = ""
        wanted = replace(held, **told)
        if wanted != held:
            partners.set_tracking(conn, number, wanted, by=by)
    _show(wanted, False)


def _show(held: Tracking, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(held)))
        return
    days = f"within {held.window_days} days" if held.window_days else "however long ago"
    amount = f"{held.qualified_amount} {held.qualified_currency} or more"
    console.print(f"A visitor's {held.model} click counts, {days} before he registers.")
    known = (
        "known again by a cookie" if held.visitor_cookie else "not known again: no cookie is set"
    )
    console.print(f"Visitors are {known}.")
    console.print(f"Landing pages get the click's id as {held.click_param}.")
    console.print(f"A deposit of {amount if held.qualified_amount else 'any amount'} qualifies.")
