"""Records a plan file as the next version of its programme, and compares one with what stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import psycopg

from pipshare import audit
from pipshare.errors import Missing
from pipshare.plans.check import Checked, check
from pipshare.plans.differences import differences, since
from pipshare.plans.read_book import parsed
from pipshare.plans.recorded import ProgrammeRow, programme
from pipshare.plans.terms import Programme

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('plans_programme'), %s)"
_NEW_PROGRAMME = """
INSERT INTO plans_programme (entity_id, code) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""
_NEW_VERSION = """
INSERT INTO plans_version (programme_id, number, valid_from, text, digest, recorded_by)
VALUES (%s, %s, CASE WHEN %s = 0 THEN '-infinity'
        ELSE timestamptz 'epoch' + %s * interval '1 millisecond' END, %s, %s, %s)
RETURNING id
"""
_COMPONENTS = """
INSERT INTO plans_component (programme_id, code) SELECT %s, unnest(%s::text[])
ON CONFLICT DO NOTHING
"""
_RATES = """
INSERT INTO plans_rate (version_id, component_id, ordinal)
SELECT %s, c.id, r.ordinal
  FROM unnest(%s::text[], %s::integer[]) AS r (code, ordinal)
  JOIN plans_component c ON c.programme_id = %s AND c.code = r.code
"""
_NOW = "SELECT (extract(epoch FROM now()) * 1000)::bigint"


@dataclass(frozen=True)
class ApplyReport:
    """What applying a file did.

    `number` is the version's. `changed` is false when the text is the newest version already.
    `from_ms`: what closed from this moment on (UTC ms) has to be rated again; None when nothing was
    rated by this programme before. `differences` are in words, against the version in force before
    (see diff).
    """

    programme: Programme
    programme_id: int
    number: int
    changed: bool
    from_ms: int | None
    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        """The programme's code."""
        return self.programme.code


def digest(text: str) -> str:
    """Return the fingerprint of a plan text; line ends of another system do not count."""
    return sha256(text.removeprefix("\ufeff").replace("\r\n", "\n").encode()).hexdigest()


def apply(conn: psycopg.Connection[Any], text: str, filename: str, by: str) -> ApplyReport:
    """Record a plan file in the caller's transaction, unless it is the newest version already.

    Of the versions that have begun at a moment, the one recorded last is in force: a file with an
    earlier valid_from than a recorded version replaces that one too, and a note says so. Raises
    BadPlan.
    """
    checked = check(text, filename, conn)
    new = checked.programme
    conn.execute(_LOCK, (checked.entity_id,))
    conn.execute(_NEW_PROGRAMME, (checked.entity_id, new.code))
    row = programme(conn, new.code, new.entity)
    last = row.versions[-1] if row.versions else None
    if last and (last.digest, last.valid_from_ms) == (digest(text), new.valid_from_ms):
        return ApplyReport(new, row.id, last.number, False, None)  # was noted when recorded
    number = last.number + 1 if last else 1
    words = _against(conn, row, new)
    _store(conn, row.id, number, text, new, by)
    subject = f"programme {new.code} version {number}"
    audit.record(conn, by, "apply plan", subject, "", {"file": filename, "changes": words})
    notes = [*checked.notes, *_replaced(row, new)]
    return ApplyReport(new, row.id, number, True, new.valid_from_ms if last else None, words, notes)


def diff(conn: psycopg.Connection[Any], text: str, filename: str = "the file") -> list[str]:
    """Return in words what applying the file would change; empty when nothing.

    Compared is the version in force when the file begins, or now when it began earlier. Writes
    nothing. Raises BadPlan.
    """
    checked: Checked = check(text, filename, conn)
    new = checked.programme
    try:
        row = programme(conn, new.code, new.entity)
    except Missing:
        row = None
    return _against(conn, row, new)


def _against(conn: psycopg.Connection[Any], row: ProgrammeRow | None, new: Programme) -> list[str]:
    found = conn.execute(_NOW).fetchone()
    assert found is not None
    standing = row.in_force(max(found[0], new.valid_from_ms)) if row else None
    if row is None or standing is None:
        return [f"+ programme {new.code}, valid from {since(new.valid_from_ms)}"]
    return differences(parsed(row, standing), new)


def _replaced(row: ProgrammeRow, new: Programme) -> list[str]:
    return [
        f"version {v.number}, valid from {since(v.valid_from_ms)}, is replaced as well: this one "
        f"holds from {since(new.valid_from_ms)} on"
        for v in row.versions
        if v.valid_from_ms > new.valid_from_ms
    ]


def _store(
    conn: psycopg.Connection[Any],
    programme_id: int,
    number: int,
    text: str,
    new: Programme,
    by: str,
) -> None:
    start = new.valid_from_ms
    values = (programme_id, number, start, start, text, digest(text), by)
    found = conn.execute(_NEW_VERSION, values).fetchone()
    assert found is not None
    conn.execute(_COMPONENTS, (programme_id, [c.code for c in new.components]))
    codes = [c.code for c in new.components for _ in c.rates]
    ordinals = [rule.ordinal for c in new.components for rule in c.rates]
    conn.execute(_RATES, (found[0], codes, ordinals, programme_id))
