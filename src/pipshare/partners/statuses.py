"""What a partners file says of statuses, judged like relations: by two times."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare import db
from pipshare.partners.info import STATUSES
from pipshare.partners.verdicts import Verdict, in_order, judge
from pipshare.period import FOREVER_MS

_SCHEMA = dict.fromkeys(("subject", "above", "start", "end", "line"), pl.Int64)
_WRITES = (Verdict.NEW, Verdict.FILLS, Verdict.MOVES)


def told_statuses(
    rows: list[tuple[int, str, int, int]], recorded: pl.DataFrame, *, restate: bool
) -> pl.DataFrame:
    """Return what is to be recorded of (partner id, status, start_ms, line) rows.

    `recorded` is what info.recorded_statuses gives. Columns out: subject, status, start, line,
    from_ms: the moment from which truth changes, FOREVER_MS for a partner without any status. A
    status that was said before and replaced since is said again only with `restate`.
    """
    table = [
        (who, STATUSES.index(word), start, FOREVER_MS, line) for who, word, start, line in rows
    ]
    said = in_order(pl.DataFrame(table, schema=_SCHEMA, orient="row"))
    known = recorded.select(
        "subject", pl.col("status").alias("above"), "start",
        pl.lit(FOREVER_MS, pl.Int64).alias("end"), "id",
    )  # fmt: skip
    judged = judge(said, known)
    wanted = [*_WRITES, Verdict.OUTDATED] if restate else list(_WRITES)
    return said.with_columns(from_ms=judged.from_ms).filter(judged.verdict.is_in(wanted)).select(
        "subject", pl.col("above").alias("status"), "start", "line", "from_ms"
    )  # fmt: skip


def write_statuses(conn: psycopg.Connection[Any], told: pl.DataFrame, by: str, reason: str) -> None:
    """Record statuses (subject, status, start), in their order."""
    words = told["status"].replace_strict(dict(enumerate(STATUSES)), return_dtype=pl.String)
    db.copy_in(conn, "partners_status", {
        "partner_id": db.Int4(told["subject"].to_numpy()),
        "status": db.Text(words),
        "valid_from": db.Timestamp(told["start"].to_numpy(), unbounded=True),
        "recorded_by": db.Text(pl.repeat(by, len(told), dtype=pl.String, eager=True)),
        "reason": db.Text(pl.repeat(reason, len(told), dtype=pl.String, eager=True)),
    })  # fmt: skip
