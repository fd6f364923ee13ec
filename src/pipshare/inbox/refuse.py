"""Keep the rows that were not taken, each with its line and reason, where people can see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare import db
from pipshare.facts import Refusal

_SHOWN = 2_000  # characters of a row; the whole of it is in the stored file


def store_refused(conn: psycopg.Connection[Any], file_id: int, refusals: Sequence[Refusal]) -> int:
    """Store the refusals of a file that are not stored yet; return how many were new."""
    if not refusals:
        return 0
    stored = conn.execute(
        "SELECT line, code, reason FROM inbox_refused WHERE file_id = %s", (file_id,)
    )
    known = set(stored.fetchall())
    # A dict keeps the order and drops a refusal that comes twice in one call.
    told = {(r.line, _text(r.code), _text(r.reason)): _text(r.raw) for r in refusals}
    fresh = [(key, raw) for key, raw in told.items() if key not in known]
    return db.copy_in(conn, "inbox_refused", {
        "file_id": db.Int8(np.full(len(fresh), file_id, np.int64)),
        "line": db.Int4(np.array([line for (line, _, _), _ in fresh], np.int64)),
        "code": db.Text(pl.Series([code for (_, code, _), _ in fresh], dtype=pl.String)),
        "reason": db.Text(pl.Series([reason for (_, _, reason), _ in fresh], dtype=pl.String)),
        "raw": db.Text(pl.Series([raw for _, raw in fresh], dtype=pl.String)),
    })  # fmt: skip


def _text(value: str) -> str:
    return value[:_SHOWN].encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
