"""Light, dark, or as the system says: a cookie that the server reads, so that nothing flickers."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

COOKIE = "pipshare-theme"
THEMES = ("system", "light", "dark")


def chosen(request: HttpRequest) -> str:
    """Return the theme of this browser."""
    theme = request.COOKIES.get(COOKIE, "system")
    return theme if theme in THEMES else "system"


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep a theme for a year and go back to the page."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        back = "/"
    response = HttpResponseRedirect(back)
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        response.set_cookie(
            COOKIE,
            theme,
            max_age=365 * 24 * 3600,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response
