"""Set up a receiver: settings that can be built from and sent, and a webhook's first secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from pipshare import outbox, settings
from pipshare.errors import BadInput
from pipshare.outbox import Receiver
from pipshare.pipeline.said.requests import checked


def set_up(
    conn: psycopg.Connection[Any],
    entity_id: int,
    kind: str,
    name: str,
    told: Mapping[str, Any],
    *,
    partner_id: int | None = None,
    partner: str = "",
    paused: bool = False,
    by: str,
) -> tuple[Receiver, str]:
    """Add a receiver in the caller's transaction; return it and its signing secret, "" without.

    `partner` is the code of `partner_id`. Raises BadInput that names the setting, Conflict when the
    name is taken. The secret can be seen this once.
    """
    check(kind, told)
    made = outbox.add(
        conn, entity_id, kind, name, told, partner_id=partner_id, partner=partner, paused=paused,
        by=by,
    )  # fmt: skip
    return made, outbox.rotate_secret(conn, made, by=by) if kind == "webhook" else ""


def change(
    conn: psycopg.Connection[Any], receiver: Receiver, told: Mapping[str, Any], *, by: str
) -> None:
    """Replace a receiver's settings in the caller's transaction. Raises as `set_up` does."""
    check(receiver.kind, told)
    outbox.change(conn, receiver, told, by=by)


def check(kind: str, told: Mapping[str, Any]) -> None:
    """Raise BadInput when nothing could be sent with these settings, and say which and why."""
    checked(kind, told)
    if str(told.get("url", "")).lower().startswith("http:") and not settings.ENV.egress_allow:
        raise BadInput("plain_http", "http:// goes in clear over the net, and no network is opened"
                                     " for it by PIPSHARE_EGRESS_ALLOW: use https://")  # fmt: skip
