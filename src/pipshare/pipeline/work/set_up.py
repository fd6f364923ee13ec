"""Set up a source: its settings checked, its secret sealed, and whose trades book said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from pipshare import inbox, market
from pipshare.errors import BadInput
from pipshare.inbox import Source
from pipshare.pipeline.feeds.folder_settings import Watched
from pipshare.sources.mt5_web import Config

_PLATFORM = {"mt5_web": "mt5"}  # kinds that speak for one platform only


def set_up(
    conn: psycopg.Connection[Any],
    kind: str,
    server_code: str,
    settings: Mapping[str, str],
    *,
    code: str = "",
    secret: str | None = None,
    by: str,
) -> tuple[Source, str]:
    """Add a source in the caller's transaction; return it and what a person should know, or "".

    Where nothing was taken in of the server yet, this source's trades book from now on; later only
    `pipshare load servers` changes that, with a second person. Raises BadInput for settings that
    cannot be, Missing for an unknown server, Conflict when the code is taken.
    """
    server = market.server(conn, server_code)
    if _PLATFORM.get(kind, server.platform) != server.platform:
        raise BadInput(
            "wrong_platform", f"server {server.code} is {server.platform.upper()}: such a source"
            f" serves {_PLATFORM[kind].upper()}; name another with --server",
        )  # fmt: skip
    if kind == "files":
        Watched.parse(settings)
    elif kind == "mt5_web":
        Config.parse(settings, secret or "")
    name = code or f"{server.code}-{kind.removesuffix('_web')}".lower().replace(" ", "-")
    source = inbox.add_source(conn, name, server.id, kind, settings, secret=secret, by=by)
    return source, _authority(conn, server, kind, by)


def _authority(conn: psycopg.Connection[Any], server: market.Server, kind: str, by: str) -> str:
    """Let the first source of a fresh server book; else say what holds."""
    if server.authority == kind:
        return ""
    others = {one.kind for one in inbox.sources(conn) if one.server_id == server.id} - {kind}
    if not inbox.taken_in(conn, server.id) and server.authority not in others:
        market.record_authority(conn, server, kind, by, f"the first source of {server.code}")
        return f"trades of {server.code} now come from {kind}"
    return (
        f"trades of {server.code} come from {server.authority}: what this source brings is compared"
        f" with them and books nothing; to change that, load the server's row with authority {kind}"
        " (`pipshare load servers`), which a second person approves"
    )
