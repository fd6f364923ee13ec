"""Errors as problem details (RFC 9457): type, title, status, detail, and what else helps."""

from __future__ import annotations

import functools
import json
import logging
import secrets
from collections.abc import Callable
from typing import Any

import psycopg
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from pipshare.errors import BadInput, Conflict, Missing, PipshareError, Unavailable

_log = logging.getLogger("pipshare.api")
_STATUS = {BadInput: 400, Missing: 404, Conflict: 409, Unavailable: 503}
_TITLES = {
    400: "The request cannot be taken",
    401: "No valid key",
    403: "The key may not do this",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unknown content type",
    422: "The request cannot be taken",
    500: "Internal error",
    503: "Not available now",
}


class Problem(Exception):
    """A problem found at this edge: status, code, and the sentence that says what to do."""

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.more = status, code, detail, more


def problem(status: int, code: str, detail: str, **more: Any) -> HttpResponse:
    """Return problem details as an answer."""
    told = {"type": f"urn:pipshare:problem:{code}", "title": _TITLES.get(status, "Problem"),
            "status": status, "code": code, "detail": detail, **more}  # fmt: skip
    headers = {"WWW-Authenticate": 'Bearer realm="pipshare"'} if status == 401 else {}
    if status == 503:
        headers["Retry-After"] = "2"
    return HttpResponse(
        json.dumps(told), status=status, content_type="application/problem+json", headers=headers
    )


def unknown(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Answer what is asked of an address that does not exist."""
    return problem(404, "no_address", f"There is nothing at /v1/{rest}: see /api/docs.")


def told(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a view whose refusal of a method is a problem, too: Ninja answers that one itself.

    A zero byte in an address is refused here: no text of the database can hold one.
    """

    @functools.wraps(view)
    def telling(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return problem(422, "bad_parameter", "The address holds a zero byte.")
        response = view(request, *args, **kwargs)
        if response.status_code != 405:
            return response
        allowed = response.headers["Allow"]
        found = problem(405, "no_method", f"This address takes {allowed}, not {request.method}.")
        found.headers["Allow"] = allowed
        return found

    return telling


def register(api: NinjaAPI) -> None:
    """Let every error of the API leave as problem details."""
    api.add_exception_handler(Problem, _of_edge)
    api.add_exception_handler(PipshareError, _of_core)
    api.add_exception_handler(ValidationError, _of_parameters)
    api.add_exception_handler(HttpError, _of_framework)
    api.add_exception_handler(psycopg.OperationalError, _of_database)
    api.add_exception_handler(Exception, _unforeseen)


def _of_edge(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(error.status, error.code, error.detail, **error.more)


def _of_core(request: HttpRequest, error: Any) -> HttpResponse:
    status = next((s for kind, s in _STATUS.items() if isinstance(error, kind)), 500)
    return problem(status, error.code, error.message)


def _of_parameters(request: HttpRequest, error: Any) -> HttpResponse:
    found = [
        {"field": ".".join(str(part) for part in one["loc"][1:]), "detail": one["msg"]}
        for one in error.errors
    ]
    words = "; ".join(f"{one['field']}: {one['detail']}" for one in found)
    return problem(422, "bad_parameter", words, errors=found)


def _of_framework(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(error.status_code, "bad_request", str(error))


def _of_database(request: HttpRequest, error: Any) -> HttpResponse:
    """Answer for a database that went away, or was too busy to answer in time."""
    _log.warning("%s %s: %s", request.method, request.path, str(error).strip())
    return problem(503, "no_database", "The database does not answer; try again soon.")


def _unforeseen(request: HttpRequest, error: Any) -> HttpResponse:
    reference = secrets.token_hex(6)
    _log.error("%s %s failed, reference %s", request.method, request.path, reference,
               exc_info=error)  # fmt: skip
    return problem(
        500,
        "internal",
        f"Something went wrong on our side, reference {reference}."
        " Send it again: what was booked is not booked twice.",
    )
