"""Notes of changes are thrown together when there are many, so that no reader misses one."""

from __future__ import annotations

from typing import Any

import psycopg

MANY = 5_000  # notes that are kept before they are thrown together
_COUNT = "SELECT count(*) FROM (SELECT FROM audit_change LIMIT %s) c"
_PRUNE = """
WITH gone AS (DELETE FROM audit_change RETURNING kind)
INSERT INTO audit_change (kind) SELECT DISTINCT kind FROM gone"""


def prune(conn: psycopg.Connection[Any], many: int = MANY) -> bool:
    """Throw many notes of changes together into one a kind; tell whether there were so many.

    The new notes are this transaction's own, so that no reader misses a change, however long ago he
    read: who has not seen a note that goes took his snapshot before it was committed, hence before
    this transaction is, and finds the new one instead. Who had seen all of them reads anew once.
    Its commit waits for bookings under way, as that of any change: nothing else belongs into it.
    """
    row = conn.execute(_COUNT, (many,)).fetchone()
    if row is None or row[0] < many:
        return False
    conn.execute(_PRUNE)
    return True
