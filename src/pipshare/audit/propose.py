"""Put a change before a second person, and read what was put."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pipshare.audit.event import record
from pipshare.errors import BadInput, Missing

_COLUMNS = """
SELECT id, kind, subject, payload, reason, proposed_by, proposed_at, decided_by, decided_at,
       approved
  FROM audit_proposal
"""
_ONE = _COLUMNS + " WHERE id = %s"
_PENDING = _COLUMNS + " WHERE decided_by IS NULL ORDER BY id"
_DECIDED = _COLUMNS + " WHERE decided_by IS NOT NULL ORDER BY decided_at DESC, id DESC LIMIT %s"
_EQUAL = """
SELECT id FROM audit_proposal
 WHERE decided_by IS NULL AND kind = %s AND subject = %s AND payload = %s
 ORDER BY id LIMIT 1
"""
_INSERT = """
INSERT INTO audit_proposal (kind, subject, payload, reason, proposed_by)
VALUES (%s, %s, %s, %s, %s) RETURNING id
"""


@dataclass(frozen=True)
class Proposal:
    """A change that takes effect when a second person approves it. `payload` fits JSON."""

    id: int
    kind: str
    subject: str
    payload: dict[str, Any]
    reason: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    approved: bool | None = None
    outcome: Any = None  # what the applier returned, at approval only

    @property
    def signed(self) -> str:
        """Both people, as records of the applied change name them."""
        return f"{self.proposed_by} + {self.decided_by}"


def person(name: str) -> str:
    """Return a name without what tells nobody apart: case, spacing, width, invisible signs."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    plain = "".join(" " if c.isspace() else c for c in plain if _visible(c))
    return unicodedata.normalize("NFKC", " ".join(plain.split()))


def _visible(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) not in ("Cf", "Cc")


def propose(
    conn: psycopg.Connection[Any],
    kind: str,
    subject: str,
    payload: Mapping[str, Any],
    reason: str,
    by: str,
) -> int:
    """Store a change for a second person's decision; returns its number.

    A change that is already waiting is not stored twice: its number comes back. Raises BadInput
    without a reason or a name.
    """
    if not reason.strip():
        raise BadInput("no_reason", f"{subject}: this change needs a reason: give --reason")
    if not person(by):
        raise BadInput("no_name", f"{subject}: this change needs the name of who asks: give --by")
    content = Jsonb(dict(payload))
    known = conn.execute(_EQUAL, (kind, subject, content)).fetchone()
    if known:
        return int(known[0])
    values = (kind, subject, content, reason.strip(), " ".join(by.split()))
    row = conn.execute(_INSERT, values).fetchone()
    assert row is not None
    record(conn, by, f"propose {kind}", subject, reason, {"proposal": row[0]})
    return int(row[0])


def proposal(conn: psycopg.Connection[Any], number: int) -> Proposal:
    """Return one proposal, decided or not. Raises Missing."""
    row = conn.execute(_ONE, (number,)).fetchone()
    if row is None:
        raise Missing(
            "no_proposal", f"there is no proposal {number}; `pipshare proposals` lists what waits"
        )
    return Proposal(*row)


def pending(conn: psycopg.Connection[Any], kind: str | None = None) -> list[Proposal]:
    """Return what waits for a second person, oldest first."""
    found = [Proposal(*row) for row in conn.execute(_PENDING)]
    return [one for one in found if kind in (None, one.kind)]


def decided_lately(conn: psycopg.Connection[Any], limit: int) -> list[Proposal]:
    """Return what was approved or rejected, the latest decision first."""
    return [Proposal(*row) for row in conn.execute(_DECIDED, (limit,))]
