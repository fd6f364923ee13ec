"""What a partners file says of statuses: each holds from its moment until the partner's next."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare import db
from pipshare.facts import Refusal, history
from pipshare.partners.info import recorded_statuses

ACTIVE = "active"
Told = tuple[int, int | None, str, int]  # partner, moment or None = always, status, line
_ROWS = {"subject": pl.Int64, "from_ms": pl.Int64, "status": pl.String, "line": pl.Int32}


def known_statuses(conn: psycopg.Connection[Any]) -> pl.DataFrame:
    """Return the history in force: subject, from_ms, status. Before the first one is active."""
    said = recorded_statuses(conn).select("subject", "from_ms", "status")
    later = said.group_by("subject").agg(pl.col("from_ms").min()).filter(pl.col("from_ms") > 0)
    before = later.select("subject", pl.lit(0, pl.Int64).alias("from_ms"), status=pl.lit(ACTIVE))
    return pl.concat([said, before]).sort("subject", "from_ms")


def judge_statuses(rows: list[Told], known: pl.DataFrame) -> tuple[history.Merged, list[Refusal]]:
    """Compare what a file tells with what is known.

    Refused are rows without a moment of a partner whose status changed over time already.
    """
    frame = pl.DataFrame(rows, schema=_ROWS, orient="row")
    merged = history.merge(known, frame, {"status": ACTIVE}, first_serves=False)
    verdicts = merged.rows.filter(pl.col("verdict").is_in([history.TWICE, history.UNDATED]))
    refused = [
        Refusal(line, verdict, f"line {line}: the status changed over time already, so one without"
                " valid_from could mean all of the past or only today: give valid_from")
        for line, verdict in verdicts.select("line", "verdict").iter_rows()
    ]  # fmt: skip
    return merged, refused


def write_statuses(
    conn: psycopg.Connection[Any], records: pl.DataFrame, by: str, reason: str
) -> None:
    """Record statuses (subject, from_ms, status)."""
    db.copy_in(conn, "partners_status", {
        "partner_id": db.Int4(records["subject"].to_numpy()),
        "status": db.Text(records["status"]),
        "valid_from": db.Timestamp(records["from_ms"].to_numpy(), unbounded=True),
        "recorded_by": db.Text(pl.repeat(by, len(records), dtype=pl.String, eager=True)),
        "reason": db.Text(pl.repeat(reason, len(records), dtype=pl.String, eager=True)),
    })  # fmt: skip
