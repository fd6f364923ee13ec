"""`pipshare receiver add`: set up who is told, by a tracker's preset or from nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import click

from pipshare import db, market, outbox, partners
from pipshare.cli.options import by_option, console
from pipshare.errors import BadInput
from pipshare.pipeline.delivering.set_up import check, set_up
from pipshare.tracking.catalogue import EVENTS, TYPES
from pipshare.tracking.presets import PRESETS

_EVENTS = {name: [kind for kind, said in TYPES.items() if said.event == name] for name in EVENTS}
_BLANK = re.compile(r"<([^<>]+)>")


@click.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice(["postback", "webhook", "request"]), help="postback to a"
              " tracker, webhook to a system of yours, request in a system's own way; a preset is a"
              " postback.")  # fmt: skip
@click.option("--url", default="", help="Where it is sent; a postback's has macros: {click_id}.")
@click.option("--preset", type=click.Choice(list(PRESETS)), help="A tracker's own template.")
@click.option("--fill", "fills", multiple=True, metavar="WORD=VALUE",
              help='What a preset leaves open: "tracking domain=trk.example.com".')  # fmt: skip
@click.option("--partner", default="", help="Tell only what is this partner's.")
@click.option("--entity", default=None, help="Code of the entity, if there are several.")
@click.option("--event", "events", multiple=True, metavar="EVENT",
              help=f"Only {', '.join(EVENTS)}, or a type as trade.closed.")  # fmt: skip
@click.option("--country", "countries", multiple=True, help="Only of this country; repeatable.")
@click.option("--not-country", "not_countries", multiple=True, help="Not of this country.")
@click.option("--minimum", "minimums", multiple=True, metavar="'100 USD'",
              help="Amounts of this currency only from so much; repeatable.")  # fmt: skip
@click.option("--method", type=click.Choice(["GET", "POST", "PUT", "PATCH"]), default=None)
@click.option("--body", default="", help="Template of the body: a postback's by POST, a request's.")
@click.option("--body-file", type=click.File(encoding="utf-8"), help="The file that holds it.")
@click.option("--body-type", type=click.Choice(["form", "json"]), default=None)
@click.option("--answer-id", default="", help="Request: expression of its own id in the answer.")
@click.option("--answer-error", default="", help="Request: expression that finds why it refuses.")
@click.option("--by-type", type=click.File(encoding="utf-8"), help="Request: JSON file of what"
              " differs by type: url, method, body, answer_id, answer_error.")  # fmt: skip
@click.option("--source", default="", help="The CRM's endpoint: what it said is not told back.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'",
              help="A header that is no secret; else: pipshare receiver header.")  # fmt: skip
@click.option("--concurrency", type=int, help="Requests at the same time; 4.")
@click.option("--per-minute", type=int, help="Requests a minute at most; no limit.")
@click.option("--timeout", "timeout_s", type=int, help="Seconds for an answer; 15.")
@click.option("--owner-email", default="", help="Who is mailed when it is switched off.")
@click.option("--paused", is_flag=True, help="Collect, but send nothing until resumed.")
@by_option
def add_command(name: str, by: str, paused: bool, **given: Any) -> None:
    """Set up a receiver called NAME; it is told what happens from now on."""
    kind, settings = _settings(given)
    check(kind, settings)
    db.migrate()
    with db.transaction() as conn:
        entities = market.entities(conn)
        partner_id, partner, entity_id = None, "", _entity_id(entities, given["entity"])
        if given["partner"]:
            found = partners.partner(conn, given["partner"], given["entity"])
            partner_id, partner, entity_id = found.id, found.code, found.entity_id
        made, secret = set_up(
            conn, entity_id, kind, name, settings, partner_id=partner_id, partner=partner,
            paused=paused, by=by,
        )  # fmt: skip
        running = outbox.is_dispatched(conn)
    hint = "" if kind == "request" else f"; next: pipshare receiver test {made.name!r}"
    console.print(f"Receiver {made.name} is set up{hint}")
    if secret:
        console.print("Its signing secret, shown only now:")
        click.echo(secret)
    if given["preset"]:
        preset = PRESETS[given["preset"]]
        console.print(f"Our link for {preset.name} ends with ?{preset.link}. {preset.note}".strip())
    if not running:
        console.print(
            "Nobody delivers at this moment: start `pipshare work` or `pipshare deliver`."
        )


def _settings(given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the kind and the settings that the options say."""
    preset = PRESETS[given["preset"]] if given["preset"] else None
    kind = given["kind"] or ("postback" if preset else None)
    if kind is None:
        raise click.UsageError("say what it is: --kind postback, webhook or request, or a"
                               " --preset")  # fmt: skip
    if preset and kind != "postback":
        raise click.UsageError(f"a preset is a postback: leave --kind {kind} out")
    settings: dict[str, Any] = {"url": given["url"]}
    if preset and not given["url"]:
        settings["url"] = _filled(preset.url, given["fills"])
    if preset:
        settings |= {"event_names": dict(preset.events), "statuses": dict(preset.statuses),
                     "preset": given["preset"]}  # fmt: skip
    for key in ("method", "body", "body_type", "concurrency", "per_minute", "timeout_s",
                "owner_email", "answer_id", "answer_error", "source"):  # fmt: skip
        settings[key] = given[key]
    if given["body_file"]:
        settings["body"] = given["body_file"].read()
    if given["by_type"]:
        settings["by_type"] = _object(given["by_type"].read())
    settings["events"] = [kind for event in given["events"] for kind in _types(event)]
    settings["countries"] = list(given["countries"])
    settings["not_countries"] = list(given["not_countries"])
    settings["minimum"] = dict(map(_minimum, given["minimums"]))
    settings["headers"] = dict(map(_header, given["headers"]))
    return kind, {key: value for key, value in settings.items() if value not in (None, "", [], {})}


def _filled(url: str, fills: tuple[str, ...]) -> str:
    told = {key.strip(): value.strip() for key, _, value in (one.partition("=") for one in fills)}
    open_ = [word for word in _BLANK.findall(url) if not told.get(word)]
    if open_:
        raise BadInput("open_preset", f"the preset is {url}: give"
                       + "".join(f' --fill "{word}=..."' for word in open_))  # fmt: skip
    return _BLANK.sub(lambda found: told[found[1]], url)


def _object(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"it is not valid JSON: {error}", param_hint="--by-type") from None


def _types(event: str) -> list[str]:
    if event in _EVENTS:
        return _EVENTS[event]
    if event in TYPES or event.endswith(".*"):
        return [event]
    raise click.BadParameter(f"{event!r} is none of {', '.join([*EVENTS, *TYPES])}",
                             param_hint="--event")  # fmt: skip


def _minimum(text: str) -> tuple[str, str]:
    amount, _, currency = text.strip().partition(" ")
    if not currency.strip():
        raise click.BadParameter(f"{text!r} has no currency: write '100 USD'",
                                 param_hint="--minimum")  # fmt: skip
    return currency.strip().upper(), amount


def _header(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name.strip(), value.strip()


def _entity_id(entities: dict[int, Any], code: str | None) -> int:
    found = {one.code: key for key, one in entities.items()}
    if code is None and len(found) > 1:
        raise click.UsageError(f"there are several entities: --entity {' or '.join(found)}")
    if code is not None and code not in found:
        raise click.BadParameter(f"there is no entity {code!r}", param_hint="--entity")
    return found[code] if code else next(iter(entities))
