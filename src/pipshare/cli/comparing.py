"""`pipshare compare legacy`: a parallel run against another system's commission report."""

from __future__ import annotations

import csv
import json
import sys
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from pipshare import db
from pipshare.cli.options import console, counted, json_option, money, table
from pipshare.cli.printed import complain
from pipshare.cli.simulating import first_option, last_option
from pipshare.errors import BadInput
from pipshare.money import format_e8, parse_rate
from pipshare.pipeline import Run
from pipshare.pipeline.compare import Asked, Compared, PartnerRow, TicketRow, compare

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_OUT = click.Path(path_type=Path, dir_okay=False, writable=True)
SHOWN = 20


@click.group("compare")
def compare_command() -> None:
    """Compare what is booked, or a plan would book, with another system."""


@compare_command.command("legacy")
@click.argument("file", type=_FILE)
@click.option("--mapping", type=_FILE, help="Which of its columns is which of ours (TOML).")
@first_option
@last_option
@click.option("--plan", "plans", type=_FILE, multiple=True,
              help="Compare with what these programmes would book.")  # fmt: skip
@click.option("--server", help="Only trades of this server.")
@click.option("--before-go-live", is_flag=True, help="With --plan: trades before go-live, too.")
@click.option("--tolerance", default="0.1", show_default=True, help="Per cent, per partner.")
@click.option("--top", type=click.IntRange(1), default=SHOWN, help="How many tickets to explain.")
@click.option("--csv", "csv_path", type=_OUT, help="Write all partners to this file.")
@json_option
def legacy(
    file: Path, mapping: Path | None, first: date | None, last: date | None,
    plans: tuple[Path, ...], server: str | None, before_go_live: bool, tolerance: str, top: int,
    csv_path: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Compare FILE, a commission report of another system, with ours; only read, nothing booked.

    Passes (exit status 0) when every partner differs by less than the tolerance.
    docs/reference/what-if.md describes report and mapping.
    """
    if before_go_live and not plans:
        raise click.UsageError("--before-go-live needs --plan: nothing is booked of those trades")
    asked = Asked(file, mapping, first, last, plans, server, _percent(tolerance), top,
                  before_go_live)  # fmt: skip
    db.migrate()
    with db.connect() as conn:
        result = compare(Run(conn), asked)
        conn.rollback()
    if csv_path is not None:
        _write(csv_path, result)
    if as_json:
        click.echo(json.dumps(as_dict(result), indent=2, ensure_ascii=False))
    else:
        _say(result)
    sys.exit(int(not result.passes))


def _percent(text: str) -> Fraction:
    try:
        value = parse_rate(text.removesuffix("%"))
    except BadInput as error:
        raise click.BadParameter(error.message, param_hint="--tolerance") from None
    if value <= 0:
        raise click.BadParameter("it is above zero, such as 0.1", param_hint="--tolerance")
    return value


def as_dict(result: Compared) -> dict[str, Any]:
    """Return a comparison ready for JSON."""
    return {
        "passes": result.passes,
        "partners": [_partner(one, result.tolerance) for one in result.partners],
        "tickets": {"same": result.same, "differing": result.differing,
                    "biggest": [_ticket(one) for one in result.tickets]},
        "refused": [{"line": one.line, "code": one.code, "reason": one.reason}
                    for one in result.refused],
    }  # fmt: skip


def _partner(one: PartnerRow, tolerance: Fraction) -> dict[str, Any]:
    return {
        "partner": one.partner, "currency": one.currency, "legacy": format_e8(one.legacy_e8),
        "ours": format_e8(one.ours_e8), "difference": format_e8(one.difference_e8),
        "percent": one.percent_text(), "known": one.known, "passes": one.passes(tolerance),
    }  # fmt: skip


def _ticket(one: TicketRow) -> dict[str, Any]:
    def told(amount: int | None) -> str | None:
        return None if amount is None else format_e8(amount)

    return {
        "partner": one.partner, "server": one.server, "ticket": one.ticket or None,
        "currency": one.currency, "legacy": told(one.legacy_e8), "ours": told(one.ours_e8),
        "difference": format_e8(one.difference_e8), "what": one.what, "why": one.why,
    }  # fmt: skip


def _write(path: Path, result: Compared) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        names = ("partner", "currency", "legacy", "ours", "difference", "percent", "passes")
        writer = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for one in result.partners:
            row = _partner(one, result.tolerance)
            risky = one.partner[:1] in ("=", "+", "-", "@")
            row["partner"] = f"'{one.partner}" if risky else one.partner
            writer.writerow(row | {"passes": "yes" if row["passes"] else "no"})


def _say(result: Compared) -> None:
    shown = table("By partner", "partner", "legacy", "ours", "difference", "%", "",
                  right=(1, 2, 3, 4))  # fmt: skip
    worst = sorted(result.partners, key=lambda one: -abs(one.difference_e8))
    for one in worst[:SHOWN]:
        amounts = (one.legacy_e8, one.ours_e8, one.difference_e8)
        verdict = "" if one.passes(result.tolerance) else "differs"
        shown.add_row(one.partner, *(money(each, one.currency) for each in amounts),
                      one.percent_text(), verdict if one.known else "not known here")  # fmt: skip
    console.print(shown)
    if len(worst) > SHOWN:
        console.print(f"... and {len(worst) - SHOWN} more; --json and --csv have them all")
    if result.same or result.differing:
        console.print(f"{counted(result.same, 'ticket')} agree, {result.differing} differ")
    for each in result.tickets:
        console.print(f"{each.server} {each.ticket or 'no ticket'}, {each.partner}: {each.what},"
                      f" {money(each.difference_e8, each.currency)}")  # fmt: skip
        console.print(f"    {each.why}")
    for refused in result.refused[:SHOWN]:
        complain(f"left out: {refused.reason}")
    told = "passes" if result.passes else "does not pass"
    console.print(f"The parallel run {told} (tolerance {format_e8(_e8(result.tolerance), 1)} %"
                  " per partner)", style="bold")  # fmt: skip


def _e8(share: Fraction) -> int:
    return int(share * 10**8)
