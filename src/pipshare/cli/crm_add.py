"""`pipshare crm add`: connect a CRM, by its preset or from nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from pipshare import db, market, settings
from pipshare.cli.options import by_option, console
from pipshare.crm import PRESETS, Preset, preset
from pipshare.errors import BadInput
from pipshare.inbox.endpoints import WEBHOOK
from pipshare.pipeline.crm.hook_settings import hook_settings
from pipshare.pipeline.crm.set_up import KINDS, Made, set_up

_ENVIRONMENT = "PIPSHARE_CRM_SECRET"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def own_secret_options(command: Any) -> Any:
    """Add the options by which the secret of the CRM's own making is given."""
    for option in (
        click.option("--ask-secret", is_flag=True, help="Ask for the CRM's own secret, password or"
                     " key; without it a webhook gets one, which is shown."),
        click.option("--secret-file", type=_FILE, help="File with the CRM's own secret."),
    ):  # fmt: skip
        command = option(command)
    return command


def own_secret(is_needed: bool, ask_secret: bool, secret_file: Path | None) -> str:
    """Return the CRM's own secret: from a file, the environment, or the terminal without echo."""
    if secret_file is not None:
        return secret_file.read_text(encoding="utf-8").strip()
    given = os.environ.get(_ENVIRONMENT, "").strip()
    if given or not (ask_secret or is_needed):
        return given
    return str(click.prompt("Secret", hide_input=True)).strip()


@click.command("add")
@click.argument("code")
@click.option("--preset", "preset_name", type=click.Choice(PRESETS), help="A known system's mapping"
              " and proofs.")  # fmt: skip
@click.option("--kind", type=click.Choice(KINDS), default=WEBHOOK, show_default=True,
              help="webhook: the CRM sends; else it is asked.")  # fmt: skip
@click.option("--entity", default="main", show_default=True, help="Whose clients it tells of.")
@click.option("--fill", "fills", multiple=True, metavar="WORD=VALUE",
              help='What a preset leaves open: "zone=Europe/Nicosia".')  # fmt: skip
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of its kind: answer=plain, url=...; lists as JSON.",
)
@click.option("--settings-file", type=_FILE, help="JSON file with settings.")
@click.option("--verify", metavar="JSON", help="How senders prove themselves, a list of proofs or"
              " @FILE; else the preset's, or Standard Webhooks.")  # fmt: skip
@click.option("--mapping", "mapping_file", type=_FILE, help="The mapping's file, not the preset's.")
@own_secret_options
@by_option
def add_command(code: str, preset_name: str | None, kind: str, entity: str, by: str,
                mapping_file: Path | None, **given: Any) -> None:  # fmt: skip
    """Connect a CRM as endpoint CODE."""
    verify = given.pop("verify")
    found = preset(preset_name) if preset_name else None
    values = dict(_pair(one, "--fill") for one in given.pop("fills"))
    _check_fills(found.asks if found else {}, values, mapping_file is not None)
    told = _settings(given.pop("sets"), given.pop("settings_file"))
    db.migrate()
    with db.transaction() as conn:
        whose = next((one for one in market.entities(conn).values() if one.code == entity), None)
        if whose is None:
            raise click.BadParameter(f"there is no entity {entity!r}", param_hint="--entity")
        made = set_up(
            conn, whose.id, code, kind, preset=found, values=values, settings=told,
            verify=_json(verify, "--verify") if verify else None,
            mapping=_read(mapping_file) if mapping_file else None,
            secret=own_secret(kind not in (WEBHOOK, "folder"), **given), by=by,
        )  # fmt: skip
    _say(made, found)


def _say(made: Made, found: Preset | None) -> None:
    one = made.endpoint
    console.print(f"Endpoint {one.code} is set up: {one.kind} of entity {one.entity}.")
    if made.secret:
        console.print("Its secret, shown only now:")
        click.echo(made.secret)
    if one.kind == WEBHOOK:
        base = settings.ENV.url or "http://127.0.0.1:8000"
        address = hook_settings(one.settings).url or f"{base}/hooks/{one.code}"
        console.print(f"The address that the CRM calls: {address}")
    if not made.version:
        console.print("It has no mapping: what comes is kept until one is published with"
                      f" `pipshare crm mapping publish {one.code} FILE`.")  # fmt: skip
    elif found is not None and found.ours:
        console.print(f"The preset is pipshare's own, no vendor's. {found.lacks}")
        console.print(f"`pipshare crm mapping show {one.code}` prints its mapping, `pipshare crm"
                      f" mapping test {one.code} PAYLOAD` tries one.")  # fmt: skip
    elif found is not None and not found.verified:
        console.print("The preset was never run against the real system: test it with a payload of"
                      f" yours, `pipshare crm mapping test {one.code} PAYLOAD`.")  # fmt: skip


def _check_fills(asks: Any, values: dict[str, str], has_own: bool) -> None:
    open_ = [word for word in asks if word not in values]
    if open_ and not has_own:
        told = "".join(f'\n  --fill "{word}=..."  {asks[word]}' for word in open_)
        raise BadInput("open_preset", f"the preset leaves something to you:{told}")
    for word in values:
        if word not in asks:
            raise click.BadParameter(f"the preset asks for no {word!r}", param_hint="--fill")


def _settings(sets: tuple[str, ...], file: Path | None) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if file is not None:
        told = _read(file)
    for one in sets:
        name, text = _pair(one, "--set")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        told[name] = value if isinstance(value, dict | list | bool) else text
    return told


def _pair(text: str, option: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise click.BadParameter(f"{text!r}: write NAME=VALUE", param_hint=option)
    return name.strip(), value.strip()


def _read(file: Path) -> dict[str, Any]:
    found = _json(file.read_text(encoding="utf-8"), str(file))
    if not isinstance(found, dict):
        raise click.BadParameter("it holds no JSON object", param_hint=str(file))
    return found


def _json(text: str, where: str) -> Any:
    if text.startswith("@"):
        text = Path(text[1:]).read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"it is not valid JSON: {error}", param_hint=where) from None
