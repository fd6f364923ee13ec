"""`pipshare plan`: check, apply, compare and export programmes."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipshare import db, plans
from pipshare.cli.options import by_option, console, counted, say_booked
from pipshare.cli.printed import complain
from pipshare.errors import PipshareError
from pipshare.pipeline import Run
from pipshare.pipeline.loads import apply_plan, plan_text

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group("plan")
def plan_command() -> None:
    """Check, apply, compare and export programmes (docs/reference/plans.md)."""


@plan_command.command("check")
@click.argument("files", nargs=-1, required=True, type=_FILE)
def check(files: tuple[Path, ...]) -> None:
    """Read programme files and say what is wrong in them; needs no database."""
    wrong = 0
    for path in files:
        try:
            programme = plans.parse(plan_text(path), str(path))
        except PipshareError as error:
            wrong += 1
            complain(error.message)
            continue
        rates = sum(len(component.rates) for component in programme.components)
        console.print(f"{path}: programme {programme.code}:"
                      f" {counted(len(programme.components), 'component')},"
                      f" {counted(rates, 'rate')}; no errors")  # fmt: skip
    sys.exit(int(wrong > 0))


@plan_command.command("apply")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@by_option
def apply(files: tuple[Path, ...], by: str) -> None:
    """Apply programme files as new versions and rate what they change."""
    db.migrate()
    with db.connect() as conn:
        run = Run(conn)
        for path in files:
            report, booked = apply_plan(run, path, by=by)
            verb = "applied" if report.changed else "unchanged"
            console.print(f"{path}: programme {report.code} version {report.number} {verb}")
            for line in [*report.differences, *(f"note: {note}" for note in report.notes)]:
                console.print(f"  {line}")
            say_booked(booked, "Taken up")


@plan_command.command("diff")
@click.argument("file", type=_FILE)
def diff(file: Path) -> None:
    """Compare a programme file with the version in force."""
    db.migrate()
    with db.connect() as conn:
        lines = plans.diff(conn, plan_text(file), str(file))
    for line in lines or ["No difference."]:
        console.print(line)


@plan_command.command("export")
@click.argument("code")
@click.option("--version", type=int, help="Version number; the newest by default.")
def export(code: str, version: int | None) -> None:
    """Print a programme as it was applied."""
    db.migrate()
    with db.connect() as conn:
        click.echo(plans.export(conn, code, version), nl=False)
