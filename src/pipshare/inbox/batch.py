"""Open a batch: what arrived together, one row for all of it."""

from __future__ import annotations

from typing import Any

import psycopg

_OPEN = """
INSERT INTO inbox_batch (file_id, server_id, kind, first_line, last_line, count, source_id)
VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id"""


def open_batch(
    conn: psycopg.Connection[Any],
    server_id: int,
    kind: str,
    count: int,
    file_id: int | None = None,
    first_line: int = 0,
    last_line: int = 0,
    source_id: int | None = None,
) -> int:
    """Store a batch of `count` facts of one kind (trades, deals, cash) and return its id.

    It came by a file, or from a source that was set up (`source_id`), or was pushed (neither).
    It is done as it stands: whoever opens it takes its facts in within the same transaction.
    """
    values = (file_id, server_id, kind, first_line, last_line, count, source_id)
    row = conn.execute(_OPEN, values).fetchone()
    assert row is not None
    return int(row[0])
