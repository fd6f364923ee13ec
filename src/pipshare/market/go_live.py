"""Set a server's go-live: the first time directly, later by a proposal that somebody approves.

Moving a go-live moves money between history and books, which one person must not do alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from pipshare import audit
from pipshare.errors import BadInput
from pipshare.market.servers import Server, earliest, server
from pipshare.period import from_ms

KIND = "go_live"  # of the proposal
_INSERT = """
INSERT INTO market_go_live (server_id, go_live, recorded_by, reason) VALUES (%s, %s, %s, %s)
"""


def record_go_live(
    conn: psycopg.Connection[Any], server_id: int, moment_ms: int, by: str, reason: str
) -> None:
    """Write down from when on the closed trades of a server book."""
    conn.execute(_INSERT, (server_id, from_ms(moment_ms), by, reason))


def propose_go_live(
    conn: psycopg.Connection[Any], held: Server, moment_ms: int, by: str, reason: str
) -> int:
    """Propose another go-live; return the proposal's number.

    The same proposal, still pending, is not made twice. Raises BadInput without reason and name.
    """
    was = "nothing" if held.go_live_ms is None else _said(held.go_live_ms)
    payload = {"server": held.code, "go_live_ms": moment_ms, "was_ms": held.go_live_ms}
    subject = f"server {held.code}: go-live {was} -> {_said(moment_ms)}"
    try:
        return audit.propose(conn, KIND, subject, payload, reason, by)
    except BadInput as error:
        raise BadInput(error.code, (
            f"field go_live: moving it from {was} to {_said(moment_ms)} needs a second person; "
            "load the row again with --reason and --by, then `pipshare approve ID --by OTHER`"
        )) from error  # fmt: skip


def apply_go_live(
    conn: psycopg.Connection[Any], payload: Mapping[str, Any], by: str
) -> int | None:  # fmt: skip
    """Set a server's go-live as approved; return the earliest moment (UTC ms) that it concerns.

    `payload` is the proposal's, with its `reason`. None: it is so already. Raises Missing when
    the server is not known.
    """
    held = server(conn, str(payload["server"]))
    moment = int(payload["go_live_ms"])
    if moment == held.go_live_ms:
        return None
    record_go_live(conn, held.id, moment, by, str(payload.get("reason", "")))
    return earliest(moment, held.go_live_ms)


def _said(moment_ms: int) -> str:
    return f"{from_ms(moment_ms):%Y-%m-%dT%H:%M:%SZ}"
