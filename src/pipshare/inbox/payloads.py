"""Payloads of CRMs as they came: stored once, raw, before anything is made of them."""

from __future__ import annotations

import hashlib
import json
import os
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import psycopg

from pipshare.errors import Missing
from pipshare.facts.clicks import RANDOM_BYTES, click_id
from pipshare.inbox.endpoint_stamp import STAMP
from pipshare.period import from_ms

ACCEPTED, REJECTED = "accepted", "rejected"
_LEVEL = 1  # of zlib: the door is not to wait for it
# One statement: it is its own transaction where the connection commits each.
_STORE = f"""
WITH told AS (
    SELECT * FROM json_to_recordset(%(told)s::json) AS t (
        id text, endpoint_id int, at timestamptz, once text, digest text, content_type text,
        size int, sender text, verdict text, reason text, detail text, version int, items int,
        problems int, stamp text, starts int, bytes int, mapped_bytes int)
), stamps AS MATERIALIZED (
    SELECT p.id, {STAMP} AS stamp FROM inbox_endpoint p
     WHERE p.id IN (SELECT endpoint_id FROM told)
), fit AS (
    SELECT t.* FROM told t JOIN stamps p ON p.id = t.endpoint_id
     WHERE t.stamp = '' OR t.stamp = p.stamp
), stored AS (
    INSERT INTO inbox_payload
    SELECT id, endpoint_id, at, once, decode(digest, 'hex'), content_type, size, sender, verdict,
           reason, detail, version, items, problems FROM fit ORDER BY endpoint_id, once
        ON CONFLICT DO NOTHING
    RETURNING id, verdict
), bodies AS (
    INSERT INTO inbox_payload_body
    SELECT id, substr(%(raw)b::bytea, starts + 1, bytes) FROM told JOIN stored USING (id)
), due AS (
    INSERT INTO inbox_payload_due (payload_id, mapped)
    SELECT id, CASE WHEN mapped_bytes > 0 THEN
                    substr(%(raw)b::bytea, starts + bytes + 1, mapped_bytes) END
      FROM told JOIN stored s USING (id) WHERE s.verdict = 'accepted'
)
SELECT id FROM stored
"""
_BEFORE = """
SELECT p.endpoint_id, p.once, p.id, p.digest
  FROM unnest(%s::int[], %s::text[]) u (endpoint_id, once)
  JOIN inbox_payload p ON p.endpoint_id = u.endpoint_id AND p.once = u.once
   AND p.verdict = 'accepted'
"""
_BODY = """
SELECT p.content_type, b.body FROM inbox_payload p JOIN inbox_payload_body b ON b.payload_id = p.id
 WHERE p.id = %s"""


def new_payload_id(at_ms: int | None = None) -> str:
    """Return a number that sorts by time, in the form of a click's id."""
    moment = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    return click_id(moment, os.urandom(RANDOM_BYTES))


@dataclass(frozen=True)
class NewPayload:
    """A payload to be stored; `at_ms` is UTC, `delivery` its signed id, "" = none.

    `mapped` is what the door has made of it (pipeline.crm.judge), None = nothing yet. `reason` and
    `detail` say nothing of a person. `stamp`: it is stored only while the endpoint has this one
    (endpoint_stamp), "" = in any case.
    """

    endpoint_id: int
    at_ms: int
    body: bytes = field(repr=False)  # of people: it must get into no log
    content_type: str = "application/json"
    delivery: str = ""
    sender: str = ""
    verdict: str = ACCEPTED
    reason: str = ""
    detail: str = ""
    version: int = 0
    items: int = 0
    problems: int = 0
    mapped: bytes | None = field(default=None, repr=False)
    stamp: str = ""
    id: str = field(default_factory=new_payload_id)

    @cached_property
    def digest(self) -> bytes:
        """Return the fingerprint of the body."""
        return hashlib.sha256(self.body).digest()

    @property
    def once(self) -> str:
        """Return what makes two payloads of one endpoint the same one."""
        return f"d:{self.delivery}" if self.delivery else f"h:{self.digest.hex()}"


@dataclass(frozen=True)
class StoredBefore:
    """An accepted payload that a later one repeats; `same`: its content is the same, too.

    `is_stale`: there is none; it was not stored because its endpoint has another stamp by now.
    """

    id: str
    same: bool
    is_stale: bool = False


def store_payloads(
    conn: psycopg.Connection[Any], payloads: Sequence[NewPayload]
) -> dict[str, StoredBefore]:
    """Store payloads in the caller's transaction; accepted ones are due to be settled.

    Returns, by the id of those that were not stored, the accepted one that each repeats, or that it
    is stale. Of two in `payloads` that are the same the first is stored. Repeated after a lost
    connection it finds its own payloads: those name themselves.
    """
    if not payloads:
        return {}
    first: dict[tuple[int, str], NewPayload] = {}
    fresh: list[NewPayload] = []
    for one in payloads:
        if (
            one.verdict == ACCEPTED
            and first.setdefault((one.endpoint_id, one.once), one) is not one
        ):
            continue
        fresh.append(one)
    rows, pieces, at = [], [], 0
    for one in fresh:
        body, mapped = zlib.compress(one.body, _LEVEL), one.mapped or b""
        rows.append(_row(one) | {"starts": at, "bytes": len(body), "mapped_bytes": len(mapped)})
        pieces += [body, mapped]
        at += len(body) + len(mapped)
    told = {"told": json.dumps(rows), "raw": b"".join(pieces)}
    stored = {id_ for (id_,) in conn.execute(_STORE, told).fetchall()}
    late = [one for one in payloads if one.id not in stored]
    return _repeated(conn, late) if late else {}


def _repeated(conn: psycopg.Connection[Any], late: Sequence[NewPayload]) -> dict[str, StoredBefore]:
    keys = sorted({(one.endpoint_id, one.once) for one in late})
    rows = conn.execute(_BEFORE, [list(column) for column in zip(*keys, strict=True)]).fetchall()
    found = {(endpoint, once): (id_, bytes(digest)) for endpoint, once, id_, digest in rows}
    told = {}
    for one in late:
        id_, digest = found.get((one.endpoint_id, one.once), ("", b""))
        if id_:
            told[one.id] = StoredBefore(id_, digest == one.digest)
        elif one.stamp:
            told[one.id] = StoredBefore("", False, is_stale=True)
        else:
            told[one.id] = StoredBefore(one.id, True)
    return told


def payload_body(conn: psycopg.Connection[Any], payload_id: str) -> tuple[bytes, str]:
    """Return a payload's body and content type. Raises Missing when it is not kept (any more)."""
    row = conn.execute(_BODY, (payload_id,)).fetchone()
    if row is None:
        raise Missing("no_body", f"payload {payload_id} is not known, or its body was pruned")
    return zlib.decompress(row[1]), str(row[0])


def _row(one: NewPayload) -> dict[str, Any]:
    return {
        "id": one.id, "endpoint_id": one.endpoint_id, "at": from_ms(one.at_ms).isoformat(),
        "once": one.once, "digest": one.digest.hex(), "content_type": one.content_type[:100],
        "size": len(one.body), "sender": one.sender, "verdict": one.verdict, "reason": one.reason,
        "detail": one.detail[:500], "version": one.version, "items": one.items,
        "problems": one.problems, "stamp": one.stamp,
    }  # fmt: skip
