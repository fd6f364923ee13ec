"""Load entities: new ones, and their settings as long as nothing depends on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import polars as pl
import psycopg

from pipshare.errors import BadInput
from pipshare.facts.fields import FIELDS
from pipshare.facts.reading import LoadReport
from pipshare.facts.values import Refusal
from pipshare.market.servers import Entity, entities
from pipshare.market.turn import take_turn
from pipshare.period import Clock

_INSERT = "INSERT INTO market_entity (code, name, currency, clock) VALUES (%s, %s, %s, %s)"
_UPDATE = "UPDATE market_entity SET name = %s, currency = %s, clock = %s WHERE id = %s"
_WITH_SERVERS = """
SELECT DISTINCT e.code FROM market_entity e JOIN market_server s ON s.entity_id = e.id
"""
DEFAULTS = {field.name: field.default for field in FIELDS["entities"]}


def load_entities(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, *, by: str = "", reason: str = "",
    dry_run: bool = False, in_use: Collection[str] | None = None,
) -> LoadReport:  # fmt: skip
    """Load the `entities` frame of read_table in the caller's transaction.

    The name may always change; currency and day only while the entity is not `in_use` (codes;
    None: every entity that has a server). A dry run is the same, rolled back by the caller.
    """
    take_turn(conn)
    report = LoadReport("entities", rows=len(frame))
    known = {one.code: one for one in entities(conn).values()}
    used = {row[0] for row in conn.execute(_WITH_SERVERS)} if in_use is None else set(in_use)
    seen: dict[str, tuple[int, dict[str, Any]]] = {}
    for row in frame.iter_rows(named=True):
        line, code = row.pop("line"), row["entity"]
        if code in seen:
            _said_again(report, line, row, *seen[code])
            continue
        seen[code] = (line, row)
        fault = _fault(row, known.get(code), code in used)
        if fault:
            report.refused.append(
                Refusal(line, fault[0], f"line {line}, entity {code}: {fault[1]}")
            )
        else:
            _write(conn, report, row, known.get(code))
    return report


def _said_again(
    report: LoadReport, line: int, row: Mapping[str, Any], first: int, told: Mapping[str, Any]
) -> None:
    if row == told:
        report.same += 1
        return
    why = f"line {line}, entity {row['entity']}: contradicts line {first}; keep one of the two"
    report.refused.append(Refusal(line, "said_twice", why))


def _fault(row: Mapping[str, Any], known: Entity | None, used: bool) -> tuple[str, str] | None:
    if row["clock"] is not None:
        try:
            Clock.parse(row["clock"])
        except BadInput as error:
            return error.code, f"field clock: {error.message}"
    if known is None or not used:
        return None
    for field, held in (("currency", known.currency), ("clock", known.clock)):
        if row[field] is not None and row[field] != held:
            return "in_use", (
                f"field {field}: is {held} and cannot become {row[field]}, because books are kept "
                "in it; leave it as it is, or load another entity"
            )
    return None


def _write(
    conn: psycopg.Connection[Any], report: LoadReport, row: Mapping[str, Any], known: Entity | None
) -> None:
    names = ("name", "currency", "clock")
    if known is None:
        values = [row[n] if row[n] is not None else DEFAULTS[n] or "" for n in names]
        conn.execute(_INSERT, (row["entity"], *values))
        report.added += 1
        return
    held = [known.name, known.currency, known.clock]
    values = [old if row[n] is None else row[n] for n, old in zip(names, held, strict=True)]
    if values == held:
        report.same += 1
        return
    conn.execute(_UPDATE, (*values, known.id))
    report.changed += 1
