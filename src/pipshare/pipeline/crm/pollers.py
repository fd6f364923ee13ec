"""Makes the poller of an endpoint: the client of its kind, with the way out that it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipshare import settings
from pipshare.crm import b2core, broctagon, currentdesk, sql, track360
from pipshare.crm.polled import Poller
from pipshare.errors import BadInput, Missing
from pipshare.inbox import Endpoint
from pipshare.outbox.egress import Network
from pipshare.pipeline.crm import folder, replicas
from pipshare.pipeline.crm.calling import Caller

POLLED = ("currentdesk", "b2core", "broctagon", "track360", "sql", "folder")
_CONFIGS: dict[str, Any] = {
    "currentdesk": currentdesk.Config, "b2core": b2core.Config, "broctagon": broctagon.Config,
    "track360": track360.Config, "sql": sql.Config, "folder": folder.Config,
}  # fmt: skip
_CLIENTS: dict[str, Callable[..., Poller]] = {
    "currentdesk": currentdesk.CurrentDesk, "b2core": b2core.B2Core,
    "broctagon": broctagon.Broctagon, "track360": track360.Track360,
}  # fmt: skip


def check_settings(kind: str, told: Mapping[str, Any], secret: str) -> None:
    """Raise BadInput when an endpoint of a polled kind cannot be set up so, and say why."""
    config = _config(kind, told, secret)
    url = str(getattr(config, "url", ""))
    if url.lower().startswith("http:") and not settings.ENV.egress_allow:
        raise BadInput(
            "plain_http", f"{kind}: http:// goes in clear over the net, and no network is opened"
            " for it by PIPSHARE_EGRESS_ALLOW: use https://",
        )  # fmt: skip


def make(endpoint: Endpoint, secrets: Sequence[str], allowed: Sequence[Network]) -> Poller:
    """Return an endpoint's poller. Raises BadInput for its settings, Missing for its kind."""
    secret = secrets[0] if secrets else ""
    config = _config(endpoint.kind, endpoint.settings, secret)
    if endpoint.kind == "sql":
        return sql.Replica(config, replicas.door(config, allowed))
    if endpoint.kind == "folder":
        return folder.Folder(config)
    return _CLIENTS[endpoint.kind](config, Caller(allowed))


def _config(kind: str, told: Mapping[str, Any], secret: str) -> Any:
    if kind not in POLLED:
        raise Missing("unknown_kind", f"{kind!r} is no kind that is polled; there are"
                                      f" {', '.join(POLLED)}")  # fmt: skip
    return _CONFIGS[kind].parse(told, secret)
