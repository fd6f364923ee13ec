"""`pipshare approve`, `reject` and `proposals`: changes that need a second person."""

from __future__ import annotations

import click

from pipshare import audit, db
from pipshare.cli.options import console, say_booked, table
from pipshare.pipeline import Run
from pipshare.pipeline.loads import approve, reject


@click.command("approve")
@click.argument("number", type=int)
@click.option("--by", required=True, help="Who approves: not the person who proposed.")
def approve_command(number: int, by: str) -> None:
    """Approve proposal NUMBER as the second person; it takes effect at once."""
    db.migrate()
    with db.connect() as conn:
        proposal, booked = approve(Run(conn), number, by=by)
    console.print(f"Approved: {proposal.subject} ({proposal.kind}), proposed by"
                  f" {proposal.proposed_by}: {proposal.reason}")  # fmt: skip
    say_booked(booked, "Rated again")


@click.command("reject")
@click.argument("number", type=int)
@click.option("--by", required=True, help="Who rejects; who proposed it may take it back so.")
def reject_command(number: int, by: str) -> None:
    """Reject proposal NUMBER: it never takes effect."""
    db.migrate()
    with db.connect() as conn:
        proposal = reject(Run(conn), number, by=by)
    console.print(f"Rejected: {proposal.subject} ({proposal.kind}), proposed by"
                  f" {proposal.proposed_by}: {proposal.reason}")  # fmt: skip


@click.command("proposals")
def proposals_command() -> None:
    """List the changes that wait for a second person."""
    db.migrate()
    with db.connect() as conn:
        pending = audit.pending(conn)
    if not pending:
        console.print("No proposal waits.")
        return
    shown = table("Proposals", "number", "kind", "change", "by", "reason", "since")
    for one in pending:
        since = one.proposed_at.strftime("%Y-%m-%d %H:%M")
        shown.add_row(str(one.id), one.kind, one.subject, one.proposed_by, one.reason, since)
    console.print(shown)
    console.print("A second person takes one up with `pipshare approve NUMBER --by NAME`, or"
                  " `pipshare reject NUMBER --by NAME`.")  # fmt: skip
