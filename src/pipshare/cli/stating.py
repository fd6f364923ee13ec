"""`pipshare statement`: what a partner earned in a period, in the terminal, as CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import click
from rich.text import Text

from pipshare import db, partners, statements
from pipshare.cli.options import console, counted, money, table, what_waits
from pipshare.money import format_e8
from pipshare.pipeline.statement_json import as_dict, line_dicts
from pipshare.statements.build import Statement, by_component

_FORMATS = click.Choice(["text", "csv", "json"])


@click.command("statement")
@click.argument("partner")
@click.option("--period", required=True, help="Year and month in the broker's day: 2026-11.")
@click.option("--entity", help="Code of the entity, when several have such a partner.")
@click.option("--format", "form", type=_FORMATS, default="text", help="text, csv or json.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--csv", "as_csv", is_flag=True, help="The same as --format csv.")
def statement_command(
    partner: str, period: str, entity: str | None, form: str, as_json: bool, as_csv: bool
) -> None:
    """Show what PARTNER earned in a period."""
    db.migrate()
    with db.connect() as conn:
        found = partners.partner(conn, partner, entity)
        statement = statements.build(conn, found.id, found.code, period)
        closed = [one for one in statements.frozen(conn, found.entity_id, period)
                  if one.payee[:2] == ("partner", found.id)]  # fmt: skip
    if as_json or form == "json":
        click.echo(json.dumps(as_dict(statement), indent=2))
    elif as_csv or form == "csv":
        click.echo(_as_csv(statement), nl=False)
    else:
        _say(statement, found.name, closed)


def _say(statement: Statement, name: str, closed: list[statements.Frozen]) -> None:
    console.print(f"Statement of {statement.partner} {name}, {statement.period}", style="bold")
    if not statement.balances:
        console.print("Nothing was booked for this partner up to the end of this period.")
    for one in statement.balances:
        console.print(Text.assemble(
            f"  {one.state}: opening {money(one.opening_e8, one.currency)}"
            f" + accrued {money(one.accrued_e8, one.currency)}"
            f" ± corrections {money(one.corrected_e8 + one.adjusted_e8, one.currency)}"
            + (f" ± moved {money(one.moved_e8, one.currency)}" if one.moved_e8 else "") + " = ",
            (money(one.closing_e8, one.currency), "bold"),
        ))  # fmt: skip
    for frozen in closed:
        currency, why = frozen.payee[2], f": {frozen.why}" if frozen.why else ""
        due, rest = money(frozen.payable_e8, currency), money(frozen.carried_e8, currency)
        console.print(f"  at the closing {due} became payable, {rest} was carried forward{why}")
    sums = by_component(statement)
    if len(sums):
        shown = table("", "programme", "component", "level", "trades", "lots", "amount",
                      right=(2, 3, 4, 5))  # fmt: skip
        for row in sums.iter_rows(named=True):
            # What a window of many trades comes to has no trades of its own to be counted.
            counts = (str(row["trades"]), format_e8(row["lots_e8"]))
            shown.add_row(row["programme"], row["component"], str(row["level"]),
                          *(counts if row["trades"] else ("by window", "")),
                          money(row["amount_e8"], row["currency"]))  # fmt: skip
        console.print(shown)
    for reason, count in statement.waiting.items():
        verb = "waits" if count == 1 else "wait"
        console.print(f"  now {counted(count, 'line')} {verb}: {what_waits(reason)}")


def _as_csv(statement: Statement) -> str:
    header = ("server", "ticket", "login", "symbol", "lots", "closed", "earned_day", "programme",
              "component", "level", "kind", "amount", "currency", "reason")  # fmt: skip
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\n")
    writer.writeheader()
    for row in line_dicts(statement):
        writer.writerow({key: _harmless(value) for key, value in row.items()})
    return out.getvalue()


def _harmless(value: Any) -> Any:
    """Keep a spreadsheet from taking text of a client's making for a formula."""
    is_formula = isinstance(value, str) and value[:1] in ("=", "+", "@", "\t", "\r")
    return f"'{value}" if is_formula else value
