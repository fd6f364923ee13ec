"""Reads what is recorded of programmes: their versions, and the one in force at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import db
from pipshare.errors import BadInput, Missing
from pipshare.period import Clock
from pipshare.plans.problems import suggestion

_PROGRAMMES = """
SELECT p.id, p.code, e.code, e.clock
  FROM plans_programme p JOIN market_entity e ON e.id = p.entity_id
 ORDER BY e.code, p.code
"""
_VERSIONS = f"""
SELECT id, programme_id, number, {db.ms("valid_from")}, text, digest,
       {db.ms("recorded_at")}, recorded_by
  FROM plans_version ORDER BY programme_id, number
"""


@dataclass(frozen=True)
class Recorded:
    """One recorded version as stored: its text, and who recorded it when (UTC ms)."""

    id: int
    programme_id: int
    number: int
    valid_from_ms: int
    text: str
    digest: str
    recorded_ms: int
    recorded_by: str


@dataclass(frozen=True)
class ProgrammeRow:
    """One programme with its versions, oldest first; `clock` is its entity's day."""

    id: int
    code: str
    entity: str
    clock: Clock
    versions: tuple[Recorded, ...]

    def in_force(self, moment_ms: int) -> Recorded | None:
        """Of the versions that have begun by then, the one recorded last; None before the first."""
        begun = [v for v in self.versions if v.valid_from_ms <= moment_ms]
        return begun[-1] if begun else None

    def name_of(self, version: Recorded) -> str:
        """Return how a version is named where a file name is wanted."""
        return f"{self.code} version {version.number}"


def programmes(conn: psycopg.Connection[Any]) -> list[ProgrammeRow]:
    """Return all programmes with all versions, by entity and code."""
    versions: dict[int, list[Recorded]] = {}
    for row in conn.execute(_VERSIONS).fetchall():
        versions.setdefault(row[1], []).append(Recorded(*row))
    return [
        ProgrammeRow(number, code, entity, Clock.parse(clock), tuple(versions.get(number, ())))
        for number, code, entity, clock in conn.execute(_PROGRAMMES).fetchall()
    ]


def programme(conn: psycopg.Connection[Any], code: str, entity: str | None = None) -> ProgrammeRow:
    """Return one programme. Raises Missing, or BadInput when several entities have that code."""
    every = programmes(conn)
    found = [p for p in every if p.code == code and entity in (None, p.entity)]
    if len(found) > 1:
        having = ", ".join(p.entity for p in found)
        raise BadInput(
            "which_entity", f"programme {code} is in several entities: {having}; name one"
        )
    if not found:
        where = f" in entity {entity}" if entity else ""
        known = [p.code for p in every if entity in (None, p.entity)]
        every_one = f" known: {', '.join(known)}" if known else " `pipshare plan apply` brings one"
        hint = suggestion(code, known) or every_one
        raise Missing("no_programme", f"there is no programme {code}{where};{hint}")
    return found[0]


def export(
    conn: psycopg.Connection[Any],
    code: str,
    version: int | None = None,
    entity: str | None = None,
) -> str:
    """Return the text of a version (without a number: the one recorded last) as it was applied."""
    row = programme(conn, code, entity)
    if version is None:
        return row.versions[-1].text
    for one in row.versions:
        if one.number == version:
            return one.text
    raise Missing(
        "no_version", f"programme {code} has the versions 1 to {len(row.versions)}, not {version}"
    )
