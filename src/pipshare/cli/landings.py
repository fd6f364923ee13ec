"""`pipshare landing`: the pages to which links may lead."""

from __future__ import annotations

from typing import Any

import click
import psycopg

from pipshare import db, market, partners
from pipshare.cli.options import by_option, console, table
from pipshare.errors import Missing

entity_option = click.option("--entity", default="main", show_default=True, help="Whose.")


@click.group("landing")
def landing_command() -> None:
    """Landing pages, the only places to which links lead: add, list, archive."""


@landing_command.command("add")
@click.argument("code")
@click.argument("url")
@click.option("--default", "is_default", is_flag=True,
              help="Where links lead that have no page of their own; the first is it.")  # fmt: skip
@entity_option
@by_option
def add_command(code: str, url: str, is_default: bool, entity: str, by: str) -> None:
    """Allow the page at URL, and what is below its path, under the name CODE.

    Query and fragment may hold {click_id}, {sub1} to {sub5}, {link}, {campaign}, {partner}.
    """
    db.migrate()
    with db.transaction() as conn:
        made = partners.add_landing(
            conn, entity_id(conn, entity), code, url, by=by, is_default=is_default
        )
    default = "; links lead here by default" if made.is_default else ""
    console.print(f"Landing page {made.code}: {made.url}{default}.")


@landing_command.command("default")
@click.argument("code")
@entity_option
@by_option
def default_command(code: str, entity: str, by: str) -> None:
    """Let links without a landing page of their own lead to CODE."""
    db.migrate()
    with db.transaction() as conn:
        one = partners.landing(conn, entity_id(conn, entity), code)
        partners.make_default(conn, one, by=by)
    console.print(f"Links lead to {one.code} by default.")


@landing_command.command("list")
@click.option("--archived", is_flag=True, help="Archived ones, too.")
@entity_option
def list_command(archived: bool, entity: str) -> None:
    """List the landing pages."""
    db.migrate()
    with db.connect() as conn:
        found = partners.landings(conn, entity_id(conn, entity), archived=archived)
    if not found:
        console.print("There is no landing page yet: pipshare landing add CODE URL")
        return
    shown = table("", "code", "address", "")
    for one in found:
        shown.add_row(one.code, one.url, "default" if one.is_default else
                      "" if one.state == partners.ACTIVE else one.state)  # fmt: skip
    console.print(shown)


@landing_command.command("archive")
@click.argument("code")
@entity_option
@by_option
def archive_command(code: str, entity: str, by: str) -> None:
    """Allow CODE no more; its links lead to the default page."""
    db.migrate()
    with db.transaction() as conn:
        one = partners.landing(conn, entity_id(conn, entity), code)
        partners.archive_landing(conn, one, by=by)
    console.print(f"Landing page {one.code} is archived.")


def entity_id(conn: psycopg.Connection[Any], code: str) -> int:
    """Return the id of an entity. Raises Missing."""
    for one in market.entities(conn).values():
        if one.code == code:
            return one.id
    raise Missing("no_entity", f"no entity {code!r}: load it with `pipshare load entities`")
