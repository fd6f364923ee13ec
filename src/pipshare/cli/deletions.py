"""`pipshare source approve-deletions`: decide what a platform deleted in a suspicious number."""

from __future__ import annotations

import click

from pipshare import db
from pipshare.cli.options import by_option, console, counted
from pipshare.pipeline.feeds.mt5_deletions import decide_deletions


@click.command("approve-deletions")
@click.argument("code")
@click.option("--keep", is_flag=True, help="Keep the money: the deletions are not followed.")
@click.option("--reason", required=True, help="Why; it is audited.")
@by_option
def approve_deletions(code: str, keep: bool, reason: str, by: str) -> None:
    """Reverse the trades that source CODE holds as deleted, or keep them with --keep.

    The platform is asked once more for each before anything is reversed.
    """
    db.migrate()
    with db.transaction() as conn:
        count = decide_deletions(conn, code, by=by, reason=reason, approve=not keep)
    then = "keep their money" if keep else "are reversed within a minute, while `work` runs"
    console.print(f"{counted(count, 'deal')} of {code} {then}.")
