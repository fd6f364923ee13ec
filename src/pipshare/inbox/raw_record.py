"""Raw records: what the platform, a sender or a file said of one deal, word for word."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from pipshare.inbox.receive import raw

_KEEP = "INSERT INTO inbox_raw_record (batch_id, body) VALUES (%s, %b)"
_BODY = "SELECT body FROM inbox_raw_record WHERE batch_id = %s"
_DEAL = """
SELECT batch_id FROM inbox_deal WHERE server_id = %s AND deal = %s ORDER BY revision DESC LIMIT 1"""
_CASH = "SELECT batch_id FROM inbox_cash WHERE server_id = %s AND ticket = %s"
_FILE = """
SELECT b.file_id, f.encoding, b.first_line, b.last_line
  FROM inbox_batch b JOIN inbox_file f ON f.id = b.file_id WHERE b.id = %s"""


def keep_raw(conn: psycopg.Connection[Any], batch_id: int, records: Sequence[bytes]) -> None:
    """Keep the records that were new in a batch, as they came: one JSON object each.

    Line ends inside a record (white space in JSON) become spaces, so that a record is one line.
    """
    if records:
        lines = (one.replace(b"\r", b" ").replace(b"\n", b" ") for one in records)
        conn.execute(_KEEP, (batch_id, zlib.compress(b"\n".join(lines), 6)))


def raw_record(
    conn: psycopg.Connection[Any], server_id: int, ticket: int, batch_id: int | None = None
) -> str | None:
    """Return what brought a deal or balance operation in, as it came: from a poll, a push, a file.

    A closed trade of a platform without deals names its `batch_id` (trades_trade). None when
    nothing of it was kept.
    """
    if batch_id is None:
        for query in (_DEAL, _CASH):
            if row := conn.execute(query, (server_id, ticket)).fetchone():
                batch_id = int(row[0])
                break
    if batch_id is None:
        return None
    if row := conn.execute(_BODY, (batch_id,)).fetchone():
        return _record(zlib.decompress(row[0]), ticket)
    if row := conn.execute(_FILE, (batch_id,)).fetchone():
        return _line(_lines(conn, row[0], row[1]), ticket, row[2], row[3])
    return None


def _record(body: bytes, ticket: int) -> str | None:
    """Find the record whose own number it is: Deal, Ticket ... and not a position or an order."""
    wanted = re.compile(rb'"(?:deal|ticket)(?:_?id)?"\s*:\s*"?%d"?\s*[,}]' % ticket, re.IGNORECASE)
    for record in body.split(b"\n"):
        if wanted.search(record):
            return record.decode("utf-8", "replace")
    return None


def _line(lines: Iterator[str], ticket: int, first: int, last: int) -> str | None:
    """Find the file's line that has the number in a cell of its own, the further left the better.

    Other lines may have it as a position, an order or in a comment. The batch tells where to look.
    """
    wanted = re.compile(rf"(?<![^,;\t\">]){ticket}(?![^,;\t\"<\r])")
    best, place = None, 10**9
    for number, line in enumerate(lines, 1):
        if last and number > last:
            break
        if number >= first and (found := wanted.search(line)):
            cells = len(re.findall(r"[,;\t]|<td", line[: found.start()]))
            if cells < place:
                best, place = line.rstrip("\r\n"), cells
    return best


def _lines(conn: psycopg.Connection[Any], file_id: int, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding or "utf-8")("replace")
    rest = ""
    for part in raw(conn, file_id):
        *whole, rest = (rest + decoder.decode(part)).split("\n")
        yield from whole
    yield rest + decoder.decode(b"", final=True)
