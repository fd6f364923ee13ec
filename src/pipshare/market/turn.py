"""One load of market data at a time: two at once would both find the same things missing."""

from __future__ import annotations

from typing import Any

import psycopg

_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('pipshare market', 0))"


def take_turn(conn: psycopg.Connection[Any]) -> None:
    """Wait until no other load of market data runs; holds until the transaction ends."""
    conn.execute(_TURN)
