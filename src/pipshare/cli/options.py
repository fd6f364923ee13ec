"""Options and small forms that several commands share."""

from __future__ import annotations

import getpass
import sys
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.table import Table

from pipshare.cli.printed import printable
from pipshare.money import format_e8, minor_units
from pipshare.period import to_ms
from pipshare.pipeline import Booked
from pipshare.rating.reasons import Wait

SHOWN = 20  # rows of a list that are printed; all of them are stored


class Printer(Console):
    """Prints texts without what a terminal obeys; the ends of their lines stay."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, after `printable`."""
        told = (printable(one, "\n") if isinstance(one, str) else one for one in objects)
        super().print(*told, **options)


class Rows(Table):
    """A table whose cells are `printable`, the ends of lines in them included."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Add a row as rich does, after `printable`."""
        told = (printable(one) if isinstance(one, str) else one for one in cells)
        super().add_row(*told, **options)


# Names of files and people are printed as they are: no markup, no emoji codes, nothing that a
# terminal obeys. What goes into a pipe or a file is not cut to the width of a terminal.
console = Printer(
    highlight=False, soft_wrap=True, markup=False, emoji=False,
    width=None if sys.stdout.isatty() else 200,
)  # fmt: skip
_WAITS = {
    "unknown_account": "the account is not known: pipshare load accounts",
    "no_relation": "nobody has said who introduced the client: pipshare load relations",
    "native_agent": "the platform itself pays an agent for the account: pipshare agent decide",
    "unpriced": "no rate fits the symbol: pipshare load symbols, or add one with plan apply",
    "no_terms": "the partner has no terms: pipshare load terms",
    "no_fx": "no exchange rate of the last 7 days: pipshare load fx",
    "opening_unknown": "the opening deal was not seen yet: import it",
    "unknown_reference": "it takes back an event that is not known: bring that one, too",
    "other_client": "it names another client's money: send it again with the right client or id",
    "other_currency": "it is in another currency than what it names: send it in that one",
    "other_kind": "it cannot take back what it names: send it again with the right id or kind",
    "volume_unknown": "nothing tells how much of it closed: import the deals that opened it",
}
WAITS = {wait.word: wait.sentence for wait in Wait} | _WAITS


def _person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"


by_option = click.option("--by", default=_person, help="Who does this; your login name by default.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def moment_ms(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Read an ISO 8601 moment with zone as UTC milliseconds; without a zone it is UTC."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not a moment such as 2026-11-20T18:00+02:00"
                                 ) from error  # fmt: skip
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def money(amount_e8: int, currency: str) -> str:
    """Write an amount with its currency: every digit it has, at least the minor unit's."""
    return f"{format_e8(amount_e8, minor_units(currency))} {currency}"


def counted(number: int, name: str) -> str:
    """Write a number with the name of what it counts: 1 row, 2 rows."""
    return f"{number} {name}{'' if number == 1 else 's'}"


def table(title: str, *columns: str, right: tuple[int, ...] = ()) -> Rows:
    """Return an empty table; columns named by number in `right` are aligned to the right."""
    made = Rows(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for number, name in enumerate(columns):
        made.add_column(name, justify="right" if number in right else "left", no_wrap=number == 0)
    return made


def what_waits(reason: str) -> str:
    """Return a waiting reason as a person reads it, with what to do."""
    return WAITS.get(reason, reason)


def say_booked(booked: Booked, word: str = "Booked") -> None:
    """Print what a run of the pipeline booked, and what waits."""
    if booked.trades:
        parts = [f"{booked.introduced} introduced", f"{booked.direct} direct",
                 f"{booked.excluded} excluded", f"{booked.history} before go-live"]  # fmt: skip
        shown = ", ".join(part for part in parts if not part.startswith("0 "))
        console.print(f"{word}: {counted(booked.trades, 'trade')} ({shown or 'none settled'}),"
                      f" {counted(booked.lines, 'line')}.")  # fmt: skip
    for reason, count in sorted(booked.waiting.items()):
        console.print(f"  {count} wait: {what_waits(reason)}")
