"""Payloads of CRMs as they came: stored once, raw, before anything is made of them."""

from __future__ import annotations

import hashlib
import os
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from pipshare.errors import Missing
from pipshare.facts.clicks import RANDOM_BYTES, click_id
from pipshare.period import from_ms

ACCEPTED, REJECTED = "accepted", "rejected"
_LEVEL = 1  # of zlib: the door is not to wait for it
# One statement: it is its own transaction where the connection commits each.
_STORE = """
WITH told AS (
    SELECT * FROM unnest(
        %s::text[], %s::int[], %s::timestamptz[], %s::text[], %s::bytea[], %s::text[], %s::int[],
        %s::text[], %s::text[], %s::text[], %s::text[], %s::int[], %s::int[], %s::int[],
        %s::bytea[], %s::bytea[])
      AS t (id, endpoint_id, at, once, digest, content_type, size, sender, verdict, reason, detail,
            version, items, problems, body, mapped)
), stored AS (
    INSERT INTO inbox_payload
    SELECT id, endpoint_id, at, once, digest, content_type, size, sender, verdict, reason, detail,
           version, items, problems FROM told
        ON CONFLICT (endpoint_id, once) WHERE verdict = 'accepted' DO NOTHING
    RETURNING id, verdict
), bodies AS (
    INSERT INTO inbox_payload_body SELECT t.id, t.body FROM told t JOIN stored USING (id)
), due AS (
    INSERT INTO inbox_payload_due (payload_id, mapped)
    SELECT t.id, t.mapped FROM told t JOIN stored s USING (id) WHERE s.verdict = 'accepted'
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
    `detail` say nothing of a person.
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
    id: str = field(default_factory=new_payload_id)

    @property
    def digest(self) -> bytes:
        """Return the fingerprint of the body."""
        return hashlib.sha256(self.body).digest()

    @property
    def once(self) -> str:
        """Return what makes two payloads of one endpoint the same one."""
        return f"d:{self.delivery}" if self.delivery else f"h:{self.digest.hex()}"


@dataclass(frozen=True)
class StoredBefore:
    """An accepted payload that a later one repeats; `same`: its content is the same, too."""

    id: str
    same: bool


def store_payloads(
    conn: psycopg.Connection[Any], payloads: Sequence[NewPayload]
) -> dict[str, StoredBefore]:
    """Store payloads in the caller's transaction; accepted ones are due to be settled.

    Returns, by the id of those that were not stored, the accepted one that each repeats. Of two in
    `payloads` that are the same the first is stored.
    """
    if not payloads:
        return {}
    first: dict[tuple[int, str], NewPayload] = {}
    fresh: list[NewPayload] = []
    for one in payloads:
        key = (one.endpoint_id, one.once)
        if one.verdict == ACCEPTED and first.setdefault(key, one) is not one:
            continue
        fresh.append(one)
    # In the order of identities: two processes with the same ones must not wait for each other.
    fresh.sort(key=lambda one: (one.endpoint_id, one.once))
    columns = [list(column) for column in zip(*map(_row, fresh), strict=True)]
    stored = {id_ for (id_,) in conn.execute(_STORE, columns).fetchall()}
    late = [one for one in payloads if one.id not in stored]
    return _repeated(conn, late) if late else {}


def _repeated(conn: psycopg.Connection[Any], late: Sequence[NewPayload]) -> dict[str, StoredBefore]:
    keys = sorted({(one.endpoint_id, one.once) for one in late})
    rows = conn.execute(_BEFORE, [list(column) for column in zip(*keys, strict=True)]).fetchall()
    found = {(endpoint, once): (id_, bytes(digest)) for endpoint, once, id_, digest in rows}
    told = {}
    for one in late:
        id_, digest = found[one.endpoint_id, one.once]
        told[one.id] = StoredBefore(id_, digest == one.digest)
    return told


def payload_body(conn: psycopg.Connection[Any], payload_id: str) -> tuple[bytes, str]:
    """Return a payload's body and content type. Raises Missing when it is not kept (any more)."""
    row = conn.execute(_BODY, (payload_id,)).fetchone()
    if row is None:
        raise Missing("no_body", f"payload {payload_id} is not known, or its body was pruned")
    return zlib.decompress(row[1]), str(row[0])


def _row(one: NewPayload) -> tuple[Any, ...]:
    return (
        one.id, one.endpoint_id, from_ms(one.at_ms), one.once, one.digest, one.content_type[:100],
        len(one.body), one.sender, one.verdict, one.reason, one.detail[:500], one.version,
        one.items, one.problems, zlib.compress(one.body, _LEVEL), one.mapped,
    )  # fmt: skip
