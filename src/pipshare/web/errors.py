"""Errors as pages, in plain words: what happened, and what the reader can do."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any

import psycopg
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from pipshare.errors import BadInput, Conflict, Missing, PipshareError, Unavailable

_log = logging.getLogger("pipshare.web")
_STATUS = {BadInput: 400, Missing: 404, Conflict: 409, Unavailable: 503}
_TITLES = {
    400: "This request could not be read",
    403: "This page is not open to you",
    404: "There is nothing at this address",
    405: "This address does not take that",
    409: "This contradicts what is booked",
    429: "Too many attempts",
    500: "Something went wrong on our side",
    503: "The database does not answer",
}
_TEXTS = {
    400: "Something in the address or the form is not as it should be. Go back and try again.",
    403: "Your role does not include it. An administrator can change your role.",
    404: "The page may have moved, or the address has a mistake in it.",
    405: "Go back and use the page's own buttons.",
    429: "Wait five minutes, then try again. Nothing is lost.",
    500: "Nothing was booked by this request. Try again; if it stays, give your administrator"
    " the reference below.",
    503: "It may be restarting. Nothing is lost; try again in a minute.",
}


def page(request: HttpRequest, status: int, text: str = "", reference: str = "") -> HttpResponse:
    """Return an error page. It must work when nothing else does: it asks nobody anything."""
    known = {
        "status": status,
        "title": _TITLES.get(status, "This did not work"),
        "text": text or _TEXTS.get(status, ""),
        "reference": reference,
    }
    response = HttpResponse(render_to_string("web/error.html", known), status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


class ErrorPages:
    """Turns errors of the core into pages; what nobody foresaw gets a reference and a log entry."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve; an empty refusal becomes a page."""
        response = self.get_response(request)
        if response.status_code == 405 and not response.content:
            allowed = response.headers.get("Allow", "")
            response = page(request, 405)
            response.headers["Allow"] = allowed
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for an error that left a view."""
        if isinstance(error, PipshareError):
            status = next((n for kind, n in _STATUS.items() if isinstance(error, kind)), 500)
            if status != 500:
                return page(request, status, _sentence(error.message))
        if isinstance(error, psycopg.OperationalError | DatabaseError) and _is_away(error):
            _log.error("%s %s: %s", request.method, request.path, str(error).strip())
            return page(request, 503)
        if isinstance(error, PermissionDenied | RequestDataTooBig) or _is_http(error):
            return None
        return failed(request, error)


def _sentence(message: str) -> str:
    """Write a message of the core as a sentence of its own."""
    text = message[:1].upper() + message[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _is_away(error: Exception) -> bool:
    cause = error.__cause__ if isinstance(error, DatabaseError) else error
    return isinstance(cause, psycopg.OperationalError)


def _is_http(error: Exception) -> bool:
    """Whether Django has an answer of its own to this error."""
    from django.core.exceptions import BadRequest, SuspiciousOperation
    from django.http import Http404

    return isinstance(error, Http404 | BadRequest | SuspiciousOperation)


def failed(request: HttpRequest, error: Exception | None = None) -> HttpResponse:
    """500, and the traceback in the log under the reference that the page shows."""
    reference = secrets.token_hex(4)
    _log.error("reference %s: %s %s", reference, request.method, request.path, exc_info=error)
    return page(request, 500, reference=reference)


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400: a host that is not ours, a field that is too long."""
    return page(request, 400)


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403: the role does not include it."""
    return page(request, 403)


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404."""
    return page(request, 404)


def too_many(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """429: allauth counts attempts to sign in."""
    return page(request, 429)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without its token: an old page, cookies switched off, or a forgery."""
    text = (
        "The form was open for too long, or your browser does not keep our cookie. Go back, load"
        " the page again and send the form once more."
    )
    return page(request, 403, text)
