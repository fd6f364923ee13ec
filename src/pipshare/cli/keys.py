"""`pipshare key`: the keys with which machines use the API."""

from __future__ import annotations

import click

from pipshare import db, market, partners
from pipshare.cli.options import by_option, console, table
from pipshare.people.keys import PROVENANCES, SCOPES, add_key, keys, revoke_key


@click.group("key")
def key_command() -> None:
    """Add, list and revoke the keys with which machines use the API."""


@key_command.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(list(SCOPES)),
              help="What it may do; repeatable.")  # fmt: skip
@click.option("--server", default="", help="The server whose trades it pushes.")
@click.option("--provenance", type=click.Choice(PROVENANCES), default="client", show_default=True,
              help="operator: what it pushes may book; client: it is only compared.")  # fmt: skip
@click.option("--partner", default="", help="Sees this partner's subtree only.")
@by_option
def add_command(
    name: str, scopes: tuple[str, ...], server: str, provenance: str, partner: str, by: str
) -> None:
    """Make a key called NAME and show it, this once."""
    db.migrate()
    with db.transaction() as conn:
        note = ""
        if server:
            held = market.server(conn, server)
            if provenance == "operator" and held.authority != "api":
                note = (
                    f"Trades of {held.code} come from {held.authority}: pushed ones are only"
                    " compared until `pipshare load servers` names the authority api."
                )
        if partner:
            partner = partners.partner(conn, partner).code
        secret = add_key(conn, name, scopes, by=by, server=server, provenance=provenance,
                         partner=partner)  # fmt: skip
    console.print(f"Key {name}: {', '.join(scopes)}. It is shown only now:")
    click.echo(secret)
    if note:
        console.print(note)


@key_command.command("list")
def list_command() -> None:
    """List the keys, with their last use; never the keys themselves."""
    db.migrate()
    with db.connect() as conn:
        found = keys(conn)
    if not found:
        console.print("There is no key yet: pipshare key add NAME --scope trades:read")
        return
    shown = table("", "name", "scopes", "bound to", "made by", "last used", "")
    for one in found:
        bound = f"{one.server} ({one.provenance})" if one.server else one.partner
        used = f"{one.used_at:%Y-%m-%d %H:%M}" if one.used_at else "never"
        shown.add_row(one.name, ", ".join(one.scopes), bound, one.created_by, used,
                      "revoked" if one.revoked_at else "")  # fmt: skip
    console.print(shown)


@key_command.command("revoke")
@click.argument("name")
@by_option
def revoke_command(name: str, by: str) -> None:
    """Revoke the key called NAME, from now on and for good."""
    db.migrate()
    with db.transaction() as conn:
        revoke_key(conn, name, by=by)
    console.print(f"Key {name} is revoked.")
