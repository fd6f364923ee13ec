"""Say which source's trades of a server book; all others are compared and book nothing.

Free until the server has taken anything in; later by a proposal that somebody else approves, as
two sources that both booked would pay twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from pipshare import audit
from pipshare.errors import BadInput
from pipshare.market.servers import Server, server

KIND = "authority"  # of the proposal
AUTHORITIES = ("files", "mt5_web", "api")
_INSERT = """
INSERT INTO market_authority (server_id, authority, recorded_by, reason) VALUES (%s, %s, %s, %s)
"""


def record_authority(
    conn: psycopg.Connection[Any], held: Server, authority: str, by: str, reason: str = ""
) -> None:
    """Write down whose trades book from now on. Raises BadInput for what is no kind of source."""
    if authority not in AUTHORITIES:
        raise BadInput(
            "bad_authority",
            f"{authority!r} is no source whose trades can book: {', '.join(AUTHORITIES)}",
        )
    conn.execute(_INSERT, (held.id, authority, by, reason))


def propose_authority(
    conn: psycopg.Connection[Any], held: Server, authority: str, by: str, reason: str
) -> int:
    """Propose that another source books; return the proposal's number.

    Raises BadInput without reason and name, and for what is no kind of source.
    """
    if authority not in AUTHORITIES:
        raise BadInput(
            "bad_authority",
            f"field authority: {authority!r} is none of {', '.join(AUTHORITIES)}",
        )
    payload = {"server": held.code, "authority": authority, "was": held.authority}
    subject = f"server {held.code}: trades come from {authority}, no longer {held.authority}"
    try:
        return audit.propose(conn, KIND, subject, payload, reason, by)
    except BadInput as error:
        raise BadInput(error.code, (
            f"field authority: moving it from {held.authority} to {authority} needs a second"
            " person; load the row again with --reason and --by, then `pipshare approve ID --by"
            " OTHER`"
        )) from error  # fmt: skip


def apply_authority(conn: psycopg.Connection[Any], payload: Mapping[str, Any], by: str) -> None:
    """Let another source book, as approved. Raises Missing when the server is not known.

    Nothing stored is rated again: trades keep what they earned, whoever told them.
    """
    held = server(conn, str(payload["server"]))
    if payload["authority"] != held.authority:
        record_authority(conn, held, str(payload["authority"]), by, str(payload.get("reason", "")))
