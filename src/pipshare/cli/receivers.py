"""`pipshare receiver`: who is told what; its log, dead letters and replays."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import click
import psycopg

from pipshare import db, market, outbox
from pipshare.cli.options import by_option, console, counted, moment_ms, table
from pipshare.cli.receivers_add import add_command
from pipshare.outbox import Delivery, Receiver
from pipshare.pipeline.delivering.notices import resume
from pipshare.tracking.catalogue import FIELDS, TYPES

_WAIT_S = 20.0  # for the answer to a test
_name = click.argument("name")
_entity = click.option("--entity", default=None, help="Code of its entity, if several have one.")
_reason = click.option("--reason", default="", help="Why.")


@click.group("receiver")
def receiver_command() -> None:
    """Who gets postbacks and webhooks: set up, test, see what became of each, send again."""


receiver_command.add_command(add_command)


def _find(conn: psycopg.Connection[Any], name: str, entity: str | None) -> Receiver:
    entities = {one.code: one.id for one in market.entities(conn).values()}
    if entity is not None and entity not in entities:
        raise click.BadParameter(f"there is no entity {entity!r}", param_hint="--entity")
    return outbox.receiver(conn, name, entities.get(entity or ""))


@receiver_command.command("list")
def list_command() -> None:
    """List the receivers, and how they fare."""
    db.migrate()
    with db.connect() as conn:
        found, fares = outbox.receivers(conn), outbox.fares(conn)
        running = outbox.is_dispatched(conn)
    if not found:
        console.print(
            "There is no receiver yet: pipshare receiver add NAME --kind webhook --url ..."
        )
        return
    shown = table("", "name", "kind", "of", "state", "waiting", "dead", "last success",
                  right=(4, 5))  # fmt: skip
    for one in found:
        fare = fares[one.id]
        since = f", failing since {_moment(fare.failing_since_ms)}" if fare.fails else ""
        shown.add_row(one.name, one.kind, one.partner or "the broker", one.state + since,
                      str(fare.waiting), str(fare.dead), _moment(fare.last_ok_ms))  # fmt: skip
    console.print(shown)
    if not running:
        console.print(
            "Nobody delivers at this moment: start `pipshare work` or `pipshare deliver`."
        )


@receiver_command.command("show")
@_name
@_entity
def show_command(name: str, entity: str | None) -> None:
    """Show the settings of receiver NAME and how it fares; no secrets."""
    db.migrate()
    with db.connect() as conn:
        one = _find(conn, name, entity)
        fare = outbox.fares(conn, one.id)[one.id]
    console.print(f"{one.name}: {one.kind} of {one.partner or 'the broker'}, {one.state}"
                  f"{': ' + one.off_reason if one.off_reason else ''}")  # fmt: skip
    for key, value in one.settings.items():
        console.print(f"  {key}: {value}")
    console.print(f"  waiting: {fare.waiting}, dead letters: {fare.dead}, last success:"
                  f" {_moment(fare.last_ok_ms)}")  # fmt: skip
    if fare.fails:
        times = counted(fare.fails, "time")
        console.print(f"  failing since {_moment(fare.failing_since_ms)}, {times}: {fare.error}")


@receiver_command.command("pause")
@_name
@_entity
@_reason
@by_option
def pause_command(name: str, entity: str | None, reason: str, by: str) -> None:
    """Send nothing to NAME until resumed; what is said meanwhile is kept, in order."""
    db.migrate()
    with db.transaction() as conn:
        outbox.pause(conn, _find(conn, name, entity), by=by, reason=reason)
    console.print(f"Receiver {name} is paused.")


@receiver_command.command("resume")
@_name
@_entity
@_reason
@by_option
def resume_command(name: str, entity: str | None, reason: str, by: str) -> None:
    """Send to NAME again."""
    db.migrate()
    with db.transaction() as conn:
        one = _find(conn, name, entity)
        resume(conn, one, by=by, reason=reason)
        letters = outbox.fares(conn, one.id)[one.id].dead
    console.print(f"Receiver {one.name} is active.")
    if letters:
        console.print(
            f"It has {counted(letters, 'dead letter')}: pipshare receiver replay {name!r}"
        )


@receiver_command.command("remove")
@_name
@_entity
@_reason
@by_option
def remove_command(name: str, entity: str | None, reason: str, by: str) -> None:
    """Remove NAME for good: what waits for it is cancelled; its log stays."""
    db.migrate()
    with db.transaction() as conn:
        outbox.remove(conn, _find(conn, name, entity), by=by, reason=reason)
    console.print(f"Receiver {name} is removed.")


@receiver_command.command("rotate")
@_name
@_entity
@by_option
def rotate_command(name: str, entity: str | None, by: str) -> None:
    """Make a new signing secret for NAME; for 24 hours both sign."""
    db.migrate()
    with db.transaction() as conn:
        secret = outbox.rotate_secret(conn, _find(conn, name, entity), by=by)
    console.print("The new secret, shown only now; the one before signs for 24 more hours:")
    click.echo(secret)


@receiver_command.command("header")
@_name
@click.argument("header")
@_entity
@by_option
def header_command(name: str, header: str, entity: str | None, by: str) -> None:
    """Send the secret header HEADER with each request to NAME; its value is asked for."""
    value = str(click.prompt(f"Value of {header}", hide_input=True))
    db.migrate()
    with db.transaction() as conn:
        outbox.set_header(conn, _find(conn, name, entity), header, value, by=by)
    console.print(f"Receiver {name}: header {header} is set; it is stored sealed.")


@receiver_command.command("test")
@_name
@_entity
def test_command(name: str, entity: str | None) -> None:
    """Send a test message to NAME, whatever its filters, and show the answer."""
    db.migrate()
    with db.connect() as conn:
        one = _find(conn, name, entity)
        said = TYPES["test"]
        data = {key: FIELDS[key][1] for key in (*said.needs, *said.may)}
        data["entity"] = market.entities(conn)[one.entity_id].code
        message = outbox.send_test(conn, one, data)
        running = outbox.is_dispatched(conn)
        conn.commit()
        if not running:
            console.print("The test waits: nobody delivers at this moment. Start `pipshare work`"
                          " or `pipshare deliver`.")  # fmt: skip
            return
        deadline = time.monotonic() + _WAIT_S
        while time.monotonic() < deadline:
            found = outbox.deliveries(conn, message_id=message)
            conn.commit()
            if found and found[0].attempts:
                _show(conn, found[0])
                return
            time.sleep(0.1)
    console.print(f"No answer within {_WAIT_S:.0f} s: pipshare receiver log {name!r}")


@receiver_command.command("log")
@_name
@_entity
@click.option("--delivery", type=int, help="Every attempt of this one, with what was sent.")
@click.option("--state", "states", multiple=True,
              type=click.Choice(["behind", "due", "delivered", "dead", "cancelled"]))  # fmt: skip
@click.option("--subject", help="Only of this client or trade: client:C-1, trade:Server/123.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
def log_command(
    name: str,
    entity: str | None,
    delivery: int | None,
    states: tuple[str, ...],
    subject: str | None,
    limit: int,
) -> None:
    """List what was sent to NAME, newest first, and what became of it."""
    db.migrate()
    with db.connect() as conn:
        one = _find(conn, name, entity)
        ids = None if delivery is None else [delivery]
        found = outbox.deliveries(conn, receiver_id=one.id, ids=ids, states=states or None,
                                  subject=subject, limit=limit)  # fmt: skip
        if delivery is not None and found:
            _show(conn, found[0])
            return
    _list(found)


@receiver_command.command("dead")
@_name
@_entity
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
def dead_command(name: str, entity: str | None, limit: int) -> None:
    """List what could not be delivered to NAME, newest first."""
    db.migrate()
    with db.connect() as conn:
        found = outbox.dead(conn, _find(conn, name, entity).id, limit)
    _list(found)


@receiver_command.command("replay")
@_name
@_entity
@click.option("--delivery", "ids", multiple=True, type=int, help="Only this one; repeatable.")
@click.option("--type", "types", multiple=True, type=click.Choice(list(TYPES)))
@click.option("--since", callback=moment_ms, help="Ended at or after this moment (ISO 8601).")
@click.option("--until", callback=moment_ms, help="Ended before this moment.")
@click.option("--state", "states", multiple=True, default=("dead",), show_default=True,
              type=click.Choice(["dead", "delivered", "cancelled"]))  # fmt: skip
@_reason
@by_option
def replay_command(
    name: str,
    entity: str | None,
    ids: tuple[int, ...],
    types: tuple[str, ...],
    since: int | None,
    until: int | None,
    states: tuple[str, ...],
    reason: str,
    by: str,
) -> None:
    """Send again to NAME: all dead letters, or what the options choose; under the same ids."""
    db.migrate()
    with db.transaction() as conn:
        count = outbox.replay(
            conn, _find(conn, name, entity), ids=ids or None, types=types or None, since_ms=since,
            until_ms=until, states=states, by=by, reason=reason,
        )  # fmt: skip
    console.print(f"{counted(count, 'message')} will be sent again, in order.")


def _list(found: list[Delivery]) -> None:
    if not found:
        console.print("There is none.")
        return
    shown = table("", "delivery", "type", "of", "number", "state", "attempts", "ended", "why",
                  right=(3, 5))  # fmt: skip
    for one in found:
        shown.add_row(str(one.id), one.type, one.subject, str(one.seq), one.state,
                      str(one.attempts), _moment(one.ended_ms), one.reason[:100])  # fmt: skip
    console.print(shown)


def _show(conn: psycopg.Connection[Any], one: Delivery) -> None:
    """Print a delivery with all its attempts."""
    later = f", next at {_moment(one.not_before_ms)}" if one.state == "due" else ""
    about = f"{one.type} of {one.subject}, number {one.seq}"
    console.print(f"Delivery {one.id}: {about}: {one.state}{later}")
    for row in outbox.attempts(conn, [one.id]):
        console.print(f"  {row.number}. {_moment(row.at_ms)}, {row.ms} ms: {row.outcome}"
                      f"{f', status {row.status}' if row.status else ''}"
                      f"{': ' + row.error if row.error else ''}")  # fmt: skip
        console.print(f"     {row.method} {row.url}")
        if row.body:
            console.print(f"     sent: {row.body}")
        if row.answer:
            console.print(f"     answer: {row.answer}")


def _moment(at_ms: int | None) -> str:
    if at_ms is None:
        return "never"
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
