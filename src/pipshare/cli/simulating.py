"""`pipshare simulate`: what partners would have earned by other plans; nothing is booked."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import click

from pipshare import db
from pipshare.cli.options import console, counted, json_option, money, table
from pipshare.errors import BadInput
from pipshare.money import format_e8
from pipshare.pipeline import Run
from pipshare.pipeline.simulate import Answer, Margin, PartnerRow, Question, Side, simulate

CURRENT = "CURRENT"
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_OUT = click.Path(path_type=Path, dir_okay=False, writable=True)


def day(ctx: click.Context, param: click.Parameter, value: str | None) -> date | None:
    """Read a day (2026-11-23) or a month (2026-11: its first day, for --to its last)."""
    if not value:
        return None
    try:
        if len(value) > 7:
            return date.fromisoformat(value)
        first = date.fromisoformat(f"{value}-01")
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no day such as 2026-11-23, nor a month such as"
                                 " 2026-11") from error  # fmt: skip
    if param.name != "last":
        return first
    following = first.toordinal() + 31
    return date.fromordinal(date.fromordinal(following).replace(day=1).toordinal() - 1)


first_option = click.option("--from", "first", callback=day,
                            help="First day or month, in the broker's own time.")  # fmt: skip
last_option = click.option("--to", "last", callback=day, help="Last day or month, included.")


@click.command("simulate")
@click.option("--plan", "plans", type=_FILE, multiple=True, required=True,
              help="A programme file, in place of the programme of that code.")  # fmt: skip
@first_option
@last_option
@click.option("--server", help="Only trades of this server.")
@click.option("--partner", help="Tell only this partner's amounts.")
@click.option("--against", multiple=True, default=(CURRENT,), show_default=True,
              help="CURRENT: the plans as recorded; or programme files.")  # fmt: skip
@click.option("--before-go-live", is_flag=True, help="Take trades from before the go-live, too.")
@click.option("--top", type=click.IntRange(1), default=10, help="How many win and lose, shown.")
@click.option("--csv", "csv_path", type=_OUT, help="Write all partners' amounts to this file.")
@json_option
def simulate_command(
    plans: tuple[Path, ...], first: date | None, last: date | None, server: str | None,
    partner: str | None, against: tuple[str, ...], before_go_live: bool, top: int,
    csv_path: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Run changed programmes over stored trades, and compare; nothing is booked.

    docs/reference/what-if.md says how the two sides are made.
    """
    asked = Question(plans, _against(against), first, last, server, before_go_live)
    db.migrate()
    with db.connect() as conn:
        answer = simulate(Run(conn), asked, partner)
        conn.rollback()
    if csv_path is not None:
        write_csv(csv_path, answer)
    if as_json:
        click.echo(json.dumps(as_dict(answer), indent=2, ensure_ascii=False))
    else:
        _say(answer, top)


def _against(given: tuple[str, ...]) -> tuple[Path, ...]:
    paths = tuple(Path(one) for one in given if one != CURRENT)
    if paths and CURRENT in given:
        raise click.UsageError("--against is CURRENT, or files: not both")
    for path in paths:
        if not path.is_file():
            raise BadInput("no_file", f"{path} is not a file; --against CURRENT are the plans as"
                           " recorded")  # fmt: skip
    return paths


def write_csv(path: Path, answer: Answer) -> None:
    """Write every partner's amounts, now and then."""
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("partner", "currency", "now", "then", "difference"))
        for one in answer.partners:
            code = f"'{one.partner}" if one.partner[:1] in ("=", "+", "-", "@") else one.partner
            amounts = (one.now_e8, one.then_e8, one.difference_e8)
            writer.writerow((code, one.currency, *(format_e8(each) for each in amounts)))


def as_dict(answer: Answer) -> dict[str, Any]:
    """Return an answer ready for JSON."""
    return {
        "trades": answer.trades,
        "introduced": answer.introduced,
        "totals": [_row(one) for one in answer.totals()],
        "partners": [{"partner": one.partner} | _row(one) for one in answer.partners],
        "waiting": {"now": dict(answer.now.waiting), "then": dict(answer.then.waiting)},
        "guarded": {"now": dict(answer.now.guarded), "then": dict(answer.then.guarded)},
        "margin": [_margin(one) for one in answer.margins],
        "unconverted": {"now": answer.now.unconverted, "then": answer.then.unconverted},
        "notes": answer.notes,
    }


def _row(one: PartnerRow) -> dict[str, str]:
    return {"currency": one.currency, "now": format_e8(one.now_e8), "then": format_e8(one.then_e8),
            "difference": format_e8(one.difference_e8)}  # fmt: skip


def _margin(one: Margin) -> dict[str, Any]:
    return {
        "entity": one.entity, "currency": one.currency, "revenue": format_e8(one.revenue_e8),
        "paid": {"now": format_e8(one.paid_now_e8), "then": format_e8(one.paid_then_e8)},
        "margin": {"now": format_e8(one.revenue_e8 - one.paid_now_e8),
                   "then": format_e8(one.revenue_e8 - one.paid_then_e8)},
        "unknown": one.unknown,
    }  # fmt: skip


def _say(answer: Answer, top: int) -> None:
    console.print(f"{counted(answer.trades, 'trade')}, {answer.introduced} introduced;"
                  " nothing was booked")  # fmt: skip
    _say_rows("Totals", answer.totals())
    _say_rows("Who wins", answer.winners(top))
    _say_rows("Who loses", answer.losers(top))
    for one in answer.margins:
        revenue, now, then = one.revenue_e8, one.paid_now_e8, one.paid_then_e8
        console.print(
            f"Margin of {one.entity}: revenue {money(revenue, one.currency)};"
            f" kept {money(revenue - now, one.currency)} now,"
            f" {money(revenue - then, one.currency)} then"
        )
        for reason, count in one.unknown.items():
            told = reason.replace("_", " ")
            console.print(f"  revenue of {counted(count, 'trade')} is not known ({told})")
    _say_side("Now", answer.now)
    _say_side("Then", answer.then)
    for note in answer.notes:
        console.print(f"note: {note}")


def _say_rows(title: str, rows: list[PartnerRow]) -> None:
    if not rows:
        return
    shown = table(title, "partner", "now", "then", "difference", right=(1, 2, 3))
    for one in rows:
        amounts = (one.now_e8, one.then_e8, one.difference_e8)
        shown.add_row(one.partner or one.currency, *(money(each, one.currency) for each in amounts))
    console.print(shown)


def _say_side(name: str, side: Side) -> None:
    for reason, count in sorted(side.waiting.items()):
        console.print(f"{name}: {counted(count, 'line')} would wait ({reason.replace('_', ' ')})")
    for action, count in sorted(side.guarded.items()):
        told = "revenue unclear" if action == "unclear" else f"action {action}"
        console.print(f"{name}: the margin guard speaks of {counted(count, 'trade')} ({told})")
