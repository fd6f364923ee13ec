"""`pipshare load`: reference data from files, with a report per row that needs one."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipshare import db
from pipshare.cli.options import SHOWN, by_option, console, counted, say_booked
from pipshare.facts.reading import LoadReport
from pipshare.pipeline import Run
from pipshare.pipeline.loads import LOADERS, load


@click.command("load")
@click.argument("kind", type=click.Choice(list(LOADERS)), metavar="KIND")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Check everything and change nothing.")
@click.option("--reason", default="", help="Why, for changes that need a second person.")
@by_option
def load_command(kind: str, file: Path, dry_run: bool, reason: str, by: str) -> None:
    """Load reference data from FILE (CSV or JSON).

    KIND is one of entities, servers, groups, symbols, markups, spreads, quotes, fx, partners,
    clients, accounts, events, relations, terms; the columns of each are in
    docs/reference/files.md. Good rows are kept, bad rows are refused with line and reason; a
    re-assignment or a change of go-live becomes a proposal, which a second person approves.
    Exchange rates may also be the European Central Bank's XML.
    """
    db.migrate()
    with db.connect() as conn:
        done = load(Run(conn), kind, file, by=by, reason=reason, dry_run=dry_run)
    for report in done.reports:
        _say(report, dry_run)
    if dry_run:
        console.print("Nothing was changed: this was a dry run.")
    say_booked(done.booked, "Taken up")
    sys.exit(int(any(report.refused for report in done.reports)))


def _say(report: LoadReport, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    console.print(
        f"{report.kind}: {counted(report.rows, 'row')}: {report.added} {would}added,"
        f" {report.changed} {would}changed, {report.same} the same, {len(report.refused)} refused"
        + (f", {len(report.proposed)} {would}proposed" if report.proposed else "")
    )
    for note in report.notes[:SHOWN]:
        console.print(f"  {note}")
    for refusal in report.refused[:SHOWN]:
        console.print(f"  refused: {refusal.reason}")
    if len(report.refused) > SHOWN:
        console.print(f"  ... and {counted(len(report.refused) - SHOWN, 'more refused row')}")
    # A dry run's proposals are rolled back: their numbers would be somebody else's.
    for number in [] if dry_run else sorted(set(report.proposed))[:SHOWN]:
        console.print(f"  proposed: a second person approves it with"
                      f" `pipshare approve {number} --by NAME`")  # fmt: skip
