"""Try a mapping on a pasted payload, see event by event what comes of it, and publish a version."""

from __future__ import annotations

import json
import time
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from pipshare import inbox
from pipshare.console.asked import Form, lines, may, text, who
from pipshare.console.crm_endpoints import of_code
from pipshare.console.shown import counted
from pipshare.crm import read_mapping
from pipshare.pipeline.crm.currencies import known_currencies
from pipshare.pipeline.crm.judge import MAPPED, SKIPPED, Item, Judgement, judge
from pipshare.web import reading, room, writing

_KINDS = (("application/json", "JSON"), ("application/x-ndjson", "JSON, an object per line"),
          ("application/x-www-form-urlencoded", "A form"))  # fmt: skip
_MOST = 200_000  # characters of a payload that is tried


class MappingForm(Form):
    """A mapping and a payload."""

    mapping = lines("Mapping", rows=22, required=True, most=_MOST)
    payload = lines("Payload", rows=22, most=_MOST,
                    help="As the CRM sends it. It is tried here and kept nowhere.")  # fmt: skip
    content_type = forms.ChoiceField(label="It is", choices=_KINDS)
    note = text("Note", required=False, help="What changed, for those who read the list later.")


@room("crm.see", methods=("GET", "POST"))
def mapping(request: HttpRequest, code: str) -> HttpResponse:
    """Show an endpoint's mapping beside a payload; try it, and publish it as a new version."""
    with reading() as conn:
        one = of_code(conn, code)
        versions = inbox.mapping_versions(conn, one.id)
        knows = known_currencies(conn)
        shown = _chosen(request, versions)
        initial = {"mapping": inbox.mapping_text(shown) if shown else ""}
        if payload := request.GET.get("payload"):
            initial |= _payload(conn, request, payload)
        form = MappingForm(request.POST or None, initial=initial)
        told: list[Judgement] = []

        def try_it() -> None:
            read = read_mapping(form.cleaned_data["mapping"])
            if form.cleaned_data["payload"].strip():
                told.append(judge(
                    read, form.cleaned_data["payload"].encode(), form.cleaned_data["content_type"],
                    received_ms=time.time_ns() // 1_000_000, source=one.code, entity=one.entity,
                    knows=knows,
                ))  # fmt: skip

        is_right = request.method == "POST" and form.is_valid() and form.attempt(try_it)
    if is_right and "publish" in request.POST:
        return _publish(request, one, form)
    return render(request, "console/crm_mapping.html", {
        "one": one, "form": form, "is_right": is_right, "version": shown,
        "items": [_item(each) for each in told[0].items] if told else [],
        "said": _said(told[0]) if told else "", "may_publish": may(request, "mappings.change"),
    })  # fmt: skip


def _publish(request: HttpRequest, one: inbox.Endpoint, form: MappingForm) -> HttpResponse:
    if not may(request, "mappings.change"):
        raise PermissionDenied
    with writing() as conn:
        version = inbox.publish_mapping(
            conn, one, json.loads(form.cleaned_data["mapping"]), note=form.cleaned_data["note"],
            by=who(request),
        )  # fmt: skip
    messages.success(request, f"Version {version} holds for what comes from now on. What came"
                              " before and had problems can be replayed.")  # fmt: skip
    return redirect("console:crm_endpoint", code=one.code)


def _chosen(request: HttpRequest, versions: list[inbox.MappingVersion]) -> Any:
    asked = request.GET.get("version", "")
    found = [one for one in versions if str(one.version) == asked]
    return found[0] if found else versions[0] if versions else None


def _payload(conn: Any, request: HttpRequest, payload_id: str) -> dict[str, str]:
    """Return a stored payload to be tried, for those who may see one."""
    if not may(request, "crm.raw"):
        return {}
    body, kind = inbox.payload_body(conn, payload_id.replace("\0", "")[:40])
    kind = kind.partition(";")[0].strip().lower()
    return {"payload": body.decode("utf-8", "replace")[:_MOST],
            "content_type": kind if kind in dict(_KINDS) else "application/json"}  # fmt: skip


def _item(one: Item) -> dict[str, Any]:
    tone = "good" if one.verdict == MAPPED else "plain" if one.verdict == SKIPPED else "bad"
    where = ", ".join(text for text in (
        f"rule {one.rule}" if one.rule else "", f"field {one.field}" if one.field else "",
        f"expression {one.expression}" if one.expression else "",
        f"line {one.line}" if one.line else "",
    ) if text)  # fmt: skip
    left_out = ("kind", "source", "entity")
    return {
        "number": one.item, "tone": tone, "verdict": one.verdict, "kind": one.kind, "where": where,
        "sentence": one.sentence, "code": one.code.replace("_", " "),
        "fields": [(name, value) for name, value in one.fields.items() if name not in left_out],
        "claims": list(one.claims.items()),
    }  # fmt: skip


def _said(told: Judgement) -> str:
    skipped = sum(one.verdict == SKIPPED for one in told.items)
    return (f"{counted(len(told.mapped), 'item')} mapped, {skipped} left on purpose,"
            f" {counted(len(told.problems), 'problem')}.")  # fmt: skip
