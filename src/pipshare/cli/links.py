"""`pipshare link`: partners' links and their codes to scan; codes typed at registration."""

from __future__ import annotations

from pathlib import Path

import click

from pipshare import db, partners, settings
from pipshare.cli.options import by_option, console, table
from pipshare.errors import BadInput
from pipshare.tracking.qr import FORMATS, qr

_HERE = "http://127.0.0.1:8000"


@click.group("link")
def link_command() -> None:
    """Partners' links and typed codes: add, list, archive, draw as a QR code."""


@link_command.command("add")
@click.argument("partner")
@click.option("--code", default="", help="What follows /c/; made up when left out.")
@click.option("--campaign", default="", help="Links of a campaign are counted together.")
@click.option("--name", default="", help="For yourself.")
@click.option("--landing", "landing", default="", help="The landing page; the default one else.")
@click.option("--entity", default=None, help="Of the partner, where several have such a code.")
@by_option
def add_command(
    partner: str, code: str, campaign: str, name: str, landing: str, entity: str | None, by: str
) -> None:
    """Make a link of PARTNER's and print it."""
    db.migrate()
    with db.transaction() as conn:
        who = partners.partner(conn, partner, entity)
        where = partners.landing(conn, who.entity_id, landing) if landing else None
        made = partners.add_link(
            conn, who, by=by, code=code, campaign=campaign, name=name, landing=where
        )
    click.echo(address(made.code))


@link_command.command("list")
@click.option("--partner", default="", help="His links only.")
@click.option("--archived", is_flag=True, help="Archived ones, too.")
def list_command(partner: str, archived: bool) -> None:
    """List the links."""
    db.migrate()
    with db.connect() as conn:
        only = [partners.partner(conn, partner).id] if partner else None
        found = partners.links(conn, only, archived=archived)
    if not found:
        console.print("There is no link yet: pipshare link add PARTNER")
        return
    shown = table("", "code", "partner", "campaign", "name", "address", "")
    for one in found:
        shown.add_row(one.code, one.partner, one.campaign, one.name, address(one.code),
                      "" if one.state == partners.ACTIVE else one.state)  # fmt: skip
    console.print(shown)


@link_command.command("archive")
@click.argument("code")
@by_option
def archive_command(code: str, by: str) -> None:
    """Let nobody become a client by link CODE any more; it still leads to its page."""
    db.migrate()
    with db.transaction() as conn:
        one = partners.link(conn, code)
        partners.archive_link(conn, one, by=by)
    console.print(f"Link {one.code} is archived: it leads on, and attributes nobody.")


@link_command.command("qr")
@click.argument("code")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--scale", default=8, show_default=True, type=click.IntRange(1, 100),
              help="Pixels for each square.")  # fmt: skip
def qr_command(code: str, file: Path, scale: int) -> None:
    """Draw link CODE to scan, into FILE: an .svg or a .png."""
    kind = file.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise BadInput("bad_format", f"{file.name}: a code is drawn as .svg or .png; name the file"
                                     " so")  # fmt: skip
    db.migrate()
    with db.connect() as conn:
        one = partners.link(conn, code)
    file.write_bytes(qr(address(one.code), kind, scale=scale))
    console.print(f"{file} leads to {address(one.code)}")


@link_command.command("typed")
@click.argument("partner")
@click.argument("code")
@click.option("--archive", is_flag=True, help="It stands for nobody any more.")
@click.option("--entity", default=None, help="Of the partner, where several have such a code.")
@by_option
def typed_command(partner: str, code: str, archive: bool, entity: str | None, by: str) -> None:
    """Let CODE, typed at registration, stand for PARTNER beside his own code."""
    db.migrate()
    with db.transaction() as conn:
        who = partners.partner(conn, partner, entity)
        act = partners.archive_typed_code if archive else partners.add_typed_code
        act(conn, who, code, by=by)
    console.print(f"{code} stands for {'nobody' if archive else f'partner {who.code}'}.")


def address(code: str) -> str:
    """Return the address that people click: under PIPSHARE_URL, or on this machine."""
    return f"{settings.ENV.url or _HERE}/c/{code}"
