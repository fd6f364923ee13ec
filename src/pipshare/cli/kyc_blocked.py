"""`pipshare kyc blocked`, `block` and `unblock`: countries by whose clients nobody earns."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import datetime
from itertools import zip_longest

import click
import numpy as np

from pipshare import audit, db
from pipshare.cli.options import (
    by_option,
    console,
    json_option,
    moment_ms,
    money,
    say_booked,
    table,
)
from pipshare.clients.jurisdictions import KIND
from pipshare.facts.jurisdictions import COUNTS, Counts, Jurisdiction
from pipshare.money import format_e8
from pipshare.period import Clock, from_ms, to_ms
from pipshare.pipeline import Run
from pipshare.pipeline.compliance import (
    Cost,
    Country,
    cost_of,
    countries_of,
    entity_named,
    say_country,
)

entity_option = click.option("--entity", default="main", show_default=True, help="Whose.")


@click.command("blocked")
@click.option("--cost", is_flag=True, help="Work out what their trades would have paid.")
@entity_option
@json_option
def list_blocked(cost: bool, entity: str, as_json: bool) -> None:
    """List the countries by whose clients nobody earns: every block in force, what is to come, and
    what waits for a second person."""
    db.migrate()
    with db.connect() as conn:
        run = Run(conn)
        entity_id = entity_named(run, entity)
        found = countries_of(conn, entity_id, time.time_ns() // 1_000_000)
        costs = [cost_of(run, entity_id, one) if cost else None for one in found]
        clock = run.clock(entity_id)
        asked = [one for one in audit.pending(conn, KIND)
                 if one.payload["entity"] == entity]  # fmt: skip
    if as_json:
        told = [_shown(*pair) for pair in zip(found, costs, strict=True)]
        click.echo(json.dumps(told, indent=2))
        return
    if not found:
        console.print("No country is blocked, nor ever was.")
    shown = table(f"Countries (times by the clock of {entity}: {clock})", "country", "state",
                  "from", "until", "counts", "clients", "why",
                  *(("would have paid",) if cost else ()), right=(5,))  # fmt: skip
    for one, had in zip(found, costs, strict=True):
        parts = (*one.before, *((one.now,) if one.now else ()), *one.later)
        for part, following in zip_longest(parts, parts[1:]):
            shown.add_row(
                one.country, _state(part, is_later=part in one.later), moment(part.from_ms, clock),
                moment(following.from_ms, clock) if following else "",
                part.counts if part.blocked else "", str(len(one.client_ids)),
                f"{part.reason} ({part.recorded_by})",
                *((_unpaid(had) if part is parts[0] else "",) if had else ()),
            )  # fmt: skip
    if found:
        console.print(shown)
    for each in asked:
        console.print(f"Proposal {each.id} waits for a second person: {each.subject}: {each.reason}"
                      f" ({each.proposed_by})")  # fmt: skip


def _state(one: Jurisdiction, *, is_later: bool) -> str:
    word = "blocked" if one.blocked else "open"
    return f"will be {word}" if is_later else word


def _unpaid(had: Cost) -> str:
    if had.amounts is None:
        return f"{had.trades} trades are too many to work out"
    return ", ".join(money(e8, name) for name, e8 in sorted(had.amounts.items())) or "nothing"


def _shown(one: Country, had: Cost | None) -> dict[str, object]:
    told: dict[str, object] = {
        "country": one.country, "blocked": bool(one.now and one.now.blocked),
        "before": [_record(it) for it in one.before],
        "now": _record(one.now) if one.now else None, "later": [_record(it) for it in one.later],
        "clients": len(one.client_ids),
    }  # fmt: skip
    if had is not None:
        told["trades"], told["unpaid"] = had.trades, None
        if had.amounts is not None:
            told["unpaid"] = {name: format_e8(e8) for name, e8 in sorted(had.amounts.items())}
    return told


def _record(one: Jurisdiction) -> dict[str, object]:
    told = {name: value for name, value in asdict(one).items() if not name.endswith("_ms")}
    return {**told, "from": from_ms(one.from_ms).isoformat(),
            "recorded": from_ms(one.recorded_ms).isoformat()}  # fmt: skip


@click.command("block")
@click.argument("country")
@click.option("--reason", required=True, help="Why; explanations show it.")
@click.option("--from", "since", help="From this moment or broker's day on; now if left out.")
@click.option("--counts", type=click.Choice(COUNTS), default="either", show_default=True,
              help="Which of a client's countries: where he lives, of his document.")  # fmt: skip
@entity_option
@by_option
def block(
    country: str, reason: str, since: str | None, counts: Counts, entity: str, by: str
) -> None:
    """Let nobody earn by clients of COUNTRY (two letters), from now on; a second person approves
    what goes back into the past."""
    _say(country, entity, blocked=True, since=since, counts=counts, reason=reason, by=by)


@click.command("unblock")
@click.argument("country")
@click.option("--reason", required=True, help="Why; explanations show it.")
@click.option("--from", "since", help="From this moment or broker's day on; now if left out.")
@entity_option
@by_option
def unblock(country: str, reason: str, since: str | None, entity: str, by: str) -> None:
    """Let partners earn by clients of COUNTRY again, once a second person has approved."""
    _say(country, entity, blocked=False, since=since, counts="either", reason=reason, by=by)


def _say(
    country: str, entity: str, *, blocked: bool, since: str | None, counts: Counts, reason: str,
    by: str,
) -> None:  # fmt: skip
    db.migrate()
    with db.connect() as conn:
        run = Run(conn)
        clock = run.clock(entity_named(run, entity))
        number, booked = say_country(
            run, entity, country, blocked=blocked, by=by, reason=reason, counts=counts,
            from_ms=_moment(since, clock),
        )  # fmt: skip
    word = "blocked" if blocked else "unblocked"
    if number is None:
        console.print(f"{country.upper()} is {word} in {entity}.")
        say_booked(booked, "Rated again")
        return
    console.print(f"{country.upper()} is to be {word} in {entity}: proposal {number}. A second"
                  f" person takes it up with `pipshare approve {number} --by NAME`.")  # fmt: skip


def _moment(text: str | None, clock: Clock) -> int | None:
    """Read a moment; a date alone is the start of the broker's day."""
    if text is None:
        return None
    if len(text) != len("2026-11-20"):
        return moment_ms(click.get_current_context(), click.Option(["--from"]), text)
    try:
        start = datetime.fromisoformat(f"{text}T00:00:00+00:00")
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a day such as 2026-11-20") from error
    return int(clock.to_utc(np.array([to_ms(start)], np.int64))[0])


def moment(at_ms: int | None, clock: Clock) -> str:
    """Write a moment by the broker's own clock, to the minute; "" for none."""
    if at_ms is None:
        return ""
    return f"{from_ms(int(clock.from_utc(np.array([at_ms], np.int64))[0])):%Y-%m-%d %H:%M}"
