"""Load relations: whose client somebody is, and who stands above a partner.

What nothing was known of is written at once, a million rows as one COPY. What moves somebody is
proposed, and written when a second person approves.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare import audit
from pipshare.errors import Conflict
from pipshare.facts.reading import LoadReport
from pipshare.partners import resolve, store
from pipshare.partners.lookup import all_partners
from pipshare.partners.plan import CLIENT, PARTNER, Plan, plan_relations
from pipshare.partners.verdicts import in_order


def load_relations(
    conn: psycopg.Connection[Any],
    frame: pl.DataFrame,
    *,
    by: str = "",
    reason: str = "",
    dry_run: bool = False,
) -> LoadReport:
    """Load relations of clients and of partners in the caller's transaction.

    `frame` has the columns of facts.fields "relations" (moments in UTC ms, null = open) and
    `line`; or those a load of clients hands on (client, entity, partner, valid_from). Rows that
    move somebody are proposed when `by` and `reason` are given, else refused with how. A record
    made before is `same`, whatever came after it. For a dry run the caller rolls back.
    """
    rows = _as_relations(frame)
    report = LoadReport("relations", rows=len(rows))
    store.lock(conn)
    for kind in (PARTNER, CLIENT):
        records = _resolved(conn, kind, rows.filter(pl.col("kind") == kind), report)
        if len(records):
            plan = _planned(conn, kind, records, may_move=bool(by.strip() and reason.strip()))
            _carry_out(conn, kind, plan, by, reason, report)
    report.refused.sort(key=lambda r: r.line)
    return report


def ask_relations(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, *, by: str, reason: str
) -> LoadReport:
    """Propose relations as load_relations does those that move somebody, also where nothing is
    known yet: nothing is written before a second person approves. `by` and `reason` are needed.
    """
    rows = _as_relations(frame)
    report = LoadReport("relations", rows=len(rows))
    store.lock(conn)
    records = _resolved(conn, CLIENT, rows.filter(pl.col("kind") == CLIENT), report)
    if len(records):
        plan = _planned(conn, CLIENT, records, may_move=True)
        unknown = pl.lit("not known").alias("was_code")
        told = [part.with_columns(unknown) for part in (plan.new, plan.fills)]
        moves = pl.concat([plan.moves, *told], how="diagonal")
        report.same, report.refused = plan.same, report.refused + plan.refused
        if len(moves):
            report.proposed = store.propose_relations(conn, CLIENT, moves, by, reason)
    return report


def apply_relation(conn: psycopg.Connection[Any], payload: dict[str, Any], by: str) -> int | None:
    """Write the records of an approved proposal ("relation") under the names of both people.

    Returns the moment (UTC ms) from which truth changed, None when it did not. Raises Conflict
    when a record can no longer be written, for it would now make a cycle: nothing is written, and
    the approval is to be rolled back.
    """
    frame = store.payload_frame(payload)
    kind, reason = payload["kind"], str(payload.get("reason", ""))
    report = LoadReport("relations", rows=len(frame))
    store.lock(conn)
    records = _resolved(conn, kind, frame, report)
    plan = _planned(conn, kind, records, may_move=True)
    report.refused += plan.refused
    if report.refused:
        first = report.refused[0]
        raise Conflict(first.code, f"this can no longer be approved: {first.reason}")
    moves = pl.concat([plan.new, plan.fills, plan.moves.select(plan.new.columns)])
    store.write_relations(conn, kind, in_order(moves), by, reason)
    audit.record(conn, by, "apply relation", f"{len(moves)} {kind} relations", reason)
    earliest = moves["from_ms"].min()
    return earliest if isinstance(earliest, int) else None


def _as_relations(frame: pl.DataFrame) -> pl.DataFrame:
    if "client" not in frame.columns:
        return frame
    return frame.filter(pl.col("partner").fill_null("") != "").select(
        pl.lit(CLIENT).alias("kind"), pl.col("client").alias("code"), "partner", "entity",
        "valid_from", pl.lit(None, pl.Int64).alias("valid_to"), "line",
    )  # fmt: skip


def _resolved(
    conn: psycopg.Connection[Any], kind: str, rows: pl.DataFrame, report: LoadReport
) -> pl.DataFrame:
    if not len(rows):
        return rows
    rows, refused = resolve.with_entities(conn, rows)
    report.refused += refused
    rows, refused = resolve.with_spans(rows)
    report.refused += refused
    rows, refused = resolve.with_subjects(conn, kind, rows)
    report.refused += refused
    rows, refused = resolve.with_above(conn, kind, rows)
    report.refused += refused
    return in_order(
        rows.select("subject", "above", "start", "end", "line", "entity", "code", "above_code")
    )


def _planned(
    conn: psycopg.Connection[Any], kind: str, records: pl.DataFrame, *, may_move: bool
) -> Plan:
    everyone = all_partners(conn)
    names = dict(zip(everyone["id"], everyone["code"], strict=True))
    subjects = None if kind == PARTNER else records["subject"]
    known = store.known_relations(conn, kind, subjects)
    return plan_relations(kind, records, known, names, may_move=may_move)


def _carry_out(
    conn: psycopg.Connection[Any], kind: str, plan: Plan, by: str, reason: str, report: LoadReport
) -> None:
    told = pl.concat([plan.new, plan.fills])
    store.write_relations(conn, kind, in_order(told), by, reason)
    report.added += len(told)
    report.same += plan.same
    report.refused += plan.refused
    if plan.from_ms is not None:
        report.from_ms = plan.from_ms  # only the tree has gaps that count
    if len(plan.moves):
        report.proposed += store.propose_relations(conn, kind, plan.moves, by, reason)
    if plan.outdated:
        report.notes.append(
            f"{len(plan.outdated)} rows repeat records that were replaced since, the first in line"
            f" {min(plan.outdated)}: nothing changed; to put them back give --reason and --by"
        )
