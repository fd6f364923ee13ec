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
from pipshare.cli.options import by_option, console, json_option, moment_ms, say_booked
from pipshare.errors import PipshareError
from pipshare.money import format_e8
from pipshare.pipeline import Run
from pipshare.pipeline.files import FileReport, Order, import_file
from pipshare.sources.files.check import summary

_SHOWN = 20  # refused rows printed per file; all of them are stored
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
        options["trust"].strip(), options["accept_gap"], options["as_of"],
    )  # fmt: skip
    sys.exit(_import(files, order, as_json))


def _check(files: tuple[Path, ...], options: dict[str, Any], as_json: bool) -> int:
    found = [summary(path, mapping=options["mapping"], encoding=options["encoding"])
             for path in files]  # fmt: skip
    if as_json:
        click.echo(json.dumps({"files": found}, indent=2, ensure_ascii=False))
    else:
        for one in found:
            _say_check(one)
    return int(any(one["error"] for one in found))


def _say_check(one: dict[str, Any]) -> None:
    if one["error"]:
        console.print(f"[bold]{one['file']}[/]: refused. {one['error']}", markup=True)
        return
    account = f", account {one['account']}" if one["account"] else ""
    console.print(f"[bold]{one['file']}[/]: {one['format']} ({one['encoding']}){account}")
    printed = one["closed_pl_printed"]
    console.print(
        f"  {one['closed_trades']} closed trades, {one['lots']} lots, closed P/L"
        f" {one['closed_pl_summed']}" + (f" (printed {printed})" if printed is not None else "")
    )
    console.print(f"  {one['balance_rows']} balance rows, {one['cancelled']} cancelled orders,"
                  f" {one['compaction_rows']} compaction rows")  # fmt: skip
    for row in one["refused"][:_SHOWN]:
        console.print(f"  refused, line {row['line']}: {row['reason']}", markup=False)


def _import(files: tuple[Path, ...], order: Order, as_json: bool) -> int:
    db.migrate()
    reports: list[dict[str, Any]] = []
    failed = False
    with db.connect() as conn:
        run = Run(conn)
        for path in files:
            try:
                report = _one(run, path, order, quiet=as_json)
                reports.append(_as_json(report))
            except PipshareError as error:
                conn.rollback()
                run.refresh()
                failed = True
                reports.append({"file": str(path), "error": error.message})
                click.echo(f"pipshare: {error.message}", err=True)
    if as_json:
        click.echo(json.dumps({"files": reports}, indent=2, ensure_ascii=False))
    return int(failed)


def _one(run: Run, path: Path, order: Order, *, quiet: bool) -> FileReport:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} rows"),
               TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=quiet) as bar:
        task = bar.add_task(f"import {path.name}", total=None)
        report = import_file(run, path, order, lambda rows: bar.advance(task, rows))
    if not quiet:
        _say(report)
    return report


def _say(report: FileReport) -> None:
    counts = {
        "new": report.new, "repeated": report.repeated, "revised": report.revised,
        "older than what is stored": report.older, "refused": len(report.refused),
        "balance rows": report.cash, "cancelled orders": report.cancelled,
        "compaction rows": report.compaction, "opening unknown": report.opening_unknown,
    }  # fmt: skip
    shown = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    console.print(f"[bold]{report.file}[/]: {report.format}; {shown or 'nothing in it'}")
    if report.gap_e8:
        console.print(f"  accepted gap: {format_e8(report.gap_e8)}")
    if report.why_not:
        console.print(f"  not booked: {report.why_not}", markup=False)
    if report.why_not:
        console.print(f"  compared: {report.matching} match, {report.differing} differ,"
                      f" {report.not_stored} are not stored")  # fmt: skip
    for one in report.differences[:_SHOWN]:
        told = ", ".join(f"{name} {here} here, {stored} stored"
                         for name, (here, stored) in one.fields.items())  # fmt: skip
        console.print(f"    line {one.line}, ticket {one.ticket}: {told}", markup=False)
    for refusal in report.refused[:_SHOWN]:
        console.print(f"  refused, line {refusal.line}: {refusal.reason}", markup=False)
    if len(report.refused) > _SHOWN:
        console.print(f"  ... and {len(report.refused) - _SHOWN} more refused rows")
    say_booked(report.result)


def _as_json(report: FileReport) -> dict[str, Any]:
    found = asdict(report)
    found["gap"] = format_e8(found.pop("gap_e8"))
    for row in found["refused"]:
        row.pop("raw")
    return {**found, "error": None}
