"""What receivers call those whom they were told of: the ids in their answers; and erasing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import db

LONGEST = 200  # characters of an id
_STORE = """
INSERT INTO outbox_external (receiver_id, subject, crm_id, delivery_id)
SELECT DISTINCT ON (receiver_id, subject) receiver_id, subject, crm_id, delivery_id
  FROM unnest(%s::int[], %s::text[], %s::text[], %s::bigint[])
       WITH ORDINALITY e (receiver_id, subject, crm_id, delivery_id, place)
 ORDER BY receiver_id, subject, place DESC
ON CONFLICT (receiver_id, subject)
   DO UPDATE SET crm_id = excluded.crm_id, delivery_id = excluded.delivery_id, at = now()"""
_OF = f"""
SELECT e.subject, r.id, r.name, e.crm_id, {db.ms("e.at")}
  FROM outbox_external e JOIN outbox_receiver r ON r.id = e.receiver_id
 WHERE e.subject = ANY(%s::text[]) AND r.state <> 'removed' ORDER BY r.name, r.id"""
_ERASE_SENT = """
UPDATE outbox_attempt a SET body = '', answer = '', url = split_part(url, '?', 1)
  FROM outbox_delivery d JOIN outbox_message m ON m.id = d.message_id
 WHERE a.delivery_id = d.id AND m.type = ANY(%(types)s) AND m.subject = %(subject)s"""
_ERASE_SAID = """
UPDATE outbox_message SET data = data - %(fields)s::text[]
 WHERE type = ANY(%(types)s) AND subject = %(subject)s"""


@dataclass(frozen=True)
class External:
    """A receiver's own id of a subject."""

    subject: str
    receiver_id: int
    receiver: str
    crm_id: str
    at_ms: int


def store_externals(
    conn: psycopg.Connection[Any], found: Iterable[tuple[int, str, str, int]]
) -> None:
    """Store (receiver id, subject, the receiver's own id, delivery id): the last one holds."""
    conn.execute(_STORE, [list(column) for column in zip(*found, strict=True)])


def externals(conn: psycopg.Connection[Any], subjects: Sequence[str]) -> list[External]:
    """Return what receivers call these subjects, by the receivers' names."""
    return [External(*row) for row in conn.execute(_OF, (list(subjects),)).fetchall()]


def erase_said(
    conn: psycopg.Connection[Any], subject: str, types: Sequence[str], fields: Sequence[str]
) -> None:
    """Take `fields` out of what was said of a subject, and out of what was sent and answered.

    Of attempts bodies and queries go as a whole. What was delivered is no longer in our hands.
    """
    told = {"subject": subject, "types": list(types), "fields": list(fields)}
    conn.execute(_ERASE_SENT, told)
    conn.execute(_ERASE_SAID, told)
