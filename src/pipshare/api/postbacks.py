"""Postbacks in at `/s2s/<event>`, by GET or POST, answered when they are durable.

Whoever calls is a program of the broker's site or tracker: every answer is JSON, and says what
became of the postback and why. Reference: docs/reference/postbacks.md.
"""

from __future__ import annotations

import json
import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from pipshare import db
from pipshare.api.problems import Problem, problem
from pipshare.api.sent import read_body, sender_of
from pipshare.errors import Unavailable
from pipshare.pipeline.postbacks import Answer, Sent, take_postbacks
from pipshare.tracking.postback_fields import read_request
from pipshare.web import declare

_METHODS = ("GET", "POST")
_gather: db.Gather[Sent, Answer] = db.Gather(
    take_postbacks, name="pipshare-postbacks", one_statement=True
)


@csrf_exempt
def take(request: HttpRequest, event: str) -> HttpResponse:
    """Take one postback: 200 with a verdict; 401, 403 to who is not let in; 413, 414 too long."""
    if request.method not in _METHODS:
        refused = problem(405, "no_method", f"Send GET or POST, not {request.method}.",
                          verdict="rejected", reason="no_method")  # fmt: skip
        refused.headers["Allow"] = ", ".join(_METHODS)
        return refused
    try:
        sent = _read(request, event)
        return _told(_gather.submit(sent))
    except Problem as error:
        return problem(error.status, error.code, error.detail, verdict="rejected",
                       reason=error.code)  # fmt: skip
    except Unavailable as error:
        return problem(503, error.code, f"{error.message}; nothing was taken.")


def _read(request: HttpRequest, event: str) -> Sent:
    body = None
    if request.method == "POST":
        read_body(request)
        body = request.body
    told = request.META  # not request.headers, which is made of all of them first
    kind, _, bearer = told.get("HTTP_AUTHORIZATION", "").partition(" ")
    fields = read_request(
        told.get("QUERY_STRING", "").encode("latin-1", "replace"),
        body,
        told.get("CONTENT_TYPE", ""),
        bearer.strip() if kind.lower() == "bearer" else "",
        told.get("HTTP_X_SIGNATURE", ""),
    )
    shown = event if event.isprintable() else "?"  # no text of the database holds a zero byte
    return Sent(shown[:40], fields, sender_of(request)[:64], time.time_ns() // 1_000_000)


def _told(answer: Answer) -> HttpResponse:
    told: dict[str, Any] = {"verdict": answer.verdict, "reason": answer.reason,
                            "detail": answer.detail, "id": answer.id}  # fmt: skip
    if answer.ignored:
        told["ignored"] = list(answer.ignored)
    if answer.status != 200:
        return problem(answer.status, answer.reason, answer.detail, verdict=answer.verdict,
                       reason=answer.reason, id=answer.id)  # fmt: skip
    return HttpResponse(json.dumps(told), content_type="application/json",
                        headers={"Cache-Control": "no-store"})  # fmt: skip


urlpatterns = [path("s2s/<path:event>", take, name="postback")]
declare(urlpatterns, "api key")  # a tracker's token
