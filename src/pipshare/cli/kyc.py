"""`pipshare kyc`: where clients stand, what is held for them, whose documents end soon."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

import click

from pipshare import clients, db
from pipshare.cli.kyc_blocked import block, entity_option, list_blocked, moment, unblock
from pipshare.cli.options import (
    SHOWN,
    by_option,
    console,
    counted,
    json_option,
    money,
    table,
)
from pipshare.period import Clock, from_ms
from pipshare.pipeline import Run
from pipshare.pipeline.compliance import (
    entity_named,
    held_of,
)
from pipshare.pipeline.said.expiring import DAY_MS


@click.group("kyc")
def kyc_command() -> None:
    """KYC and blocked countries: who waits for approval, what is held, by whom nobody earns."""


for command in (list_blocked, block, unblock):
    kyc_command.add_command(command)


@kyc_command.command("list")
@click.option("--state", type=click.Choice(clients.KYC_STATES), help="Only those who stand so.")
@click.option("--search", default="", help="Only codes with this text.")
@click.option("--limit", default=SHOWN, show_default=True, type=click.IntRange(1, 100_000))
@entity_option
@json_option
def list_clients(state: str | None, search: str, limit: int, entity: str, as_json: bool) -> None:
    """List clients and where they stand with KYC now."""
    db.migrate()
    with db.connect() as conn:
        run = Run(conn)
        entity_id = entity_named(run, entity)
        clock = run.clock(entity_id)
        found = clients.verified(conn, _now(), entity_id=entity_id, state=state, search=search,
                                 limit=limit)  # fmt: skip
        counts = clients.count_verified(conn, _now(), entity_id)
    if as_json:
        click.echo(json.dumps([_shown(one) for one in found], indent=2))
        return
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    console.print(f"Clients of {entity}: {said or 'none'}.")
    _print(found, f"Clients (times by the clock of {entity}: {clock})", clock)


@kyc_command.command("expiring")
@click.option("--days", type=click.IntRange(1, 366), help="Within so many days; else as is warned.")
@entity_option
@json_option
def list_expiring(days: int | None, entity: str, as_json: bool) -> None:
    """List approved clients whose document ends soon, the first first."""
    db.migrate()
    with db.connect() as conn:
        run = Run(conn)
        entity_id = entity_named(run, entity)
        clock = run.clock(entity_id)
        within = days or max(clients.expiry_days(conn, entity_id), default=30)
        now = _now()
        found = clients.expiring(conn, now, now + within * DAY_MS, entity_id=entity_id)
    if as_json:
        click.echo(json.dumps([_shown(one) for one in found], indent=2))
        return
    if not found:
        console.print(f"No document of an approved client ends within {counted(within, 'day')}.")
        return
    _print(found, f"Documents that end within {counted(within, 'day')} (times by the clock of"
                  f" {entity}: {clock})", clock)  # fmt: skip


@kyc_command.command("held")
@entity_option
@json_option
def list_held(entity: str, as_json: bool) -> None:
    """List what is held until clients are approved, the first to be forfeited first."""
    db.migrate()
    with db.connect() as conn:
        run = Run(conn)
        entity_id = entity_named(run, entity)
        found = held_of(conn, entity_id, run.book, entity)
        ids = [one.client_id for one in found]
        who = {one.client_id: one for one in clients.verified(
            conn, _now(), client_ids=ids, limit=max(len(ids), 1))}  # fmt: skip
    if as_json:
        click.echo(json.dumps([
            {"client": who[one.client_id].code, "state": who[one.client_id].state,
             "held": {name: money(e8, name).split()[0] for name, e8 in one.amounts.items()},
             "since": one.since.isoformat(),
             "forfeits": one.forfeits.isoformat() if one.forfeits else None}
            for one in found
        ], indent=2))  # fmt: skip
        return
    if not found:
        console.print("Nothing is held for a client's KYC.")
        return
    shown = table("Held for KYC", "client", "stands", "held", "earned since", "first forfeited")
    for one in found:
        amounts = ", ".join(money(e8, name) for name, e8 in sorted(one.amounts.items()))
        shown.add_row(who[one.client_id].code, who[one.client_id].state, amounts,
                      one.since.isoformat(), str(one.forfeits or "never"))  # fmt: skip
    console.print(shown)


@kyc_command.command("warn")
@click.argument("days", type=int, nargs=-1)
@click.option("--never", is_flag=True, help="Say nothing before documents end.")
@entity_option
@by_option
def set_warnings(days: tuple[int, ...], never: bool, entity: str, by: str) -> None:
    """Say before documents end so many DAYS before, such as 30 7; shows it without DAYS."""
    if never and days:
        raise click.UsageError("say either DAYS or --never")
    db.migrate()
    with db.connect() as conn:
        entity_id = entity_named(Run(conn), entity)
        if days or never:
            clients.set_expiry_days(conn, entity_id, days, by=by)
        told = clients.expiry_days(conn, entity_id)
    said = " and ".join(str(one) for one in told)
    console.print(f"{entity}: said {said} days before." if told else f"{entity}: said never.")


def _print(found: list[clients.Verified], title: str, clock: Clock) -> None:
    shown = table(title, "client", "stands", "since", "document", "of", "ends")
    for one in found:
        shown.add_row(one.code, one.state, moment(one.since_ms, clock), one.document,
                      one.country, moment(one.expires_ms, clock))  # fmt: skip
    if found:
        console.print(shown)


def _shown(one: clients.Verified) -> dict[str, object]:
    told = asdict(one)
    for name in ("since_ms", "expires_ms"):
        at = told.pop(name)
        told[name.removesuffix("_ms")] = None if at is None else from_ms(at).isoformat()
    return told


def _now() -> int:
    return time.time_ns() // 1_000_000
