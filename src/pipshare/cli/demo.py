"""`pipshare demo`: a demonstration broker, from files to explained amounts, in one go."""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path

import click

from pipshare import db, market, sandbox, settings, statements
from pipshare.cli.demo_crm import LOST
from pipshare.cli.demo_live import run_live
from pipshare.cli.demo_tracking import LENA, VOLUUM
from pipshare.cli.explaining import say_explanation
from pipshare.cli.options import console, money, say_booked, table, what_waits
from pipshare.db import embedded
from pipshare.errors import Conflict
from pipshare.facts.reading import LoadReport
from pipshare.pipeline import Booked, Run
from pipshare.pipeline.files import Order, import_file
from pipshare.pipeline.loads import apply_plan, load

BROKER = "Demonstration broker"
BY = "demo"
CLOSE = "period close main 2026-10 --leave-waiting"
SINCE = date(2026, 10, 19)  # its go-live: October is over and can be closed


@click.command("demo")
@click.option("--reset", is_flag=True, help="Drop the demonstration's data and start over.")
@click.option("--seed", default=7, show_default=True, help="Seed of the generated activity.")
@click.option(
    "--trades",
    default=4_000,
    show_default=True,
    type=click.IntRange(2, 1_000_000),
    help="Closed trades to generate.",
)
@click.option("--once", is_flag=True, help="Show some live trades and one explanation, then end.")
@click.option("--files-only", is_flag=True, help="Without the live part.")
def demo_command(reset: bool, seed: int, trades: int, once: bool, files_only: bool) -> None:
    """Load a demonstration broker, book its trades, then go live until Ctrl-C.

    The live part starts an MT5 server and a CRM of an invented broker, connects to both, serves
    the console, and lets visitors click on partners' links, register, deposit and trade.
    """
    started = time.monotonic()
    if reset:
        _reset()
    db.migrate()
    with db.connect() as conn:
        run = Run(conn)
        _not_a_real_broker(run)
        folder = settings.ENV.data / "demo"
        _same_as_before(run, folder, f"seed {seed}, {trades} trades since {SINCE}")
        console.print(f"Generating {trades} closed trades (seed {seed}) as export files ...")
        paths = sandbox.write_demo(folder, sandbox.make_broker(seed, trades, SINCE))
        booked = _load(run, paths)
        booked.add(_import(run, paths))
        say_booked(booked)
        if not booked.trades:
            console.print("Everything was booked before: the same files change nothing.")
        _show(run)
        console.print()
        if not files_only:
            run_live(run, once=once)
    console.print(f"Done in {time.monotonic() - started:.1f} s. Data: {settings.ENV.data}")
    _where_next(files_only)


def _reset() -> None:
    if settings.ENV.database_url is not None:
        raise Conflict("not_embedded", "DATABASE_URL is set: the demonstration never drops a"
                                       " database it did not make. Unset it first.")  # fmt: skip
    with db.connect() as conn:
        _not_a_real_broker(Run(conn))
    embedded.destroy(settings.ENV.data / "database")
    (settings.ENV.data / "demo" / "console_password").unlink(missing_ok=True)
    console.print("The demonstration's data is gone.")


def _not_a_real_broker(run: Run) -> None:
    """Refuse to mix invented trades into books that are not the demonstration's."""
    others = [e.name for e in run.entities.values() if e.name not in (BROKER, "Main entity", "")]
    servers = [s.code for s in run.servers.values() if not s.code.startswith("Demo-")]
    if others or servers:
        raise Conflict(
            "real_data",
            f"this data folder holds {', '.join([*others, *servers])}, which is no demonstration:"
            " choose another with PIPSHARE_DATA=FOLDER",
        )


def _same_as_before(run: Run, folder: Path, made: str) -> None:
    """Refuse to mix two broods of invented trades: their tickets would contradict each other."""
    note = folder / "made_from.txt"
    before = note.read_text(encoding="utf-8") if note.exists() else made
    if run.servers and before != made:
        raise Conflict(
            "other_demo",
            f"this data folder holds the demonstration of {before}: run it with the same numbers,"
            " or start over with `pipshare demo --reset`",
        )
    folder.mkdir(parents=True, exist_ok=True)
    note.write_text(made, encoding="utf-8")


def _load(run: Run, paths: dict[str, Path]) -> Booked:
    """Load reference data and programmes, in the order in which the generator wrote them."""
    booked = Booked()
    for kind, path in paths.items():
        if kind in ("mt4", "mt5"):
            continue
        if kind.startswith("programme "):
            plan, done = apply_plan(run, path, by=BY)
            console.print(f"  plan apply {path.name}: version {plan.number}")
            booked.add(done)
            continue
        result = load(run, kind, path, by=BY)
        booked.add(result.booked)
        _say_load(kind, path, result.reports[0])
    return booked


def _say_load(kind: str, path: Path, report: LoadReport) -> None:
    changed = f", {report.changed} changed" if report.changed else ""
    refused = f", {len(report.refused)} refused" if report.refused else ""
    console.print(f"  load {kind} {path.name}: {report.added} added, {report.same} the same"
                  f"{changed}{refused}")  # fmt: skip


def _import(run: Run, paths: dict[str, Path]) -> Booked:
    booked = Booked()
    for kind, server in (("mt4", "Demo-MT4"), ("mt5", "Demo-MT5")):
        report = import_file(run, paths[kind], Order(server, BY))
        console.print(f"  import --server {server} {paths[kind].name}: {report.format},"
                      f" {report.new} new, {report.repeated} repeated,"
                      f" {len(report.refused)} refused")  # fmt: skip
        booked.add(report.result)
    return booked


def _show(run: Run) -> None:
    held, waiting = statements.overview(run.conn)
    console.print()
    shown = table("Commissions per partner", "partner", "name", "state", "amount", right=(3,))
    for one in held:
        shown.add_row(one.partner, one.name, one.state, money(one.amount_e8, one.currency))
    console.print(shown)
    console.print()
    reasons = table("What waits, and why", "reason", "trades", "what to do", right=(1,))
    totals: dict[str, int] = {}
    for row in waiting:
        totals[row.reason] = totals.get(row.reason, 0) + row.trades
    for reason, count in sorted(totals.items()):
        reasons.add_row(reason, str(count), what_waits(reason))
    console.print(reasons)
    console.print()
    ticket = statements.longest_chain(run.conn)
    if ticket:
        say_explanation(run, market.server(run.conn, ticket[0]), ticket[1])


def _where_next(files_only: bool) -> None:
    program = Path(sys.argv[0]).absolute()
    here = program.is_relative_to(Path.cwd())
    name = str(program.relative_to(Path.cwd())) if here else "pipshare"
    console.print("Try next:")
    tracked = (
        ()
        if files_only
        else (
            f"funnel --partner {LENA.code}",
            f'receiver log "{VOLUUM}"',
            "explain --client W-1002",
            f"explain --event {LOST}",
        )
    )
    for line in ("statement IB-110 --period 2026-11", "waiting", CLOSE, *tracked, "verify",
                 "--help"):  # fmt: skip
        console.print(f"  {name} {line}")
