"""What was received: files with their rows, and the rows that were refused with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

_FILES = """
SELECT f.id, s.code, f.name, f.size, f.format, f.encoding, f.provenance, f.trust, f.as_of,
       f.booked, f.received_at, f.received_by,
       (SELECT COALESCE(sum(b.count), 0) FROM inbox_batch b WHERE b.file_id = f.id),
       (SELECT count(*) FROM inbox_refused r WHERE r.file_id = f.id)
  FROM inbox_file f JOIN market_server s ON s.id = f.server_id
 WHERE {condition} ORDER BY f.id DESC LIMIT %(limit)s
"""
_REFUSED = """
SELECT id, line, code, reason, raw FROM inbox_refused
 WHERE file_id = %(file)s AND (%(code)s = '' OR code = %(code)s) AND (line, id) > (%(line)s, %(id)s)
 ORDER BY line, id LIMIT %(limit)s
"""
_LIVE = """
SELECT id, line, code, reason, raw FROM inbox_refused
 WHERE file_id IS NULL AND server_id = %s ORDER BY id DESC LIMIT %s
"""
_CODES = """
SELECT code, count(*) FROM inbox_refused WHERE file_id = %s GROUP BY 1 ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True)
class File:
    """A received file. `rows` are those taken in, `refused` those that were not."""

    id: int
    server: str
    name: str
    size: int
    format: str
    encoding: str
    provenance: str
    trust: str
    as_of: datetime | None
    booked: bool
    received_at: datetime
    received_by: str
    rows: int
    refused: int


@dataclass(frozen=True)
class Refused:
    """A row that was not taken: its line in the file, a stable code, a sentence, the row itself."""

    id: int
    line: int
    code: str
    reason: str
    raw: str


def files(
    conn: psycopg.Connection[Any], before: int | None = None, limit: int = 50
) -> tuple[list[File], int | None]:
    """Return received files, the newest first, from below an id; and the id for the next page."""
    condition = "%(before)s::bigint IS NULL OR f.id < %(before)s"
    rows = _read(conn, condition, {"before": before, "limit": limit + 1})
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def file(conn: psycopg.Connection[Any], file_id: int) -> File | None:
    """Return one received file, None when there is none of this number."""
    rows = _read(conn, "f.id = %(id)s", {"id": file_id, "limit": 1})
    return rows[0] if rows else None


def refused(
    conn: psycopg.Connection[Any],
    file_id: int,
    after: tuple[int, int] = (-1, 0),
    *,
    code: str = "",
    limit: int = 100,
) -> tuple[list[Refused], tuple[int, int] | None]:
    """Return a file's refused rows by line, from after (line, id), and where the next begins."""
    values = {"file": file_id, "code": code, "line": after[0], "id": after[1], "limit": limit + 1}
    rows = [Refused(*row) for row in conn.execute(_REFUSED, values)]
    more = (rows[limit - 1].line, rows[limit - 1].id) if len(rows) > limit else None
    return rows[:limit], more


def refused_live(conn: psycopg.Connection[Any], server_id: int, limit: int = 100) -> list[Refused]:
    """Return the newest records of a server's live connections that were not taken."""
    return [Refused(*row) for row in conn.execute(_LIVE, (server_id, limit))]


def refusal_codes(conn: psycopg.Connection[Any], file_id: int) -> Sequence[tuple[str, int]]:
    """Return how many rows of a file were refused with each code, the commonest first."""
    return conn.execute(_CODES, (file_id,)).fetchall()


def _read(conn: psycopg.Connection[Any], condition: str, values: dict[str, Any]) -> list[File]:
    return [File(*row) for row in conn.execute(_FILES.format(condition=condition), values)]
