"""`pipshare crm log`, `waiting` and `replay`: what came from CRMs, and what became of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

import click

from pipshare import db, inbox
from pipshare.cli.options import SHOWN, by_option, console, counted, json_option, moment_ms, table
from pipshare.errors import Missing
from pipshare.inbox import LoggedPayload, PayloadItem
from pipshare.inbox.payloads_log import waiting_items
from pipshare.period import from_ms
from pipshare.pipeline import Run, to_rest
from pipshare.pipeline.crm.replay import replay

MOST = 1_000  # of what waits
_since = click.option("--since", "since_ms", callback=moment_ms, help="Not older than this moment.")


@click.command("log")
@click.option("--id", "id_", help="The one with this number, with all of its items.")
@click.option("--endpoint", help="Of this endpoint.")
@click.option("--verdict", type=click.Choice(["accepted", "rejected"]), help="With this verdict.")
@click.option("--reason", help="With this reason, for example wrong_signature.")
@click.option("--event", help="That told this event, by its id.")
@click.option("--client", help="That told something about this client.")
@_since
@click.option("--problems", is_flag=True, help="Only where something could not be used.")
@click.option("--waiting", "waits", is_flag=True, help="Only where something waits.")
@click.option("--runs", is_flag=True, help="With --id: every run, not the newest alone.")
@click.option("--body", is_flag=True, help="With --id: the body as it came; it is of people.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@json_option
def log_command(id_: str | None, problems: bool, waits: bool, runs: bool, body: bool, limit: int,
                as_json: bool, **asked: Any) -> None:  # fmt: skip
    """List payloads, the newest first: what came, how it was judged, what became of it."""
    db.migrate()
    with db.connect() as conn:
        found = inbox.payloads(conn, limit=limit, id=id_, problems=problems or None,
                               waits=waits or None, **asked)  # fmt: skip
        items = inbox.payload_items(conn, id_, all_runs=runs) if id_ and found else []
        if body and id_:
            click.echo(inbox.payload_body(conn, id_)[0])
            return
    if id_ and not found:
        raise Missing("no_payload", f"there is no payload {id_!r}")
    if as_json:
        beside = {"results": [_as_dict(one) for one in items]} if id_ else {}
        told = [{**_as_dict(one), **beside} for one in found]
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    if not found:
        console.print("No such payload came.")
        return
    shown = table("", "id", "came", "endpoint", "bytes", "items", "problems", "waits", "verdict",
                  "", right=(3, 4, 5, 6))  # fmt: skip
    for one in found:
        is_mended = one.problems and not one.is_bad and not one.is_due
        state = "to be settled" if one.is_due else "mended by a replay" if is_mended else ""
        shown.add_row(one.id, f"{from_ms(one.at_ms):%Y-%m-%d %H:%M:%S}", one.endpoint,
                      str(one.size), str(one.items), str(one.problems), str(one.waits),
                      f"{one.verdict} {one.reason}".strip(), state)  # fmt: skip
    console.print(shown)
    if id_:
        _say_items(found[0], items)


def _say_items(one: LoggedPayload, items: list[PayloadItem]) -> None:
    if one.detail:
        console.print(f"  {one.detail}")
    if not items:
        return
    shown = table("Items", "item", "rule", "kind", "event", "client", "became", "why", right=(0,))
    for each in items:
        where = ", ".join(part for part in (each.field, each.expression) if part)
        why = " ".join(part for part in (f"{where}:" if where else "", each.detail) if part)
        shown.add_row(str(each.item), each.rule, each.kind, each.event, each.client,
                      f"{each.outcome} {each.reason}".strip(), why)  # fmt: skip
    console.print(shown)


@click.command("waiting")
@click.option("--endpoint", help="Of this endpoint.")
@json_option
def waiting_command(endpoint: str | None, as_json: bool) -> None:
    """List what waits for a client or a partner who is not known yet; it is taken up by itself."""
    db.migrate()
    with db.connect() as conn:
        found = [one for one in waiting_items(conn, MOST) if endpoint in (None, one.endpoint)]
    if as_json:
        click.echo(json.dumps([_as_dict(one) for one in found], indent=2, ensure_ascii=False))
        return
    if not found:
        console.print("Nothing of a CRM waits. Events that wait: pipshare waiting")
        return
    shown = table("", "payload", "item", "endpoint", "kind", "reason", "for", "since", right=(1,))
    for one in found:
        shown.add_row(one.payload_id, str(one.item), one.endpoint, one.kind, one.reason, one.key,
                      f"{from_ms(one.since_ms):%Y-%m-%d %H:%M}")  # fmt: skip
    console.print(shown)


@click.command("replay")
@click.option("--id", "ids", multiple=True, help="A payload by its number; repeatable.")
@click.option("--endpoint", help="All of this endpoint.")
@_since
@click.option("--problems", is_flag=True, help="Only where something could not be used.")
@click.option("--later", is_flag=True, help="Leave the work to `pipshare work`.")
@by_option
def replay_command(ids: tuple[str, ...], endpoint: str | None, since_ms: int | None, problems: bool,
                   later: bool, by: str) -> None:  # fmt: skip
    """Map payloads again by the mapping that is published now; nothing is applied twice."""
    db.migrate()
    with db.transaction() as conn:
        asked = replay(conn, ids=ids, endpoint=endpoint, since_ms=since_ms, problems=problems,
                       by=by)  # fmt: skip
    if asked.gone:
        console.print(f"{counted(asked.gone, 'payload')} cannot be mapped again: the bodies are not"
                      " kept any more.")  # fmt: skip
    if later or not asked.ids:
        console.print(f"{counted(len(asked.ids), 'payload')} to be mapped again.")
        return
    with db.connect() as conn:
        to_rest(Run(conn))
        told = Counter(one.outcome for id_ in asked.ids for one in inbox.payload_items(conn, id_))
        bad = inbox.payloads(conn, problems=True, limit=1000)
    words = ", ".join(f"{count} {outcome}" for outcome, count in sorted(told.items()))
    console.print(f"{counted(len(asked.ids), 'payload')} mapped again: {words or 'no items'}.")
    for one in [each for each in bad if each.id in set(asked.ids)][:SHOWN]:
        console.print(f"  still with problems: pipshare crm log --id {one.id}")


def _as_dict(one: Any) -> dict[str, Any]:
    told = asdict(one)
    for name in [name for name in told if name.endswith("_ms")]:
        told[name.removesuffix("_ms")] = from_ms(told.pop(name)).isoformat()
    return told
