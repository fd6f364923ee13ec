"""`pipshare verify`: check the books and name the first break."""

from __future__ import annotations

import sys

import click

from pipshare import db, ledger, statements
from pipshare.cli.options import console, counted


@click.command("verify")
def verify_command() -> None:
    """Check that transfers balance, that lines sum to legs, and that every wallet adds up."""
    db.migrate()
    with db.connect() as conn:
        breaks, (transfers, legs) = ledger.verify(conn)
        found = [(one.check, one.message) for one in breaks] + statements.check_lines(conn)
    console.print(f"{counted(transfers, 'transfer')}, {counted(legs, 'leg')} checked.")
    for check, message in found:
        console.print(f"broken ({check}): {message}")
    if not found:
        console.print("The books are whole: transfers balance, lines sum to legs, wallets add up.")
    sys.exit(int(bool(found)))
