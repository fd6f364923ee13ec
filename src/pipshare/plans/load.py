"""Takes in who takes part in which programme: rows of a terms file, checked and recorded.

Terms have two times. A row for moments of which nothing was known is recorded at once; one that
contradicts known terms is proposed, and recorded when a second person approves it.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare import audit, db
from pipshare.errors import Conflict
from pipshare.facts import Refusal
from pipshare.facts.reading import LoadReport
from pipshare.partners.verdicts import Verdict, in_order, judge
from pipshare.partners.wording import lines, span
from pipshare.plans.participants import resolve
from pipshare.plans.propose import KIND, propose_terms, proposed_frame, says
from pipshare.plans.read_book import terms_records
from pipshare.plans.recorded import programmes

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('plans_terms'))"
_VALUE = ["programme_id", "card"]
_JUDGED = ["subject", "above", "start", "end", "line"]
_AT_ONCE = [Verdict.NEW, Verdict.FILLS]


def load_terms(
    conn: psycopg.Connection[Any],
    frame: pl.DataFrame,
    *,
    by: str = "",
    reason: str = "",
    dry_run: bool = False,
) -> LoadReport:
    """Record a frame of FIELDS["terms"] (+ line) in the caller's transaction.

    Every row is checked; wrong ones are refused with their line and leave the others. What
    contradicts known terms is proposed, or refused when `by` or `reason` is missing. A record made
    before is `same`, whatever came after it. For a dry run the caller rolls back: the report is
    the same.
    """
    conn.execute(_LOCK)
    report = LoadReport(KIND, rows=len(frame))
    rows, report.refused = resolve(conn, frame)
    judged = _judged(conn, rows)
    may_move = bool(by.strip() and reason.strip())
    moving = _of(judged, Verdict.MOVES, *([Verdict.OUTDATED] if may_move else []))
    fresh = _of(judged, *_AT_ONCE)
    report.added = len(fresh)
    report.refused += _contradictions(_of(judged, Verdict.CONTRADICTS))
    if may_move:
        report.proposed = propose_terms(conn, moving, by, reason)
    else:
        report.refused += [_unsigned(row) for row in moving.to_dicts()]
        report.notes += _outdated(_of(judged, Verdict.OUTDATED))
    _write(conn, fresh, by, reason)
    report.same = len(frame) - len(fresh) - len(report.proposed) - len(report.refused)
    report.refused.sort(key=lambda refusal: refusal.line)
    return report


def apply_terms(conn: psycopg.Connection[Any], payload: dict[str, Any], signed: str) -> LoadReport:
    """Record proposed terms, once approved; an applier for audit.approve.

    The report's `from_ms` is the moment from which trades have to be rated again. Raises Conflict
    when a record can no longer be written because its programme or card is gone.
    """
    conn.execute(_LOCK)
    frame = proposed_frame(payload)
    report = LoadReport(KIND, rows=len(frame))
    rows, refused = resolve(conn, frame)
    if refused:
        raise Conflict(refused[0].code, f"this can no longer be approved: {refused[0].reason}")
    judged = _judged(conn, rows)
    moves = _of(judged, *_AT_ONCE, Verdict.MOVES, Verdict.OUTDATED)
    _write(conn, moves, signed, str(payload.get("reason", "")))
    report.changed, report.same = len(moves), len(frame) - len(moves)
    earliest = moves["from_ms"].min()
    report.from_ms = earliest if isinstance(earliest, int) else None
    return report


APPLIERS: dict[str, audit.Applier] = {KIND: apply_terms}


def _of(judged: pl.DataFrame, *verdicts: Verdict) -> pl.DataFrame:
    return judged.filter(pl.col("verdict").is_in(verdicts))


def _judged(conn: psycopg.Connection[Any], rows: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` in the order in which they are to be recorded, with verdict, from_ms and was.

    What a partner's terms say (programme and card) is numbered, so that it can be compared.
    """
    records = terms_records(conn)
    both = pl.concat([records.select(_VALUE), rows.select(_VALUE)])
    values = both.unique(maintain_order=True).with_row_index("above", 1)
    values = values.with_columns(pl.col("above").cast(pl.Int64))
    known = records.join(values, on=_VALUE, how="left", maintain_order="left").select(
        "id", "above", subject="partner_id", start="from_ms", end="to_ms"
    )
    coming = in_order(
        rows.with_columns(subject=pl.col("partner_id")).join(
            values, on=_VALUE, how="left", maintain_order="left"
        )
    )
    found = judge(coming.select(_JUDGED), known)
    codes = {row.id: row.code for row in programmes(conn)}
    words = {-1: "not known"} | {
        above: says(codes.get(number, "none"), card) for above, number, card in values.rows()
    }
    was = pl.Series([words[above] for above in found.was], dtype=pl.String)
    return coming.with_columns(verdict=found.verdict, from_ms=found.from_ms, was=was)


def _write(conn: psycopg.Connection[Any], rows: pl.DataFrame, by: str, reason: str) -> None:
    if not len(rows):
        return
    programme = rows["programme_id"]
    by_all, reasons = (pl.repeat(t, len(rows), dtype=pl.String, eager=True) for t in (by, reason))
    db.copy_in(conn, "plans_terms", {
        "partner_id": db.Int4(rows["partner_id"].to_numpy()),
        "programme_id": db.Int4(programme.to_numpy(), valid=(programme != 0).to_numpy()),
        "card": db.Text(rows["card"]),
        "valid_from": db.Timestamp(rows["start"].to_numpy(), unbounded=True),
        "valid_to": db.Timestamp(rows["end"].to_numpy(), unbounded=True),
        "recorded_by": db.Text(by_all),
        "reason": db.Text(reasons),
    })  # fmt: skip


def _unsigned(row: dict[str, Any]) -> Refusal:
    reason = (
        f"line {row['line']}: partner {row['partner']} has the terms {row['was']}; to change to "
        f"{says(row['programme'], row['card'])} ({span(row['start'], row['end'])}) give --reason "
        "and --by: it is then proposed, and takes effect when a second person approves it"
    )
    return Refusal(row["line"], "needs_second_person", reason)


def _contradictions(rows: pl.DataFrame) -> list[Refusal]:
    refused = []
    for _, group in rows.group_by("subject", "start", "end", maintain_order=True):
        where = lines(group["line"])
        for row in group.to_dicts():
            reason = (
                f"line {row['line']}: partner {row['partner']} is given different terms for the "
                f"same time ({span(row['start'], row['end'])}) in one file ({where}): keep one"
            )
            refused.append(Refusal(row["line"], "contradicts", reason))
    return refused


def _outdated(rows: pl.DataFrame) -> list[str]:
    if not len(rows):
        return []
    return [
        f"{lines(rows['line'])}: recorded before, and replaced since by later terms: nothing "
        "changed; to put them back give --reason and --by"
    ]
