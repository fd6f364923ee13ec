"""A partner's own go-live: trades closed before it book nothing for him."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare import audit, db
from pipshare.errors import Conflict
from pipshare.partners.info import go_lives
from pipshare.partners.lookup import partner
from pipshare.partners.wording import moment

KIND = "partner_go_live"


def write_go_lives(
    conn: psycopg.Connection[Any], rows: list[tuple[int, int]], by: str, reason: str
) -> None:
    """Record (partner id, go-live in UTC ms) rows."""
    table = np.array(rows, np.int64).reshape(-1, 2)
    db.copy_in(conn, "partners_go_live", {
        "partner_id": db.Int4(table[:, 0]),
        "go_live": db.Timestamp(table[:, 1]),
        "recorded_by": db.Text(pl.repeat(by, len(rows), dtype=pl.String, eager=True)),
        "reason": db.Text(pl.repeat(reason, len(rows), dtype=pl.String, eager=True)),
    })  # fmt: skip


def propose_go_live(
    conn: psycopg.Connection[Any], entity: str, code: str, was: int | None, to: int, by: str,
    reason: str,
) -> int:  # fmt: skip
    """Put a change of a partner's go-live before a second person; returns the proposal."""
    before = "none" if was is None else moment(was)
    payload = {"entity": entity, "partner": code, "go_live_ms": to, "was_ms": was}
    subject = f"partner {code}: go-live {before} -> {moment(to)}"
    return audit.propose(conn, KIND, subject, payload, reason, by)


def apply_go_live(conn: psycopg.Connection[Any], payload: dict[str, Any], by: str) -> int | None:
    """Record the go-live of an approved proposal ("partner_go_live") under both names.

    Returns the moment (UTC ms) from which amounts may differ, None when it holds already. Raises
    Conflict when the go-live was changed after the proposal was made.
    """
    who = partner(conn, payload["partner"], payload["entity"])
    to, was = int(payload["go_live_ms"]), payload["was_ms"]
    now = go_lives(conn).get(who.id)
    if now == to:
        return None
    if now != was:
        held = "none" if now is None else moment(now)
        raise Conflict(
            "changed_since", f"partner {who.code}: go-live became {held} since: propose it again"
        )
    write_go_lives(conn, [(who.id, to)], by, str(payload.get("reason", "")))
    audit.record(conn, by, "apply go-live", f"partner {who.code}", str(payload.get("reason", "")))
    return min(0 if now is None else now, to)
