"""Load partners: who they are, where they stand in the tree, their status and go-live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import psycopg

from pipshare import audit
from pipshare.facts.reading import LoadReport
from pipshare.partners import resolve, store
from pipshare.partners.go_live import propose_go_live, write_go_lives
from pipshare.partners.grow import make_partners, numbers, place_partners, plan_tree
from pipshare.partners.info import go_lives
from pipshare.partners.lookup import all_partners
from pipshare.partners.plan import PARTNER, Plan
from pipshare.partners.rows import Checked, Key, Known, Row, check_rows
from pipshare.partners.statuses import (
    ACTIVE,
    Told,
    judge_statuses,
    known_statuses,
    write_statuses,
)
from pipshare.partners.wording import ROOT

_CLIENTS = "SELECT entity_id, code, id FROM clients_client WHERE code = ANY(%s)"
_UPDATE = "UPDATE partners_partner SET name = %s, own_client_id = %s WHERE id = %s"


@dataclass
class _Done:
    """What was done to which line."""

    added: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)
    proposed: dict[int, int] = field(default_factory=dict)
    moments: list[int] = field(default_factory=list)


def load_partners(
    conn: psycopg.Connection[Any],
    frame: pl.DataFrame,
    *,
    by: str = "",
    reason: str = "",
    dry_run: bool = False,
) -> LoadReport:
    """Load a frame of facts.fields "partners" (+ line) in the caller's transaction.

    Parents may come in any order. A new partner is made with all the row says; of one who exists,
    name, own client and status change at once, while another parent or go-live is proposed when
    `by` and `reason` are given, else refused with how. Several rows of a partner with moments of
    their own are his history. For a dry run the caller rolls back.
    """
    store.lock(conn)
    signed = bool(by.strip() and reason.strip())
    report = LoadReport("partners", rows=len(frame))
    frame, unknown = resolve.with_entities(conn, frame)
    checked = check_rows(_rows(conn, frame), _known(conn), may_change=signed)
    checked.refused += unknown
    _refuse_statuses(conn, checked)
    plan = plan_tree(checked, store.known_relations(conn, PARTNER), may_move=signed)
    before = numbers(checked)
    ids = make_partners(conn, checked)
    done = _Done(added={row["line"] for row in checked.rows if row["key"] not in checked.known})
    renumber = {before[key]: ids[key] for key in before}
    done.proposed.update(place_partners(conn, plan, renumber, by, reason))
    _note_places(plan, done)
    _statuses(conn, checked, ids, done, by, reason)
    _rename(conn, checked, done)
    _go_lives(conn, checked, ids, done, by, reason)
    return _reported(conn, report, checked, plan, done, by, reason)


def _known(conn: psycopg.Connection[Any]) -> dict[Key, Known]:
    live = go_lives(conn)
    columns = ["entity_id", "code", "id", "name", "currency", "own_client_id"]
    return {
        (entity, code): Known(number, name, currency, own, live.get(number))
        for entity, code, number, name, currency, own in (
            all_partners(conn).select(columns).iter_rows()
        )
    }


def _rows(conn: psycopg.Connection[Any], frame: pl.DataFrame) -> list[Row]:
    codes = frame["own_client"].drop_nulls().unique().to_list()
    own = {(row[0], row[1]): row[2] for row in conn.execute(_CLIENTS, (codes,))} if codes else {}
    rows = frame.to_dicts()
    for row in rows:
        row["key"] = (row["entity_id"], row["partner"])
        row["start"] = row["valid_from"] or 0
        row["own_client_id"] = own.get((row["entity_id"], row["own_client"]))
        if row["parent"] is not None and row["parent"].lower() == ROOT:
            row["parent"] = ROOT
    return rows


def _note_places(plan: Plan, done: _Done) -> None:
    done.changed |= set(plan.fills["line"])
    if plan.from_ms is not None:
        done.moments.append(plan.from_ms)


def _told_statuses(checked: Checked, ids: Mapping[Key, int]) -> list[Told]:
    firsts = {row["line"] for row in checked.makes().values()}
    return [
        (ids[row["key"]], row["valid_from"], row["status"] or ACTIVE, row["line"])
        for row in checked.rows
        if row["status"] is not None or row["line"] in firsts
    ]


def _refuse_statuses(conn: psycopg.Connection[Any], checked: Checked) -> None:
    """Refuse statuses that cannot be placed in time, before anything is written."""
    told = _told_statuses(checked, numbers(checked))
    _, refused = judge_statuses(told, known_statuses(conn))
    checked.refused += refused
    checked.keep(refusal.line for refusal in refused)


def _statuses(
    conn: psycopg.Connection[Any], checked: Checked, ids: Mapping[Key, int], done: _Done,
    by: str, reason: str,
) -> None:  # fmt: skip
    merged, _ = judge_statuses(_told_statuses(checked, ids), known_statuses(conn))
    write_statuses(conn, merged.records, by, reason)
    done.changed |= set(merged.records["line"]) - done.added
    if merged.from_ms is not None:
        done.moments.append(merged.from_ms)


def _rename(conn: psycopg.Connection[Any], checked: Checked, done: _Done) -> None:
    for row in checked.rows:
        one = checked.known.get(row["key"])
        if one is None:
            continue
        name = one.name if row["name"] is None else row["name"]
        own = one.own_client_id if row["own_client"] is None else row["own_client_id"]
        if (name, own) == (one.name, one.own_client_id):
            continue
        conn.execute(_UPDATE, (name, own, one.id))
        done.changed.add(row["line"])
        if own != one.own_client_id:
            done.moments.append(0)  # a programme may pay nothing on own trading: at any time
        one.name, one.own_client_id = name, own


def _go_lives(
    conn: psycopg.Connection[Any], checked: Checked, ids: dict[Key, int], done: _Done,
    by: str, reason: str,
) -> None:  # fmt: skip
    new: dict[int, int] = {}
    for row in checked.rows:
        to, one = row["go_live"], checked.known.get(row["key"])
        if to is None or (one and to == one.go_live_ms):
            continue
        if one is None:
            new[ids[row["key"]]] = to
        else:
            done.proposed[row["line"]] = propose_go_live(
                conn, row["entity"], row["partner"], one.go_live_ms, to, by, reason
            )
    write_go_lives(conn, list(new.items()), by, reason)


def _reported(
    conn: psycopg.Connection[Any], report: LoadReport, checked: Checked, plan: Plan, done: _Done,
    by: str, reason: str,
) -> LoadReport:  # fmt: skip
    changed = done.changed - done.added - set(done.proposed)
    report.added, report.changed = len(done.added), len(changed)
    report.refused = sorted(checked.refused, key=lambda refusal: refusal.line)
    report.proposed = [done.proposed[line] for line in sorted(done.proposed)]
    report.same = report.rows - report.added - report.changed
    report.same -= len(report.refused) + len(report.proposed)
    report.from_ms = min(done.moments, default=None)
    if plan.outdated:
        report.notes.append(
            f"{len(plan.outdated)} rows repeat a parent that was replaced since, the first in line"
            f" {min(plan.outdated)}: nothing changed; to put it back give --reason and --by"
        )
    if report.added or report.changed:
        detail = {"added": report.added, "changed": report.changed}
        audit.record(conn, by, "load partners", f"{report.rows} rows", reason, detail)
    return report
