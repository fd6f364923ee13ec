"""`pipshare crm`: connections to CRMs, their secrets and states; mappings, log and replay."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from pipshare import db, inbox, settings
from pipshare.cli.crm_add import add_command, own_secret, own_secret_options
from pipshare.cli.crm_log import log_command, replay_command, waiting_command
from pipshare.cli.crm_mapping import mapping_command
from pipshare.cli.options import by_option, console, counted, table
from pipshare.crm import preset
from pipshare.inbox import Endpoint
from pipshare.inbox.endpoints import ACTIVE, PAUSED, REMOVED, WEBHOOK
from pipshare.period import from_ms
from pipshare.pipeline.crm.hook_settings import hook_settings
from pipshare.pipeline.crm.set_up import rotate

_code = click.argument("code")
_reason = click.option("--reason", default="", help="Why, for the record.")


@click.group("crm")
def crm_command() -> None:
    """Connections to CRMs: add, map, watch, replay."""


for _one in (add_command, mapping_command, log_command, waiting_command, replay_command):
    crm_command.add_command(_one)


def address_of(one: Endpoint) -> str:
    """Return the address that a webhook's sender calls."""
    base = settings.ENV.url or "http://127.0.0.1:8000"
    return hook_settings(one.settings).url or f"{base}/hooks/{one.code}"


@crm_command.command("list")
def list_command() -> None:
    """List the endpoints, and how they fare."""
    db.migrate()
    with db.connect() as conn:
        found = inbox.endpoints(conn)
        fares = inbox.endpoint_statuses(conn)
        newest = {one.id: inbox.published(conn, one.id) for one in found}
    if not found:
        console.print("There is no endpoint yet: pipshare crm add CODE --preset NAME")
        return
    shown = table("", "code", "entity", "kind", "preset", "state", "mapping", "fares")
    for one in found:
        version = newest[one.id]
        fare = fares[one.id]
        how = "" if one.kind == WEBHOOK else "never read yet"
        if fare.fails:
            how = f"failing, {counted(fare.fails, 'time')}: {fare.error[:60]}"
        elif fare.last_ok_ms:
            how = f"read {from_ms(fare.last_ok_ms):%Y-%m-%d %H:%M:%S}"
        shown.add_row(one.code, one.entity, one.kind, one.preset, one.state,
                      str(version.version) if version else "none", how)  # fmt: skip
    console.print(shown)


@crm_command.command("show")
@_code
def show_command(code: str) -> None:
    """Show how endpoint CODE is set up and how it fares; no secrets."""
    db.migrate()
    with db.connect() as conn:
        one = inbox.endpoint(conn, code)
        fare = inbox.endpoint_statuses(conn)[one.id]
        valid = len(inbox.endpoint_secrets(conn, one.id))
        versions = inbox.mapping_versions(conn, one.id)
    console.print(f"{one.code}: {one.kind} of entity {one.entity}, {one.state}")
    if one.kind == WEBHOOK:
        console.print(f"  address: {address_of(one)}")
        console.print(f"  proven by: {json.dumps(one.verify)}")
    for key, value in one.settings.items():
        console.print(f"  {key}: {value if isinstance(value, str) else json.dumps(value)}")
    console.print(f"  secrets that hold: {valid}")
    newest = (
        f"version {versions[0].version} of {from_ms(versions[0].at_ms):%Y-%m-%d}"
        f" by {versions[0].by}"
        if versions
        else "none: payloads are kept until one is published"
    )
    console.print(f"  mapping: {newest}")
    if one.preset:
        console.print(f"  preset {one.preset} lacks: {preset(one.preset).lacks}")
    if fare.last_ok_ms:
        console.print(f"  last read: {from_ms(fare.last_ok_ms):%Y-%m-%d %H:%M:%S}")
    if fare.fails:
        console.print(f"  failing, {counted(fare.fails, 'time')}: {fare.error}")


def _state_command(name: str, state: str, about: str, said: str) -> Callable[..., None]:
    @crm_command.command(name, help=about)
    @_code
    @_reason
    @by_option
    def command(code: str, reason: str, by: str) -> None:
        db.migrate()
        with db.transaction() as conn:
            one = inbox.endpoint(conn, code)
            inbox.set_endpoint_state(conn, one, state, by=by, reason=reason)
        console.print(f"Endpoint {code} {said}.")

    return command


_state_command("pause", PAUSED, "Take nothing from CODE, and ask it for nothing, until resumed.",
               "is paused: senders are told to come again later")  # fmt: skip
_state_command("resume", ACTIVE, "Take from CODE again, or ask it again.", "is active")
_state_command("remove", REMOVED, "Close CODE for good; what it brought stays.",
               "is removed: its secrets are forgotten, what it brought stays")  # fmt: skip


@crm_command.command("rotate")
@_code
@own_secret_options
@click.option("--now", is_flag=True, help="The secret before ends at once: it has leaked.")
@by_option
def rotate_command(code: str, now: bool, by: str, **given: Any) -> None:
    """Give CODE a new secret; the one before holds for 24 more hours."""
    db.migrate()
    with db.transaction() as conn:
        one = inbox.endpoint(conn, code)
        made = rotate(conn, one, own_secret(one.kind != WEBHOOK, **given), now=now, by=by)
    until = "ended with this" if now else "holds for 24 more hours"
    console.print(f"Endpoint {code} has a new secret; the one before {until}.")
    if made:
        console.print("It is shown only now:")
        click.echo(made)
