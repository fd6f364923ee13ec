"""Words on who clients are and whose, as they hold now, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from pipshare import audit
from pipshare.db import ms
from pipshare.errors import Conflict
from pipshare.facts.events import CANCELLED, DUPLICATE, MERGED, REASSIGNED

FOLLOWED, SAME, WAITS, PROPOSED = "followed", "same", "waits", "proposed"
REJECTED, WITHDRAWN, REFUSED, OUTDATED = "rejected", "withdrawn", "refused", "outdated"
MERGE_KIND = "client_merge"  # of the proposal
_NEWER = """SELECT FROM clients_event later
         WHERE later.source = {than}.source AND later.event = {than}.event
           AND (later.version, later.at, later.id) > ({than}.version, {than}.at, {than}.id)"""
_WORDS = f"""
SELECT v.id, v.entity_id, n.code AS entity, v.source, v.event, v.kind, v.client, v.other_client,
       v.partner, v.reason, v.reference, {ms("v.at")} AS at_ms,
       {ms("v.effective_at")} AS effective_ms, c.id AS client_id, o.id AS other_id,
       i.state, i.proposal, coalesce(i.detail, '') AS detail
  FROM clients_event v
  JOIN market_entity n ON n.id = v.entity_id
  LEFT JOIN clients_client c ON c.entity_id = v.entity_id AND c.code = v.client
  LEFT JOIN clients_client o ON o.entity_id = v.entity_id AND o.code = v.other_client
  LEFT JOIN clients_identity i ON i.event_id = v.id
 WHERE v.kind = ANY(%(kinds)s) {{some}} AND NOT EXISTS ({_NEWER.format(than="v")})
 ORDER BY v.at, v.source, v.event
"""
# Written out as the index of these few has it.
_FEW = f"AND v.kind IN ('{MERGED[0]}', '{MERGED[1]}', '{REASSIGNED}', '{CANCELLED}')"
_ABOUT = """AND v.id IN (SELECT e.id FROM clients_event e WHERE e.entity_id = %(entity)s
                    AND (e.client = ANY(%(clients)s)
                         OR e.kind = ANY(%(kinds)s) AND e.other_client = ANY(%(clients)s)))"""
_REPLACED = f"""
SELECT i.event_id, i.proposal FROM clients_identity i JOIN clients_event e ON e.id = i.event_id
 WHERE i.state IN ('waits', 'proposed', 'followed')
   AND EXISTS ({_NEWER.format(than="e")})
"""
_NOTE = """
INSERT INTO clients_identity (event_id, state, proposal, detail) VALUES (%s, %s, %s, %s)
    ON CONFLICT (event_id) DO UPDATE
   SET state = excluded.state, proposal = excluded.proposal, detail = excluded.detail,
       noted_at = now()
"""
_SAME_AS = "SELECT client_id, into_id FROM clients_same"
_MERGE = "INSERT INTO clients_merge (client_id, into_id, recorded_by) VALUES (%s, %s, %s)"


@dataclass(frozen=True)
class IdentityWord:
    """An event on who a client is or whose, and what became of it (`state` None: nothing yet).

    `client_id`, `other_id`: the clients as named, None = not known; not whom they are merged into.
    """

    id: int
    entity_id: int
    entity: str
    source: str
    event: str
    kind: str
    client: str
    other_client: str
    partner: str
    reason: str
    reference: str
    at_ms: int
    effective_ms: int
    client_id: int | None
    other_id: int | None
    state: str | None
    proposal: int | None
    detail: str

    @property
    def why(self) -> str:
        """The reason told, with the event that told it."""
        told = self.reason.strip() or f"{self.source} gave no reason"
        return f"{told} (event {self.event} of {self.source})"


def identity_words(conn: psycopg.Connection[Any], kinds: Sequence[str]) -> list[IdentityWord]:
    """Return the words of some kinds of `MERGED`, REASSIGNED and CANCELLED, as they hold, in the
    order of moments."""
    with conn.cursor(row_factory=class_row(IdentityWord)) as cursor:
        return cursor.execute(_WORDS.format(some=_FEW), {"kinds": list(kinds)}).fetchall()


def identity_words_about(
    conn: psycopg.Connection[Any], entity_id: int, codes: Sequence[str]
) -> list[IdentityWord]:
    """Return all words on who these clients of an entity are and whose, also of others who are
    told to be one of them; in the order of moments."""
    kinds = [*DUPLICATE, *MERGED, REASSIGNED, CANCELLED]
    asked = {"kinds": kinds, "entity": entity_id, "clients": list(codes)}
    with conn.cursor(row_factory=class_row(IdentityWord)) as cursor:
        return cursor.execute(_WORDS.format(some=_ABOUT), asked).fetchall()


def note_word(
    conn: psycopg.Connection[Any], word: IdentityWord, state: str, detail: str,
    proposal: int | None = None,
) -> bool:  # fmt: skip
    """Write down what became of a word; tell whether that is news."""
    if (word.state, word.detail, word.proposal) == (state, detail, proposal):
        return False
    conn.execute(_NOTE, (word.id, state, proposal, detail))
    return True


def replaced_words(conn: psycopg.Connection[Any]) -> list[int]:
    """Note that words hold no longer that were told anew otherwise; return their proposals."""
    found = conn.execute(_REPLACED).fetchall()
    for event_id, proposal in found:
        conn.execute(_NOTE, (event_id, OUTDATED, proposal, "told anew with other content"))
    return [proposal for _, proposal in found if proposal is not None]


def merged_into(conn: psycopg.Connection[Any]) -> dict[int, int]:
    """Return by merged client whom he ends up as."""
    return dict(conn.execute(_SAME_AS).fetchall())


def write_merges(
    conn: psycopg.Connection[Any], into: Mapping[int, int | None], by: str
) -> None:  # fmt: skip
    """Record whom clients end up as from now on, for their whole past; None = themselves."""
    for client, other in sorted(into.items()):
        conn.execute(_MERGE, (client, other, by))


def apply_merge(conn: psycopg.Connection[Any], payload: Mapping[str, Any], by: str) -> None:
    """Check that an approved merge is still told; it is followed when all is brought to rest.

    Raises Conflict when the word was taken back or told anew since: it is to be rejected then.
    """
    found = [one for one in identity_words(conn, MERGED) if one.id == payload["event_id"]]
    if not found or found[0].state != PROPOSED:
        raise Conflict("merge_outdated", (
            f"that {payload['client']} is {payload['into']} is no longer told as it was: reject"
            " this proposal"
        ))  # fmt: skip
    audit.record(conn, by, "apply client_merge", f"{payload['client']} -> {payload['into']}",
                 str(payload.get("reason", "")))  # fmt: skip
