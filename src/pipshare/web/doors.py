"""The short way to the doors of machines: a click, a postback and a webhook are no pages.

Sessions, forms, messages and sign-ins are of people who look at pages. Whoever knocks here proves
himself by what he sends, or needs not to; the host, the headers that protect whoever looks at the
answer, and the pages of errors are as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable

from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, resolve

from pipshare.web.access import ANYONE
from pipshare.web.errors import ErrorPages

KEY = "api key"  # who proves himself in the request
DOORS = ("/hooks/", "/s2s/", "/c/")


class Doors:
    """Serves DOORS without the middleware behind it; everything else goes on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._pages = ErrorPages(self._answered)
        self._headers = {
            "Content-Security-Policy": build_policy(),
            "X-Frame-Options": settings.X_FRAME_OPTIONS,
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve a door, or go on."""
        found = _door(request)
        if found is None:
            return self.get_response(request)
        request.get_host()  # raises for a host that is not ours
        request.resolver_match = found
        response = self._pages(request)
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    def _answered(self, request: HttpRequest) -> HttpResponse:
        found = request.resolver_match
        assert found is not None
        try:
            answer: HttpResponse = found.func(request, *found.args, **found.kwargs)
        except Exception as error:
            shown = self._pages.process_exception(request, error)
            if shown is None:  # Django has an answer of its own
                raise
            return shown
        return answer


def _door(request: HttpRequest) -> ResolverMatch | None:
    """Return the view of a door, None where pages' middleware is needed or nothing is there."""
    if not request.path_info.startswith(DOORS):
        return None
    try:
        found = resolve(request.path_info)
    except Resolver404:
        return None
    return found if getattr(found.func, "permission", "") in (ANYONE, KEY) else None
