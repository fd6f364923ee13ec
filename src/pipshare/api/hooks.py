"""What CRMs send, at `/hooks/<endpoint>`: proven, judged, stored, answered when it is durable.

The answer says what became of every item, errors are problem details; what follows from a payload
is worked off afterwards. Nothing of a body, nor a secret, gets into a log. Reference:
docs/reference/crm.md.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from pipshare import db
from pipshare.api.hook_answers import answered, invited, refused
from pipshare.api.problems import Problem, problem
from pipshare.api.sent import read_body, sender_of
from pipshare.crm import Refused, Request
from pipshare.errors import PipshareError, Unavailable
from pipshare.inbox.endpoints import PAUSED
from pipshare.inbox.payloads import REJECTED, NewPayload
from pipshare.money.currencies import is_known
from pipshare.pipeline.crm.currencies import known_currencies
from pipshare.pipeline.crm.door import Door, Doors, Stored, arrival, take_payloads
from pipshare.pipeline.crm.hook_settings import INVITE, PLAIN
from pipshare.pipeline.crm.judge import FORM, JSON, NDJSON
from pipshare.pipeline.postbacks import Strangers
from pipshare.settings import ENV
from pipshare.web import declare, reading, writing

_TRIES = 3  # an endpoint that is changed while a request is on its way lets it begin anew
_READ_AS_JSON = ("", "text/plain", "text/json", JSON)
_WRONG_ADDRESS = ("wrong_address", "unknown_address")
_log = logging.getLogger("pipshare.hooks")


def _stored(conn: psycopg.Connection[Any], payloads: Sequence[NewPayload]) -> list[Stored]:
    """Store payloads; of what goes wrong only its name is told, as its words may quote them."""
    try:
        return take_payloads(conn, payloads)
    except (psycopg.OperationalError, PipshareError):
        raise
    except Exception as error:
        where = "".join(traceback.format_tb(error.__traceback__))
        raise RuntimeError(f"{type(error).__name__} at\n{where}") from None


_gather: db.Gather[NewPayload, Stored] = db.Gather(
    _stored, name="pipshare-hooks", one_statement=True
)
_doors = Doors(reading)
_strangers = Strangers()


@csrf_exempt
def take(request: HttpRequest, code: str) -> HttpResponse:
    """Take one payload: 200 with what became of it, 401 and 403 to who is not proven, 422 ..."""
    try:
        if request.method != "POST":
            found = problem(405, "no_method", f"Send POST, not {request.method}.")
            found.headers["Allow"] = "POST"
            return found
        return _taken(request, code)
    except Problem as error:
        return problem(error.status, error.code, error.detail, **error.more)
    except Unavailable as error:
        return problem(503, error.code, f"{error.message}; nothing was taken.")
    except Exception as error:  # as above
        where = "".join(traceback.format_tb(error.__traceback__))
        _log.error("a payload failed: %s at\n%s", type(error).__name__, where)
        return problem(500, "internal", "Something went wrong on our side: send it again. What was"
                       " taken is not taken twice.")  # fmt: skip


def _taken(request: HttpRequest, code: str) -> HttpResponse:
    door = _open(_doors.door(code) if code.isprintable() else None)
    for _ in range(_TRIES):
        _read(request, door)
        at_ms = time.time_ns() // 1_000_000
        asked = _asked(request, door)
        assert door.verification is not None
        now = datetime.fromtimestamp(at_ms / 1000, UTC)
        proven = door.verification.verify(asked, door.secrets, now)
        if isinstance(proven, Refused):
            anew = _open(_doors.anew(code))
            if anew.stamp == door.stamp:
                _note(door, at_ms, proven.code, proven.sentence, asked.address)
                status = 403 if proven.code in _WRONG_ADDRESS else 401
                return refused(status, proven.code, proven.sentence)
            door = anew
            continue
        kind = _kind(request, door)
        made, judgement = arrival(door, asked.body, kind, at_ms=at_ms, delivery=proven.delivery,
                                  sender=asked.address, knows=_knows)  # fmt: skip
        stored = _gather.submit(made)
        if not stored.is_stale:
            if door.settings.answer == INVITE and judgement is not None:
                with writing() as conn:
                    return invited(conn, door.endpoint, stored, judgement)
            return answered(stored, made, judgement, door.settings.answer == PLAIN)
        door = _open(_doors.anew(code))
    raise Unavailable("busy", "the endpoint is being changed; send it again")


def _open(door: Door | None) -> Door:
    """Return a door that lets senders in. Raises Problem."""
    if door is None:
        raise Problem(404, "no_endpoint", "There is no such endpoint, or not any more: ask whoever"
                                          " gave you this address.")  # fmt: skip
    if door.endpoint.state == PAUSED:
        raise Problem(503, "paused", f"Endpoint {door.endpoint.code} is paused: send it again"
                                     " later.")  # fmt: skip
    if door.fault:
        if _strangers.may_be_logged():
            _log.error("endpoint %s lets nobody in: %s", door.endpoint.code, door.fault)
        raise Problem(503, "not_set_up", f"Endpoint {door.endpoint.code} is not set up well enough"
                                         " to take anything: tell its owner.")  # fmt: skip
    return door


def _read(request: HttpRequest, door: Door) -> None:
    """Read the body, as far as the endpoint takes one. Raises Problem."""
    is_lines = _base(request) in NDJSON
    most = door.settings.lines_limit if is_lines else door.settings.limit
    try:
        read_body(request, most)
    except Problem as error:
        at_ms = time.time_ns() // 1_000_000
        _note(door, at_ms, error.code, error.detail, sender_of(request))
        raise


def _asked(request: HttpRequest, door: Door) -> Request:
    headers = {name[5:].replace("_", "-").lower(): value for name, value in request.META.items()
               if name.startswith("HTTP_")}  # fmt: skip
    return Request(request.method or "", _address(request, door), headers, request.body,
                   sender_of(request)[:64])  # fmt: skip


def _address(request: HttpRequest, door: Door) -> str:
    """Return the address that the sender called, byte by byte: some sign it."""
    raw = str(request.META.get("RAW_URI", ""))
    whole = raw if raw.startswith("/") else request.get_full_path()
    if door.settings.url:
        query = whole.partition("?")[2]
        return door.settings.url + (f"?{query}" if query else "")
    if ENV.url:
        return ENV.url + whole
    return f"{request.scheme}://{request.get_host()}{whole}"


def _base(request: HttpRequest) -> str:
    return (request.META.get("CONTENT_TYPE") or "").partition(";")[0].strip().lower()


def _kind(request: HttpRequest, door: Door) -> str:
    """Return as what the body is read. Raises Problem 415."""
    base = _base(request)
    if base in _READ_AS_JSON or base.endswith("+json"):
        return JSON
    if base in NDJSON or base == FORM:
        return base
    if door.settings.answer == PLAIN:
        return JSON  # kept, and seen to be none
    raise Problem(415, "content_type", f"Send {JSON}, {NDJSON[0]} (an object per line) or {FORM}.")


def _knows(code: str) -> bool:
    if is_known(code):
        return True
    with reading() as conn:
        return known_currencies(conn)(code)


def _note(door: Door, at_ms: int, reason: str, detail: str, sender: str) -> None:
    """Write into the log that somebody was not let in, and nothing of what he sent."""
    if _strangers.may_be_logged():
        _log.warning("endpoint %s refused %s: %s", door.endpoint.code, sender or "?", reason)
        turned_away = NewPayload(door.endpoint.id, at_ms, b"", "", sender=sender, verdict=REJECTED,
                                 reason=reason, detail=detail)  # fmt: skip
        _gather.submit(turned_away)


urlpatterns: list[Any] = [path("hooks/<str:code>", take, name="hook")]
declare(urlpatterns, "api key")  # an endpoint's own proof
