"""`pipshare import`: read trade exports, book what they bring, say what became of each row."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from pipshare import db
from pipshare.cli import import_report
from pipshare.cli.options import by_option, console, json_option, moment_ms, say_booked
from pipshare.cli.printed import complain
from pipshare.errors import PipshareError
from pipshare.pipeline import Run, to_rest
from pipshare.pipeline.files import FileReport, Order, import_file
from pipshare.sources.files.check import summary

_FILE = click.Path(path_type=Path)


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--server", help="Name of the trade server the files come from.")
@click.option("--check", is_flag=True, help="Only read the files and say what is in them.")
@json_option
@click.option("--mapping", type=_FILE, help="Mapping file (TOML) for other CSV and XML.")
@click.option("--encoding", help="Character encoding, when the file does not tell.")
@click.option(
    "--trust", metavar="REASON", default="", help="Book a document that a client can edit."
)
@click.option(
    "--login", type=click.IntRange(min=1), help="The account of a file that names none (a journal)."
)
@click.option("--accept-gap", is_flag=True, help="Import a statement that does not add up.")
@click.option("--as-of", callback=moment_ms, help="When the file was exported, if it does not say.")
@by_option
def import_command(files: tuple[Path, ...], check: bool, as_json: bool, **options: Any) -> None:
    """Read trade exports and book what they bring. The format is told by content."""
    if check:
        sys.exit(_check(files, options, as_json))
    if not options["server"]:
        raise click.UsageError("say which trade server the files come from: --server NAME")
    order = Order(
        options["server"], options["by"], options["mapping"], options["encoding"],
        options["trust"].strip(), options["accept_gap"], options["as_of"], options["login"],
    )  # fmt: skip
    sys.exit(_import(files, order, quiet=as_json))


def _check(files: tuple[Path, ...], options: dict[str, Any], as_json: bool) -> int:
    found = [summary(path, mapping=options["mapping"], encoding=options["encoding"])
             for path in files]  # fmt: skip
    if as_json:
        click.echo(json.dumps({"files": found}, indent=2, ensure_ascii=False))
    else:
        for one in found:
            import_report.say_check(one)
    return int(any(one["error"] for one in found))


def _import(files: tuple[Path, ...], order: Order, *, quiet: bool) -> int:
    db.migrate()
    reports: list[dict[str, Any]] = []
    with db.connect() as conn:
        run = Run(conn)
        for path in files:
            try:
                report = _one(run, path, order, quiet=quiet)
                reports.append(import_report.as_json(report))
            except PipshareError as error:
                conn.rollback()
                run.refresh()
                reports.append({"file": str(path), "error": error.message})
                complain(error.message)
        taken_up = to_rest(run)
    if quiet:
        found = {"files": reports, "taken_up": asdict(taken_up)}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        say_booked(taken_up, "Taken up")
    return int(any(one["error"] for one in reports))


def _one(run: Run, path: Path, order: Order, *, quiet: bool) -> FileReport:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(),
               TextColumn("{task.completed} rows"), TimeElapsedColumn())  # fmt: skip
    hidden = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task(f"import {path.name}", total=None)
        report = import_file(run, path, order, lambda rows: bar.advance(task, rows))
    if not quiet:
        import_report.say(report)
    return report
