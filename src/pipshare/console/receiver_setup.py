"""Set a receiver up, from a tracker's preset or from nothing; change it; see what it would get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pipshare import market, outbox, partners
from pipshare.console.asked import chosen_entity, entity_field, who
from pipshare.console.receiver_form import WEBHOOK, ReceiverForm, initial_of
from pipshare.console.receiver_preview import POSTBACK, REQUEST, previews
from pipshare.console.receivers import receiver_of
from pipshare.console.request_form import RequestForm
from pipshare.console.request_form import begun as begun_request
from pipshare.console.scope import scope_of
from pipshare.errors import BadInput, Missing
from pipshare.outbox import Receiver
from pipshare.outbox.receiver_settings import check_settings
from pipshare.pipeline.said.requests import checked
from pipshare.tracking.presets import PRESETS, Preset
from pipshare.web import reading, room, writing

KINDS = (POSTBACK, WEBHOOK, REQUEST)
_FORMS = {POSTBACK: ReceiverForm, WEBHOOK: ReceiverForm, REQUEST: RequestForm}
_NEXT = {POSTBACK: "Send it a test.", REQUEST: "It hears what happens from now on."}


@room("receivers.change")
def choose_preset(request: HttpRequest) -> HttpResponse:
    """Ask what is to be told: a tracker of the known ones, another one, or a system."""
    asked = request.GET.get("partner", "")[:100]
    return render(request, "console/receiver_presets.html",
                  {"presets": PRESETS.items(), "partner": asked})  # fmt: skip


@room("receivers.change", methods=("GET", "POST"))
def add_receiver(request: HttpRequest, preset: str) -> HttpResponse:
    """Set up a receiver: `preset` is a tracker's, or the name of a kind, from nothing."""
    known = PRESETS.get(preset)
    if known is None and preset not in KINDS:
        raise Missing("no_preset", f"There is no preset {preset[:40]!r}.")
    kind = POSTBACK if known else preset
    with reading() as conn:
        entities = market.entities(conn)
    form = _FORMS[kind](request.POST or None, kind=kind, preset=known,
                        initial=_begun(request, known))  # fmt: skip
    entity_field(form, entities)
    shown: list[Any] = []

    def act() -> None:
        told = form.cleaned_data
        base = {"preset": preset} if known else {}
        with writing() as conn:
            partner = _partner(conn, told["partner"].strip(), scope_of(conn, request.user))
            entity = (entities[partner.entity_id] if partner
                      else chosen_entity(entities, told["entity"]))  # fmt: skip
            draft = _draft(kind, form.settings(base), entity.id, partner, told["name"])
            if "preview" in request.POST:
                shown.extend(previews(draft, entity.code))
                return
            one = outbox.add(conn, entity.id, kind, told["name"], draft.settings,
                             partner_id=draft.partner_id, partner=draft.partner, by=who(request),
                             paused=told.get("paused", False) or kind == WEBHOOK)  # fmt: skip
        shown.append(one)

    done = request.method == "POST" and form.is_valid() and form.attempt(act)
    if done and "preview" not in request.POST:
        told = ("It is paused: make its secret, put it into your system, then resume it."
                if kind == WEBHOOK else _NEXT[kind])  # fmt: skip
        messages.success(request, f"{shown[0].name} is set up. {told}")
        return redirect("console:receiver", receiver_id=shown[0].id)
    name = known.name if known else kind.capitalize()
    return _form(request, form, shown if done else [], title=f"New receiver: {name}",
                 action="Set it up", back=reverse("console:add_receiver"), preset=known,
                 crumbs=[("New receiver", reverse("console:add_receiver"))])  # fmt: skip


@room("receivers.change", methods=("GET", "POST"))
def edit_receiver(request: HttpRequest, receiver_id: int) -> HttpResponse:
    """Change a receiver's settings; what is under way uses the old ones."""
    with reading() as conn:
        one = receiver_of(conn, receiver_id, scope_of(conn, request.user))
        entity = market.entities(conn)[one.entity_id].code
    preset = PRESETS.get(one.settings.get("preset", ""))
    begun = begun_request if one.kind == REQUEST else initial_of
    form = _FORMS[one.kind](request.POST or None, kind=one.kind, preset=preset, is_new=False,
                            initial=begun(one.settings))  # fmt: skip
    shown: list[Any] = []

    def act() -> None:
        draft = _draft(one.kind, form.settings(one.settings), one.entity_id, None, one.name, one)
        if "preview" in request.POST:
            shown.extend(previews(draft, entity))
            return
        with writing() as conn:
            outbox.change(conn, one, draft.settings, by=who(request))

    here = reverse("console:receiver", args=[one.id])
    done = request.method == "POST" and form.is_valid() and form.attempt(act)
    if done and "preview" not in request.POST:
        messages.success(request, "Saved. What is sent from now on goes by it.")
        return redirect(here)
    return _form(request, form, shown if done else [], title=f"Change {one.name}", action="Save",
                 back=here, preset=preset, crumbs=[(one.name, here)])  # fmt: skip


def _draft(
    kind: str, settings: Mapping[str, Any], entity_id: int, partner: partners.Partner | None,
    name: str, before: Receiver | None = None,
) -> Receiver:  # fmt: skip
    """Return the receiver that a form means. Raises BadInput where a request cannot be built."""
    checked(kind, settings)
    told = check_settings(settings)
    if before is not None:
        return Receiver(before.id, entity_id, before.partner_id, before.partner, kind, name, told)
    id_, code = (partner.id, partner.code) if partner else (None, "")
    return Receiver(0, entity_id, id_, code, kind, name, told)


def _partner(conn: Any, code: str, scope: Sequence[int] | None) -> partners.Partner | None:
    if not code:
        if scope is not None:
            raise BadInput("no_partner", "say whose it is: the code of one of your partners")
        return None
    found = partners.partner(conn, code)
    if scope is not None and found.id not in scope:
        raise Missing("no_partner", f"there is no partner {code!r}")
    return found


def _begun(request: HttpRequest, preset: Preset | None) -> dict[str, Any]:
    begun: dict[str, Any] = {"partner": request.GET.get("partner", "")[:100]}
    if preset:
        words = {"event_names": dict(preset.events), "statuses": dict(preset.statuses)}
        begun |= {**initial_of({"url": preset.url, **words})}
        if begun["partner"]:
            begun["name"] = f"{preset.name} of {begun['partner']}"
    return begun


def _form(
    request: HttpRequest, form: ReceiverForm, shown: list[dict[str, Any]], *, title: str,
    action: str, back: str, preset: Preset | None, crumbs: Sequence[tuple[str, str]],
) -> HttpResponse:  # fmt: skip
    return render(request, "console/receiver_form.html", {
        "form": form, "previews": shown, "title": title, "action": action, "back": back,
        "preset": preset, "crumbs": [("Receivers", reverse("console:receivers")), *crumbs],
    })  # fmt: skip
