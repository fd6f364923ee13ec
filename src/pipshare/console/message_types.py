"""The catalogue of events: what is said when, with fields, example and JSON Schema; the macros."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from pipshare.errors import Missing
from pipshare.tracking.catalogue import FIELDS, TYPES, example, text_of
from pipshare.tracking.macros import MACROS
from pipshare.web import Column, Table, room


@room("receivers.see")
def message_types(request: HttpRequest) -> HttpResponse:
    """Show every type of message."""
    told: list[dict[str, Any]] = [
        {
            "kind": kind,
            "said": said,
            "needs": [(name, FIELDS[name][0]) for name in said.needs],
            "may": [(name, FIELDS[name][0]) for name in said.may],
            "example": json.dumps(example(kind), indent=2),
        }
        for kind, said in TYPES.items()
    ]
    macros = Table("Macros of postbacks", [Column("Macro", head=True), Column("Its value")],
                   [[f"{{{name}}}", about] for name, about in MACROS.items()])  # fmt: skip
    return render(request, "console/message_types.html", {"types": told, "macros": macros})


@room("receivers.see")
def schema(request: HttpRequest, kind: str) -> HttpResponse:
    """Return the JSON Schema of a type of message."""
    if kind not in TYPES:
        raise Missing("no_type", f"There is no type of message {kind[:40]!r}.")
    response = HttpResponse(text_of(kind), content_type="application/schema+json")
    response.headers["Content-Disposition"] = f'inline; filename="{kind}.json"'
    return response
