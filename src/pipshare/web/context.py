"""What every page's template knows: the menu, the theme, where one is."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from pipshare import __version__
from pipshare.people.factor import must_have_factor
from pipshare.web import rooms
from pipshare.web.theme import chosen


def page(request: HttpRequest) -> dict[str, Any]:
    """Return what base.html needs; it asks the database for nothing."""
    user = getattr(request, "user", None)
    known = user if user is not None and user.is_authenticated else None
    return {
        "must_have_factor": known is not None and must_have_factor(known),
        "menu": rooms.menu(user, request.path),
        "theme": chosen(request),
        "version": __version__,
    }
