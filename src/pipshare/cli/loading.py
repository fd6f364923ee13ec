"""`pipshare load`: reference data from files, with a report per row that needs one."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipshare import db
from pipshare.cli.options import by_option, console, say_booked
from pipshare.facts.reading import LoadReport
from pipshare.pipeline import Run
from pipshare.pipeline.loads import LOADERS, load

_SHOWN = 20


@click.command("load")
@click.argument("kind", type=click.Choice(list(LOADERS)))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Check everything and change nothing.")
@click.option("--reason", default="", help="Why, for changes that need a second person.")
@by_option
def load_command(kind: str, file: Path, dry_run: bool, reason: str, by: str) -> None:
    """Load reference data from FILE (CSV or JSON).

    The columns of each KIND are in docs/reference/files.md. Good rows are kept, bad rows are
    refused with line and reason; a re-assignment or a change of go-live becomes a proposal, which
    a second person approves.
    """
    db.migrate()
    with db.connect() as conn:
        done = load(Run(conn), kind, file, by=by, reason=reason, dry_run=dry_run)
    for report in done.reports:
        _say(report, dry_run)
    say_booked(done.booked, "Taken up")
    sys.exit(int(any(report.refused for report in done.reports)))


def _say(report: LoadReport, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    console.print(
        f"{report.kind}: {report.rows} rows: {report.added} {would}added, {report.changed} {would}"
        f"changed, {report.same} the same, {len(report.refused)} refused"
        + (f", {len(report.proposed)} proposed" if report.proposed else "")
    )
    for note in report.notes[:_SHOWN]:
        console.print(f"  {note}", markup=False)
    for refusal in report.refused[:_SHOWN]:
        console.print(f"  refused: {refusal.reason}", markup=False)
    if len(report.refused) > _SHOWN:
        console.print(f"  ... and {len(report.refused) - _SHOWN} more refused rows")
    for proposal in report.proposed[:_SHOWN]:
        console.print(f"  proposed: a second person approves it with"
                      f" `pipshare approve {proposal} --by NAME`")  # fmt: skip
