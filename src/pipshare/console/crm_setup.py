"""Set an endpoint up: from a known system's preset, or from nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from pipshare import market
from pipshare.console.asked import Form, chosen_entity, entity_field, lines, text, who
from pipshare.console.links import base_of
from pipshare.crm import PRESETS, Preset, preset
from pipshare.errors import BadInput, Missing
from pipshare.inbox.endpoints import WEBHOOK
from pipshare.pipeline.crm.pollers import POLLED
from pipshare.pipeline.crm.set_up import set_up
from pipshare.web import reading, room, writing

OWN = "own"  # no preset
_WAYS = {WEBHOOK: "It sends webhooks to us", "sql": "We read a replica of its database",
         "folder": "It leaves files in a folder"}  # fmt: skip


class EndpointForm(Form):
    """A new endpoint. A field for each thing that the preset asks is added."""

    FAULTS: ClassVar = {
        "bad_code": "code", "endpoint_exists": "code", "no_entity": "entity",
        "bad_setting": "settings", "bad_settings": "settings", "bad_secret": "secret",
        "bad_verification": "verify", "plain_http": "settings",
    }  # fmt: skip
    entity = forms.ChoiceField(label="Entity")
    code = text("Code", help="How you call it, as crm. Small letters; part of its address.")
    way = forms.ChoiceField(label="How its data comes")
    verify = lines("How it proves who it is", rows=2,
                   help="JSON. Empty: as the preset says, else Standard Webhooks.")  # fmt: skip
    settings = lines("Settings", rows=4,
                     help="A JSON object: url, user, since and the like; see docs/reference/crm.md."
                     " Webhooks need none.")  # fmt: skip
    secret = forms.CharField(
        label="Its secret", required=False, max_length=400,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Password, token or key. Empty for webhooks: pipshare makes one, shown once.",
    )  # fmt: skip

    def __init__(self, *args: Any, of: Preset | None, **given: Any) -> None:
        super().__init__(*args, **given)
        polled = [of.name] if of is not None and of.name in POLLED else []
        ways = [*_WAYS, *polled]
        self.fields["way"].choices = [
            (one, _WAYS.get(one, f"We ask its API ({of.system if of else one})")) for one in ways
        ]
        for name, about in (of.asks if of else {}).items():
            self.fields[f"ask {name}"] = text(name.capitalize(), help=about.capitalize())

    def asked(self) -> dict[str, str]:
        """Return what was filled in for the preset."""
        told = self.cleaned_data.items()
        return {name.removeprefix("ask "): value.strip() for name, value in told
                if name.startswith("ask ")}  # fmt: skip


@room("crm.change")
def choose_crm(request: HttpRequest) -> HttpResponse:
    """Ask which system is to be connected."""
    return render(request, "console/crm_presets.html", {
        "presets": [preset(name) for name in PRESETS], "own": OWN,
    })  # fmt: skip


@room("crm.change", methods=("GET", "POST"))
def add_endpoint(request: HttpRequest, name: str) -> HttpResponse:
    """Set up an endpoint by a preset, or OWN."""
    if name != OWN and name not in PRESETS:
        raise Missing("no_preset", f"There is no preset {name[:40]!r}.")
    of = None if name == OWN else preset(name)
    with reading() as conn:
        entities = market.entities(conn)
    form = EndpointForm(request.POST or None, of=of, initial={"code": "" if of is None else name})
    entity_field(form, entities)
    made: list[Any] = []

    def act() -> None:
        told = form.cleaned_data
        with writing() as conn:
            made.append(set_up(
                conn, chosen_entity(entities, told["entity"]).id, told["code"].strip(),
                told["way"], preset=of, values=form.asked(),
                settings=_json(told["settings"], "settings", dict),
                verify=_json(told["verify"], "verify", list), secret=told["secret"],
                by=who(request),
            ))  # fmt: skip

    if request.method == "POST" and form.is_valid() and form.attempt(act):
        one = made[0]
        if one.secret:
            return render(request, "console/crm_secret.html", {
                "one": one.endpoint, "secret": one.secret, "is_new": True,
                "url": f"{base_of(request)}/hooks/{one.endpoint.code}",
            })  # fmt: skip
        messages.success(request, f"{one.endpoint.code} is set up.")
        return redirect("console:crm_endpoint", code=one.endpoint.code)
    return render(request, "console/crm_add.html", {
        "form": form, "preset": of, "title": f"Connect {of.system if of else 'a CRM'}",
    })  # fmt: skip


def _json(told: str, field: str, kind: type[Any]) -> Any:
    """Read a field of JSON; None where it is empty. Raises BadInput."""
    if not told.strip():
        return None
    try:
        found = json.loads(told)
    except ValueError as error:
        raise BadInput(f"bad_{'setting' if field == 'settings' else 'verification'}",
                       f"it is not valid JSON: {error}") from None  # fmt: skip
    if not isinstance(found, kind):
        want = "an object in braces" if issubclass(kind, Mapping | dict) else "a list in brackets"
        raise BadInput(f"bad_{'setting' if field == 'settings' else 'verification'}",
                       f"write {want}")  # fmt: skip
    return found
