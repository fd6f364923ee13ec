"""Write down who did what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

_INSERT = """
INSERT INTO audit_event (actor, action, subject, reason, detail) VALUES (%s, %s, %s, %s, %s)
RETURNING id
"""


def record(
    conn: psycopg.Connection[Any],
    actor: str,
    action: str,
    subject: str,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> int:
    """Write one event in the caller's transaction; returns its id. `detail` must fit JSON."""
    values = (actor, action, subject, reason, Jsonb(dict(detail or {})))
    row = conn.execute(_INSERT, values).fetchone()
    assert row is not None
    return int(row[0])
