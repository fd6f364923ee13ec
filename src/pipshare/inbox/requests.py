"""Remember answers: a request that is sent again with its Idempotency-Key gets the first one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare.errors import Conflict

KEPT = "7 days"
MOST_CHARACTERS = 200
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7104))"
_FIND = "SELECT digest, status, body FROM inbox_request WHERE key_id = %s AND name = %s"
_KEEP = """
INSERT INTO inbox_request (key_id, name, digest, status, body) VALUES (%s, %s, %s, %s, %b)"""
_FORGET = f"""
DELETE FROM inbox_request WHERE (key_id, name) IN (
    SELECT key_id, name FROM inbox_request WHERE at < now() - interval '{KEPT}' LIMIT 100)"""


@dataclass(frozen=True)
class Answer:
    """What was answered: an HTTP status and the body's bytes."""

    status: int
    body: bytes


def answered(conn: psycopg.Connection[Any], key_id: int, name: str, sent: bytes) -> Answer | None:
    """Return the answer given before, None when there was none; hold others with this name off.

    Until the caller's transaction ends a second request of this name waits. Raises Conflict when
    the name was used for something else.
    """
    conn.execute(_LOCK, (f"{key_id} {name}",))
    row = conn.execute(_FIND, (key_id, name)).fetchone()
    if row is None:
        return None
    if bytes(row[0]) != _digest(sent):
        raise Conflict(
            "key_reused",
            f"Idempotency-Key {name!r} was used for another request: a key belongs to one request;"
            " send this one with a new key",
        )
    return Answer(row[1], bytes(row[2]))


def keep_answer(
    conn: psycopg.Connection[Any], key_id: int, name: str, sent: bytes, answer: Answer
) -> None:
    """Keep an answer for a week, and forget some that are older."""
    conn.execute(_KEEP, (key_id, name, _digest(sent), answer.status, answer.body))
    conn.execute(_FORGET)


def _digest(sent: bytes) -> bytes:
    return hashlib.sha256(sent).digest()
