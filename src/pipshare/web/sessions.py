"""Ends sessions: two hours after the last click, twelve hours after the sign-in."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse

IDLE_S = 2 * 3600
WHOLE_S = 12 * 3600
_EVERY_S = 60  # a click's time is written down this often at most
_SINCE, _SEEN = "pipshare.since", "pipshare.seen"


class EndSessions:
    """Signs out who was away too long. A page's live parts asking for news are no clicks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look at the clock, then serve."""
        if request.user.is_authenticated:
            self._look(request)
        return self.get_response(request)

    def _look(self, request: HttpRequest) -> None:
        now, session = int(time.time()), request.session
        since, seen = session.get(_SINCE, 0), session.get(_SEEN, 0)
        if now - since > WHOLE_S or now - seen > IDLE_S:
            logout(request)
        elif now - seen > _EVERY_S and not getattr(request, "htmx", False):
            session[_SEEN] = now


def _begin(sender: Any, request: HttpRequest, **_: Any) -> None:
    request.session[_SINCE] = request.session[_SEEN] = int(time.time())


def listen() -> None:
    """Note the time of each sign-in."""
    user_logged_in.connect(_begin, dispatch_uid="pipshare.sessions")
