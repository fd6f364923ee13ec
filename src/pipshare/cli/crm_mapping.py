"""`pipshare crm mapping`: show, test and publish what an endpoint's payloads mean."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from pipshare import db, inbox
from pipshare.cli.options import by_option, console, json_option, table
from pipshare.crm import CrmMapping, mapping_of, read_mapping
from pipshare.errors import Missing
from pipshare.period import from_ms
from pipshare.pipeline.crm.currencies import known_currencies
from pipshare.pipeline.crm.judge import JSON, MAPPED, NDJSON, SKIPPED, Item, judge

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_TYPES = {".ndjson": NDJSON[0], ".jsonl": NDJSON[0]}
_code = click.argument("code")


@click.group("mapping")
def mapping_command() -> None:
    """What payloads mean: show, test, publish mappings."""


@mapping_command.command("show")
@_code
@click.option("--version", type=int, help="An earlier version.")
@click.option("--versions", is_flag=True, help="List the versions.")
def show_command(code: str, version: int | None, versions: bool) -> None:
    """Print the mapping of CODE, as JSON to edit."""
    db.migrate()
    with db.connect() as conn:
        found = inbox.mapping_versions(conn, inbox.endpoint(conn, code).id)
    if versions:
        shown = table("", "version", "published", "by", "note")
        for one in found:
            shown.add_row(str(one.version), f"{from_ms(one.at_ms):%Y-%m-%d %H:%M}", one.by,
                          one.note)  # fmt: skip
        console.print(shown)
        return
    chosen = next((one for one in found if version in (None, one.version)), None)
    if chosen is None:
        raise Missing("no_mapping", f"endpoint {code} has no such version of a mapping")
    click.echo(inbox.mapping_text(chosen), nl=False)


@mapping_command.command("test")
@_code
@click.argument("payload")
@click.option("--mapping", "file", type=_FILE, help="This file, not the published mapping.")
@click.option("--type", "content_type", default=None, help="Content type; JSON, or NDJSON for"
              " files .ndjson and .jsonl.")  # fmt: skip
@json_option
def test_command(code: str, payload: str, file: Path | None, content_type: str | None,
                 as_json: bool) -> None:  # fmt: skip
    """Say what PAYLOAD would mean at CODE; nothing is stored.

    PAYLOAD is a file, - (standard input), or a number of the log. Exit status 1: something could
    not be mapped.
    """
    now_ms = time.time_ns() // 1_000_000
    db.migrate()
    with db.connect() as conn:
        endpoint = inbox.endpoint(conn, code)
        body, kind = _payload(conn, payload, content_type)
        mapping = read_mapping(file.read_text(encoding="utf-8")) if file else _held(conn, code)
        found = judge(mapping, body, kind, received_ms=now_ms, delivery="test",
                      source=endpoint.code, entity=endpoint.entity,
                      knows=known_currencies(conn))  # fmt: skip
    if as_json:
        click.echo(json.dumps([one.kept() for one in found.items], indent=2, ensure_ascii=False))
    else:
        shown = table("", "item", "rule", "became", "what", "of")
        for one in found.items:
            shown.add_row(*_row(one))
        console.print(shown)
        if not found.items:
            console.print("There is no item in it.")
    sys.exit(int(bool(found.problems)))


@mapping_command.command("publish")
@_code
@click.argument("file", type=_FILE)
@click.option("--note", default="", help="What is new in it.")
@by_option
def publish_command(code: str, file: Path, note: str, by: str) -> None:
    """Publish FILE as the mapping of CODE; it holds from the next payload on."""
    mapping = read_mapping(file.read_text(encoding="utf-8"))
    db.migrate()
    with db.transaction() as conn:
        endpoint = inbox.endpoint(conn, code)
        told = json.loads(file.read_text(encoding="utf-8"))
        version = inbox.publish_mapping(conn, endpoint, told, note=note, by=by)
    console.print(
        f"Mapping {mapping.name} is version {version} of endpoint {code}. Then, for what"
        f" could not be mapped: pipshare crm replay --endpoint {code} --problems"
    )


def _payload(conn: Any, named: str, content_type: str | None) -> tuple[bytes, str]:
    """Return a payload and its type: of a file, standard input, or the log."""
    if named == "-":
        return sys.stdin.buffer.read(), content_type or JSON
    path = Path(named)
    if not path.is_file():
        body, kind = inbox.payload_body(conn, named)
        return body, content_type or kind
    return path.read_bytes(), content_type or _TYPES.get(path.suffix.lower(), JSON)


def _held(conn: Any, code: str) -> CrmMapping:
    newest = inbox.published(conn, inbox.endpoint(conn, code).id)
    if newest is None:
        raise Missing("no_mapping", f"endpoint {code} has no mapping yet: give one with --mapping")
    return mapping_of(newest.mapping)


def _row(one: Item) -> tuple[str, str, str, str, str]:
    number = f"{one.item} (line {one.line})" if one.line else str(one.item)
    if one.verdict == MAPPED:
        told = {**one.fields, **{f"claims {name}": text for name, text in one.claims.items()}}
        shown = ", ".join(f"{name} {text}" for name, text in told.items()
                          if name not in ("kind", "source", "entity", "event"))  # fmt: skip
        return number, one.rule, one.kind, one.fields.get("event", ""), shown
    if one.verdict == SKIPPED:
        return number, one.rule, "skipped", "", one.sentence
    return number, one.rule, f"problem {one.code}", one.field, one.sentence
