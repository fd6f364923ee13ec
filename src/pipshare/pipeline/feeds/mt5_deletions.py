"""Decide about deals that a platform deleted in a number that nobody reverses by himself."""

from __future__ import annotations

import psycopg

from pipshare import audit, inbox
from pipshare.errors import BadInput
from pipshare.pipeline.feeds.mt5_absent import ALERT


def decide_deletions(
    conn: psycopg.Connection, code: str, *, by: str, reason: str, approve: bool = True
) -> int:
    """Approve the reversal of a source's held deletions, or keep their money; return how many.

    In the caller's transaction. What is approved is reversed by the running source within a
    minute, after it asked the platform once more for each. Raises Missing for an unknown source,
    BadInput without name and reason, or when nothing is held.
    """
    source = inbox.source(conn, code)
    if not by.strip() or not reason.strip():
        raise BadInput("no_reason", "say who decides and why: --by NAME --reason TEXT")
    count = inbox.decide_unseen(conn, source.id, approve=approve, by=by, reason=reason)
    if not count:
        raise BadInput("nothing_held", f"source {code} holds no deletions: there is nothing to do")
    action = "source.deletions_approved" if approve else "source.deletions_kept"
    audit.record(conn, by, action, code, reason, {"deals": count})
    inbox.resolve_alert(conn, ALERT, code, source_id=source.id)
    return count
