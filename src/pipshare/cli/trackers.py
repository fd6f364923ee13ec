"""`pipshare tracker`: who may post back to us, and the addresses that his developer calls."""

from __future__ import annotations

import click

from pipshare import db, inbox, market, settings
from pipshare.cli.options import by_option, console, table
from pipshare.errors import Missing
from pipshare.tracking.postbacks import KINDS
from pipshare.tracking.postbacks_url import EXAMPLES, url_of

_HERE = "http://127.0.0.1:8000"
_MADE = "TOKEN"


@click.group("tracker")
def tracker_command() -> None:
    """Who may post back to us: add, list and revoke trackers; print their addresses."""


@tracker_command.command("add")
@click.argument("code")
@click.option("--entity", default="main", show_default=True, help="Whose clients it tells of.")
@click.option("--money", multiple=True, type=click.Choice(inbox.MONEY_KINDS),
              help="What it says of these books, else it only attributes; repeatable.")  # fmt: skip
@click.option("--allow", "networks", multiple=True, metavar="CIDR",
              help="It may send from this address or network only; repeatable.")  # fmt: skip
@click.option("--signed", is_flag=True, help="Ask for a signature: HMAC-SHA256.")
@by_option
def add_command(
    code: str, entity: str, money: tuple[str, ...], networks: tuple[str, ...], signed: bool, by: str
) -> None:
    """Make a tracker called CODE and show its token, this once."""
    db.migrate()
    with db.transaction() as conn:
        found = next((one for one in market.entities(conn).values() if one.code == entity), None)
        if found is None:
            raise Missing("no_entity", f"no entity {entity!r}: load it first")
        token, secret = inbox.add_tracker(conn, found.id, code, networks=networks, money=money,
                                          is_signed=signed, by=by)  # fmt: skip
    console.print(f"Tracker {code} of entity {entity}. Its token is shown only now:")
    click.echo(token)
    if secret:
        console.print("Its signing secret, shown only now, too:")
        click.echo(secret)
    books = ", ".join(money) or "nothing: deposits and the like come from elsewhere"
    console.print(f"It attributes clients; what it books: {books}.")
    console.print(f"An address to call: {url_of(_base(), 'registration', token)}")
    console.print(f"For all of them: pipshare tracker url {code}")


@tracker_command.command("list")
def list_command() -> None:
    """List the trackers; never their tokens."""
    db.migrate()
    with db.connect() as conn:
        found = inbox.trackers(conn)
    if not found:
        console.print("There is no tracker yet: pipshare tracker add CODE")
        return
    shown = table("", "code", "entity", "books", "from", "signed", "")
    for one in found:
        shown.add_row(one.code, one.entity, ", ".join(one.money) or "nothing",
                      ", ".join(one.networks) or "anywhere", "yes" if one.secret else "no",
                      one.state if one.state != "active" else "")  # fmt: skip
    console.print(shown)


@tracker_command.command("revoke")
@click.argument("code")
@click.option("--reason", default="", help="Why, for the record.")
@by_option
def revoke_command(code: str, reason: str, by: str) -> None:
    """Refuse the token of the tracker called CODE from now on, for good."""
    db.migrate()
    with db.transaction() as conn:
        inbox.revoke_tracker(conn, code, by=by, reason=reason)
    console.print(f"Tracker {code} is revoked.")


@tracker_command.command("url")
@click.argument("code")
@click.option("--event", type=click.Choice(KINDS), help="Only this event's.")
def url_command(code: str, event: str | None) -> None:
    """Print the addresses that the developer of tracker CODE calls, ready to be filled in.

    The token is not kept, and stands as TOKEN.
    """
    db.migrate()
    with db.connect() as conn:
        one = inbox.tracker(conn, code)
    for kind in KINDS if event is None else (event,):
        click.echo(url_of(_base(), kind, _MADE, is_signed=one.secret is not None))
        console.print(f"    {EXAMPLES[kind].about}")


def _base() -> str:
    return settings.ENV.url or _HERE
