"""`pipshare user`: the people who may sign in."""

from __future__ import annotations

from pathlib import Path

import click

from pipshare import db, partners, settings
from pipshare.cli.options import by_option, console, table
from pipshare.people import ROLES, accounts

_password = click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the password on its first line; without, one is made and shown once.",
)


@click.group("user")
def user_command() -> None:
    """Add, list, disable and reset the people who sign in."""


@user_command.command("add")
@click.argument("email")
@click.option("--role", required=True, type=click.Choice(list(ROLES)), help="What he may do.")
@click.option("--name", default="", help="His name, as pages show it.")
@click.option("--partner", default="", help="The partner's code, for the role partner.")
@click.option("--exempt", is_flag=True, help="He may work without a second factor.")
@_password
@by_option
def add_command(
    email: str, role: str, name: str, partner: str, exempt: bool, password_file: Path | None,
    by: str,
) -> None:  # fmt: skip
    """Add a person who signs in with EMAIL."""
    db.migrate()
    with db.connect() as conn:
        if partner:
            partner = partners.partner(conn, partner).code
        password = accounts.add(conn, email, role, by=by, name=name, partner_code=partner,
                                exempt=exempt, password=_first_line(password_file))  # fmt: skip
    console.print(f"Added {email}, {ROLES[role].name}: {ROLES[role].about}")
    _say_password(password, password_file)


@user_command.command("list")
def list_command() -> None:
    """List everybody, with role and last sign-in."""
    db.migrate()
    with db.connect() as conn:
        everyone = accounts.everyone(conn)
    if not everyone:
        console.print("Nobody can sign in yet: pipshare user add EMAIL --role admin")
        return
    shown = table("", "e-mail", "name", "role", "second factor", "last sign-in", "")
    for one in everyone:
        last = f"{one.last_sign_in:%Y-%m-%d %H:%M}" if one.last_sign_in else "never"
        role = f"{one.role} {one.partner_code}".strip()
        factor = "on" if one.has_second_factor else "off"
        factor += ", exempt" if one.is_exempt else ""
        shown.add_row(one.email, one.name, role, factor, last, "" if one.is_active else "disabled")
    console.print(shown)
    if settings.ENV.second_factor == "optional":
        console.print("Nobody needs a second factor here: PIPSHARE_SECOND_FACTOR is optional.")


@user_command.command("exempt")
@click.argument("email")
@click.option("--undo", is_flag=True, help="He needs one again.")
@click.option("--reason", default="", help="Why; it is written down.")
@by_option
def exempt_command(email: str, undo: bool, reason: str, by: str) -> None:
    """Let EMAIL work without a second factor: a demonstration, or a lost telephone."""
    db.migrate()
    with db.connect() as conn:
        found = accounts.set_exempt(conn, email, not undo, by=by, reason=reason)
    console.print(f"{found.email} {'needs' if undo else 'may work without'} a second factor.")


@user_command.command("disable")
@click.argument("email")
@click.option("--undo", is_flag=True, help="Let him in again.")
@by_option
def disable_command(email: str, undo: bool, by: str) -> None:
    """Shut EMAIL out at once; nothing he did is deleted."""
    db.migrate()
    with db.connect() as conn:
        found = accounts.set_active(conn, email, undo, by=by)
    console.print(f"{found.email} {'may sign in again' if undo else 'is shut out'}.")


@user_command.command("reset")
@click.argument("email")
@click.option("--second-factor", is_flag=True, help="Take his authenticator away, too.")
@_password
@by_option
def reset_command(email: str, second_factor: bool, password_file: Path | None, by: str) -> None:
    """Give EMAIL a new password, when he forgot his."""
    db.migrate()
    with db.connect() as conn:
        password = accounts.reset(conn, email, by=by, second_factor=second_factor,
                                  password=_first_line(password_file))  # fmt: skip
    console.print(f"{email} has a new password; he is signed out everywhere.")
    _say_password(password, password_file)


def _first_line(path: Path | None) -> str | None:
    return path.read_text(encoding="utf-8").split("\n", 1)[0].strip() if path else None


def _say_password(password: str, given: Path | None) -> None:
    """Show a password that was made here, once; it is stored nowhere."""
    if given is None:
        console.print(f"Password: {password}")
        console.print("It is shown this once. He has to choose his own at the first sign-in.")
