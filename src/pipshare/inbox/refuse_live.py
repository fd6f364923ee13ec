"""Keep the records of a live connection that were not taken, each once, for people to see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from pipshare.facts import Refusal

_SHOWN = 4_000  # characters
_STORE = """
INSERT INTO inbox_refused (batch_id, server_id, line, code, reason, raw)
SELECT %(batch)s, %(server)s, 0, %(code)s, %(reason)s, %(raw)s
 WHERE NOT EXISTS (SELECT FROM inbox_refused
                    WHERE file_id IS NULL AND server_id = %(server)s AND code = %(code)s
                      AND reason = %(reason)s)"""


def refuse_live(
    conn: psycopg.Connection[Any], server_id: int, batch_id: int, refusals: Sequence[Refusal]
) -> list[Refusal]:
    """Store what a batch of a live source could not take; return those that are new."""
    fresh = []
    for one in refusals:
        told = {"batch": batch_id, "server": server_id, "code": _text(one.code),
                "reason": _text(one.reason), "raw": _text(one.raw)}  # fmt: skip
        if conn.execute(_STORE, told).rowcount:
            fresh.append(one)
    return fresh


def _text(value: str) -> str:
    return value[:_SHOWN].encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
