"""Keep a received file: what it is, who brought it, and its bytes as they came, once."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import psycopg

from pipshare.errors import BadInput, Missing
from pipshare.period import from_ms

PART = 4 * 2**20  # bytes of the file in one stored part
_LEVEL = 1  # exports shrink to a tenth at the cheapest level
_FIND = """
SELECT id FROM inbox_file
 WHERE server_id = %(server_id)s AND digest = %(digest)s AND booked = %(booked)s
   AND (as_of = %(as_of)s OR %(as_of)s::timestamptz IS NULL)
 ORDER BY id LIMIT 1"""
_FILE = """
INSERT INTO inbox_file (server_id, digest, name, size, format, encoding, provenance, trust,
                        as_of, booked, received_by)
VALUES (%(server_id)s, %(digest)s, %(name)s, %(size)s, %(format)s, %(encoding)s, %(provenance)s,
        %(trust)s, %(as_of)s, %(booked)s, %(by)s)
RETURNING id"""
_BODY = "INSERT INTO inbox_raw (file_id, part, body) VALUES (%s, %s, %b)"
_PARTS = """
SELECT r.file_id, r.part FROM inbox_file f JOIN inbox_raw r ON r.file_id = f.id
 WHERE f.server_id = %s AND f.digest = %s ORDER BY r.file_id, r.part"""


class About(Protocol):
    """What this stage needs of a source's Meta."""

    @property
    def format(self) -> str: ...
    @property
    def encoding(self) -> str: ...
    @property
    def provenance(self) -> str: ...


def receive_file(
    conn: psycopg.Connection[Any],
    server_id: int,
    source: Path | bytes,
    meta: About,
    *,
    trust: str,
    as_of_ms: int | None,
    by: str,
    booked: bool,
    name: str = "",
) -> int:
    """Store a file and return its id; the same file received before keeps the id it has.

    Same means the same bytes for the same server, equally booked, with the same `as_of_ms` (UTC
    milliseconds of the report time it prints, else of the operator's --as-of; None = untold). A
    reception that differs there is a row of its own, but the bytes are stored once. They are read
    in parts: memory stays small. Raises BadInput when the file changes while it is read.
    """
    with _opened(source) as stream:
        digest, size = _digest(stream)
        told = {
            "server_id": server_id, "digest": digest, "size": size, "by": by, "trust": trust,
            "name": _plain(name or (source.name if isinstance(source, Path) else "")),
            "format": meta.format, "encoding": meta.encoding, "provenance": meta.provenance,
            "as_of": None if as_of_ms is None else from_ms(as_of_ms), "booked": booked,
        }  # fmt: skip
        # Two imports of one file at once: the second waits and finds what the first has stored.
        lock = f"inbox_file {server_id} {digest}"
        conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (lock,))
        if known := conn.execute(_FIND, told).fetchone():
            return int(known[0])
        stored = conn.execute(_PARTS, (server_id, digest)).fetchone()
        file_id = _inserted(conn, told)
        if stored is None:
            stream.seek(0)
            _store_bytes(conn, file_id, stream, digest)
        return file_id


def raw(conn: psycopg.Connection[Any], file_id: int) -> Iterator[bytes]:
    """Yield a stored file's bytes as they came, in parts of PART bytes, to be parsed again."""
    known = conn.execute("SELECT server_id, digest FROM inbox_file WHERE id = %s", (file_id,))
    key = known.fetchone()
    if key is None:
        raise Missing("no_file", f"no received file has the number {file_id}")
    keeper = None
    for owner, part in conn.execute(_PARTS, key).fetchall():
        keeper = owner if keeper is None else keeper
        if owner == keeper:
            row = conn.execute(
                "SELECT body FROM inbox_raw WHERE file_id = %s AND part = %s", (owner, part)
            ).fetchone()
            assert row is not None
            yield zlib.decompress(row[0])


def _opened(source: Path | bytes) -> BinaryIO:
    return source.open("rb") if isinstance(source, Path) else io.BytesIO(source)


def _parts(stream: BinaryIO) -> Iterator[bytes]:
    while part := stream.read(PART):
        yield part


def _digest(stream: BinaryIO) -> tuple[str, int]:
    digest, size = sha256(), 0
    for part in _parts(stream):
        digest.update(part)
        size += len(part)
    return digest.hexdigest(), size


def _inserted(conn: psycopg.Connection[Any], told: dict[str, Any]) -> int:
    row = conn.execute(_FILE, told).fetchone()
    assert row is not None
    return int(row[0])


def _store_bytes(
    conn: psycopg.Connection[Any], file_id: int, stream: BinaryIO, digest: str
) -> None:
    again = sha256()
    for number, part in enumerate(_parts(stream)):
        again.update(part)
        conn.execute(_BODY, (file_id, number, zlib.compress(part, _LEVEL)))
    if again.hexdigest() != digest:
        raise BadInput(
            "file_changed", "the file changed while it was read; import it when it is complete"
        )


def _plain(text: str) -> str:
    """A file name may hold bytes that are no text; a text column may not."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
