"""The API's addresses, and its description at /api/docs."""

from __future__ import annotations

from typing import Any

from csp.decorators import csp_update
from django.urls import path
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger

from pipshare import __version__
from pipshare.api import clicks, events, hooks, postbacks, problems, pushing
from pipshare.web import anyone, declare, room

_about = """Machines push closed trades and read what they earned.

Send `Authorization: Bearer KEY`; an administrator makes keys with `pipshare key add`. Amounts, lots
and prices are strings, so that no digit is lost; moments are ISO 8601 in UTC. Errors are problem
details (RFC 9457, `application/problem+json`) with a `code` for programs and a `detail` for people.
A request that failed without an answer may be sent again: nothing is booked twice."""


def _documented(view: Any) -> Any:
    # Swagger UI sets styles by script and draws with data: images; no script of a page may.
    relaxed = {"style-src": ["'unsafe-inline'"], "img-src": ["data:"]}
    return room("api.docs")(csp_update(relaxed)(view))


class Api(NinjaAPI):
    """Ninja's API without its page of addresses, whose own address is the console's."""

    def get_root_path(self, path_params: Any) -> str:
        """Return where all addresses begin."""
        return "/"


api = Api(
    title="pipshare",
    version=__version__,
    description=_about,
    docs=Swagger({"deepLinking": True, "defaultModelsExpandDepth": 0}),
    docs_url="/api/docs",
    openapi_url="/api/openapi.json",
    docs_decorator=_documented,
    urls_namespace="api",
)
problems.register(api)
assert events.router is pushing.router  # reading's, with the pushes added to it
api.add_router("", pushing.router)
_patterns, _app, _namespace = api.urls
_patterns = [one for one in _patterns if one.name != "api-root"]
declare([one for one in _patterns if not hasattr(one.callback, "permission")], "api key")
for _one in _patterns:
    _one.callback = problems.told(_one.callback)
urlpatterns = [
    *clicks.urlpatterns,
    *postbacks.urlpatterns,
    *hooks.urlpatterns,
    path("", (_patterns, _app, _namespace)),
    path("v1/<path:rest>", anyone(problems.unknown)),
    path("v1/", anyone(problems.unknown)),
    path("v1", anyone(problems.unknown)),
]
