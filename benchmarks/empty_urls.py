"""All addresses of pipshare, and /empty."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from pipshare import urls


def nothing(request: HttpRequest) -> HttpResponse:
    """Answer with nothing."""
    return HttpResponse(status=204)


urlpatterns = [path("empty", nothing), path("", include(urls.urlpatterns))]
handler404 = urls.handler404
