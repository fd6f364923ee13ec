"""Read one revision of one trade back, for whoever explains it."""

from __future__ import annotations

from typing import Any

import psycopg

from pipshare import db
from pipshare.trades.read import SETTLED

_DERIVED = {"line": "0", "close_utc": "(extract(epoch FROM close_at) * 1000)::bigint"}
_COLUMNS = ", ".join(_DERIVED.get(name, name) for name in SETTLED)
_REVISION = f"""
SELECT {_COLUMNS} FROM trades_trade
 WHERE server_id = %(server)s AND ticket = %(ticket)s AND revision = %(revision)s
"""


def revision(
    conn: psycopg.Connection[Any], server_id: int, ticket: int, number: int
) -> dict[str, Any]:
    """Return a trade as that revision said: a row of a SETTLED frame. It has to exist."""
    values = {"server": server_id, "ticket": ticket, "revision": number}
    return db.read_columns(conn, _REVISION, values, schema=SETTLED).row(0, named=True)
