"""Who may open a view: every view says so, and a test walks all URLs to see that it does.

`room` for a room of the console, `signed_in` for pages about oneself, `anyone` for sign-in itself,
`declare` for views of other packages that guard themselves (the API's keys).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse

from pipshare.people import factor
from pipshare.people.roles import FRESH, PERMISSIONS

View = Callable[..., Any]
ANYONE = "anyone"
SIGNED_IN = "signed in"
OWN_PASSWORD = "account_change_password"
ADD_FACTOR = "mfa_activate_totp"


def room(permission: str, *, methods: Sequence[str] = ("GET", "HEAD")) -> Callable[[View], View]:
    """Open a view to people whose role has `permission` of people.roles, and to nobody else.

    Who is not signed in is led to the sign-in and back; who lacks the second factor that his role
    needs, to where he adds it; for a permission in FRESH who has not just shown it, to where he
    does. Other methods than `methods` are refused.
    """
    if permission not in PERMISSIONS:
        raise ValueError(f"{permission!r} is not in people.roles.PERMISSIONS: write it down there")
    return lambda view: _guard(view, permission, methods)


def signed_in(view: View, *, methods: Sequence[str] = ("GET", "HEAD", "POST")) -> View:
    """Open a view to everybody who is signed in: pages about oneself."""
    return _guard(view, SIGNED_IN, methods)


def anyone(view: View) -> View:
    """Open a view to everybody: the sign-in itself, health."""

    @functools.wraps(view)
    def open_view(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return view(request, *args, **kwargs)

    open_view.permission = ANYONE  # type: ignore[attr-defined]
    return open_view


def declare(patterns: Iterable[Any], permission: str) -> None:
    """Write down what views of another package ask for by themselves, for all URLs in `patterns`.

    It guards nothing: the test of all URLs reads it and then tries the door.
    """
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            declare(pattern.url_patterns, permission)
        else:
            pattern.callback.permission = permission


def _guard(view: View, permission: str, methods: Sequence[str]) -> View:
    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        refused = _refusal(request, permission)
        if refused is not None:
            return refused
        if request.method not in methods:
            return HttpResponseNotAllowed(methods)
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    guarded.permission = permission  # type: ignore[attr-defined]
    return guarded


def _refusal(request: HttpRequest, permission: str) -> HttpResponse | None:
    """Return where the request has to go instead, None when it may enter."""
    user: Any = request.user
    if not user.is_authenticated:
        return _lead(request, reverse("account_login"))
    own_pages = (reverse(OWN_PASSWORD), reverse("account_reauthenticate"))
    if user.must_change_password and request.path not in own_pages:
        return _lead(request, reverse(OWN_PASSWORD))
    if permission == SIGNED_IN:
        return None
    if factor.must_have_factor(user) and not factor.has_factor(user):
        return _lead(request, reverse(ADD_FACTOR))
    if not user.may(permission):
        raise PermissionDenied(permission)
    if permission in FRESH and not factor.shown_lately(request):
        confirm = "mfa_reauthenticate" if factor.has_factor(user) else "account_reauthenticate"
        if request.method == "POST":
            messages.warning(request, "Nothing was changed yet: show once more that it is you, then"
                                      " fill in the form again.", fail_silently=True)  # fmt: skip
        return _lead(request, reverse(confirm))
    return None


def _lead(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect; a live part of a page makes the whole page go there."""
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    back = request.get_full_path() if request.method in ("GET", "HEAD") else _form_of(request)
    if back:
        url = f"{url}?{urlencode({REDIRECT_FIELD_NAME: back})}"
    return HttpResponseRedirect(url)


def _form_of(request: HttpRequest) -> str:
    """Return the page of ours from which a form was sent, "" where nothing tells it."""
    told = urlsplit(request.headers.get("Referer", ""))
    if not told.path.startswith("/") or told.netloc != request.get_host():
        return ""
    return told.path + (f"?{told.query}" if told.query else "")
