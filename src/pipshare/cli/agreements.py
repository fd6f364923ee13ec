"""`pipshare agreement`: what partners agree to, in versions, and who accepted which."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TextIO

import click

from pipshare import db, partners
from pipshare.cli.landings import entity_id, entity_option
from pipshare.cli.options import by_option, console, moment_ms, table
from pipshare.pipeline import onboarding


@click.group("agreement")
def agreement_command() -> None:
    """Agreements with partners: publish a version, list, show; with one the page to apply opens."""


@agreement_command.command("add")
@click.argument("code")
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--title", required=True, help="As applicants read it.")
@click.option("--valid-from", callback=moment_ms, help="A moment as 2026-12-01T00:00Z; now.")
@entity_option
@by_option
def add_command(
    code: str, file: TextIO, title: str, valid_from: int | None, entity: str, by: str
) -> None:
    """Publish the text of FILE as the next version of agreement CODE, as partner or privacy."""
    text = file.read()
    db.migrate()
    with db.transaction() as conn:
        made = onboarding.publish(
            conn, entity_id(conn, entity), code, title, text, by=by,
            valid_from_ms=time.time_ns() // 1_000_000 if valid_from is None else valid_from,
        )  # fmt: skip
    console.print(f"Version {made.version} of {made.code} is published, valid from"
                  f" {_when(made.valid_from_ms)} UTC. SHA-256: {made.digest}")  # fmt: skip


@agreement_command.command("list")
@entity_option
def list_command(entity: str) -> None:
    """List all versions, and how many accepted each."""
    db.migrate()
    now_ms = time.time_ns() // 1_000_000
    with db.connect() as conn:
        whose = entity_id(conn, entity)
        found = partners.agreements(conn, whose)
        current = {one.id for one in partners.agreements_at(conn, whose, now_ms)}
        many = {one.id: len(partners.acceptances(conn, agreement_id=one.id, limit=10_000))
                for one in found}  # fmt: skip
    if not found:
        console.print("There is no agreement yet: pipshare agreement add partner FILE --title ...")
        return
    shown = table("", "code", "version", "title", "valid from", "", "accepted", right=(1, 5))
    for one in found:
        state = "in force" if one.id in current else ""
        state = "to come" if one.valid_from_ms > now_ms else state
        shown.add_row(one.code, str(one.version), one.title, _when(one.valid_from_ms),
                      state, str(many[one.id]))  # fmt: skip
    console.print(shown)


@agreement_command.command("show")
@click.argument("code")
@click.option("--version", type=int, help="The newest by default.")
@entity_option
def show_command(code: str, version: int | None, entity: str) -> None:
    """Show the text of a version and who accepted it."""
    db.migrate()
    with db.connect() as conn:
        one = partners.agreement(conn, entity_id(conn, entity), code, version)
        found = partners.acceptances(conn, agreement_id=one.id)
    console.print(f"{one.title}, version {one.version}, valid from {_when(one.valid_from_ms)} UTC,"
                  f" SHA-256 {one.digest}")  # fmt: skip
    click.echo(one.text)
    for each in found:
        who = f"{each.name or 'erased'} from {each.address or 'elsewhere'}"
        which = f" (application {each.application_id})" if each.application_id else ""
        console.print(f"accepted {_when(each.at_ms)} UTC by {who}{which}")


def _when(utc_ms: int) -> str:
    return f"{datetime.fromtimestamp(utc_ms / 1000, UTC):%Y-%m-%d %H:%M}"
