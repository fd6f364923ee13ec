"""Endpoints: connections to CRMs, how each fares, and what may be done with one."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pipshare import inbox
from pipshare.console.asked import Form, form_page, may, text, who
from pipshare.console.links import base_of
from pipshare.console.scope import scope_of
from pipshare.console.shown import Row, at, moment
from pipshare.inbox import Endpoint, EndpointStatus
from pipshare.inbox.endpoints import ACTIVE, PAUSED, REMOVED, WEBHOOK
from pipshare.pipeline.crm.set_up import rotate
from pipshare.web import Cell, Column, Table, reading, room, writing

STATES = {"pause": PAUSED, "resume": ACTIVE, "remove": REMOVED}
_SAID = {
    "pause": "is paused: webhooks are answered 503 and come again, polls rest.",
    "resume": "works again.",
    "remove": "is removed, and its secrets are forgotten. What it brought stays.",
}


class StateForm(Form):
    """Why an endpoint is paused, resumed or removed."""

    reason = text("Why", required=False)


class RotateForm(Form):
    """A new secret."""

    secret = forms.CharField(
        label="Secret that the CRM has made", required=False, max_length=400,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Empty: pipshare makes one, shown once. Needed where pipshare asks the CRM.",
    )  # fmt: skip
    now = forms.BooleanField(
        label="The old one has leaked: refuse it at once",
        required=False,
        help_text="Else both are valid for 24 hours, time to change it in the CRM.",
    )


@room("crm.see")
def endpoints(request: HttpRequest) -> HttpResponse:
    """List the endpoints, with when each last heard something and what it could not use."""
    with reading() as conn:
        whole = scope_of(conn, request.user) is None  # a CRM is the broker's business
        found = inbox.endpoints(conn) if whole else []
        statuses = inbox.endpoint_statuses(conn)
        rows = [_row(conn, one, statuses.get(one.id)) for one in found]
    columns = [Column("Endpoint", head=True), Column("Kind"), Column("Entity"), Column("Mapping"),
               Column("Last heard"), Column("State")]  # fmt: skip
    return render(request, "console/crm.html", {
        "table": Table("Endpoints", columns, rows, hide_caption=True) if rows else None,
        "may_change": may(request, "crm.change"),
    })  # fmt: skip


def _row(conn: Any, one: Endpoint, status: EndpointStatus | None) -> Row:
    version = inbox.published(conn, one.id)
    last = next(iter(inbox.payloads(conn, limit=1, endpoint=one.code)), None)
    bad = next(iter(inbox.payloads(conn, limit=1, endpoint=one.code, problems=True)), None)
    state = Cell("In use", tone="good", note="has payloads with problems" if bad else "")
    if one.state == PAUSED:
        state = Cell("Paused", tone="plain")
    elif status is not None and status.fails:
        state = Cell("Out", tone="bad", note=status.error)
    elif bad:
        state = Cell("Problems", tone="warn", note="some items cannot be used")
    return [
        Cell(one.code, reverse("console:crm_endpoint", args=[one.code])),
        Cell(one.kind, note=one.preset if one.preset != one.kind else ""), one.entity,
        Cell(f"version {version.version}") if version else Cell("none", tone="warn"),
        at(last.at_ms if last else None), state,
    ]  # fmt: skip


@room("crm.see")
def endpoint(request: HttpRequest, code: str) -> HttpResponse:
    """Show one endpoint: where it is reached, how senders prove themselves, its mappings."""
    with reading() as conn:
        one = of_code(conn, code)
        versions = inbox.mapping_versions(conn, one.id)
        status = inbox.endpoint_statuses(conn).get(one.id, EndpointStatus(one.id))
        bad = [(each.id, moment(each.at_ms), _first_problem(conn, each)) for each in
               inbox.payloads(conn, limit=5, endpoint=one.code, problems=True)]  # fmt: skip
    rows: list[Row] = [
        [Cell(str(each.version), f"{reverse('console:crm_mapping', args=[one.code])}"
              f"?version={each.version}", note="holds" if number == 0 else ""),
         moment(each.at_ms), each.by, each.note or "–"]
        for number, each in enumerate(versions)
    ]  # fmt: skip
    columns = [Column("Version", head=True), Column("Published"), Column("By"), Column("Note")]
    is_webhook = one.kind == WEBHOOK
    proofs = [_proof(proof) for proof in one.verify]
    return render(request, "console/crm_endpoint.html", {
        "one": one, "is_webhook": is_webhook, "status": status, "proofs": proofs,
        "url": f"{base_of(request)}/hooks/{one.code}" if is_webhook else "",
        "settings": json.dumps(one.settings, indent=2, ensure_ascii=False) if one.settings else "",
        "cursor": json.dumps(status.cursor, indent=2) if status.cursor else "",
        "last_ok": moment(status.last_ok_ms), "last_try": moment(status.last_try_ms),
        "table": Table("Mappings published, the newest first", columns, rows) if rows else None,
        "bad": bad,
        "may_change": may(request, "crm.change"), "may_replay": may(request, "crm.replay"),
        "may_map": may(request, "mappings.change"),
    })  # fmt: skip


def _proof(proof: dict[str, Any]) -> str:
    more = [f"{key} {value}" for key, value in sorted(proof.items()) if key != "method"]
    return ", ".join([str(proof.get("method", "")), *more])


def _first_problem(conn: Any, one: inbox.LoggedPayload) -> str:
    """Return what is wrong with the first bad item of a payload."""
    items = inbox.payload_items(conn, one.id)
    found = [each.detail for each in items if each.outcome in ("problem", "refused")]
    return found[0] if found else one.detail or one.reason


@room("crm.change", methods=("GET", "POST"))
def change_endpoint(request: HttpRequest, code: str, to: str) -> HttpResponse:
    """Pause, resume or remove an endpoint."""
    with reading() as conn:
        one = of_code(conn, code)
    form = StateForm(request.POST or None)
    here = reverse("console:crm_endpoint", args=[one.code])
    if request.method == "POST" and form.is_valid():
        with writing() as conn:
            inbox.set_endpoint_state(conn, one, STATES[to], by=who(request),
                                     reason=form.cleaned_data["reason"])  # fmt: skip
        messages.success(request, f"{one.code} {_SAID[to]}")
        return redirect("console:crm" if to == "remove" else here)
    return form_page(
        request, form, title=f"{to.capitalize()} {one.code}", action=f"{to.capitalize()} it",
        back=here, danger=to == "remove", lead=f"It {_SAID[to]}",
        crumbs=[("CRM", reverse("console:crm")), (one.code, here)],
    )  # fmt: skip


@room("crm.change", methods=("GET", "POST"))
def rotate_secret(request: HttpRequest, code: str) -> HttpResponse:
    """Give an endpoint a new secret; one that was made is shown this once."""
    with reading() as conn:
        one = of_code(conn, code)
    form = RotateForm(request.POST or None)
    here = reverse("console:crm_endpoint", args=[one.code])
    shown: list[str] = []

    def act() -> None:
        told = form.cleaned_data
        with writing() as conn:
            shown.append(rotate(conn, one, told["secret"], now=told["now"], by=who(request)))

    if request.method == "POST" and form.is_valid() and form.attempt(act):
        if shown[0]:
            return render(request, "console/crm_secret.html", {
                "one": one, "secret": shown[0], "url": f"{base_of(request)}/hooks/{one.code}",
            })  # fmt: skip
        messages.success(request, f"{one.code} has the new secret.")
        return redirect(here)
    return form_page(
        request, form, title=f"New secret of {one.code}", action="Change it", back=here,
        crumbs=[("CRM", reverse("console:crm")), (one.code, here)],
    )  # fmt: skip


def of_code(conn: Any, code: str) -> Endpoint:
    """Return an endpoint by the code in an address. Raises Missing."""
    return inbox.endpoint(conn, code.replace("\0", "")[:100])
