"""Pages that belong to no room: where a sign-in leads, oneself, and whether the server is well."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from pipshare import settings
from pipshare.people import factor
from pipshare.web import rooms
from pipshare.web.reading import reading


def home(request: HttpRequest) -> HttpResponse:
    """Lead to the first room open to this person, or to his own page."""
    return HttpResponseRedirect(rooms.first(request.user) or "/account/")


def profile(request: HttpRequest) -> HttpResponse:
    """Who one is here, and the means to sign in."""
    user: Any = request.user
    return render(request, "web/profile.html", {
        "has_factor": factor.has_factor(user),
        "must_have_factor": factor.must_have_factor(user),
        "is_optional": settings.ENV.second_factor == "optional",
    })  # fmt: skip


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("account_login")


def health(request: HttpRequest) -> HttpResponse:
    """Say `ok` when this server and the database answer: for whoever watches the machine."""
    with reading() as conn:
        conn.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")
