"""Whose events of money or KYC count in an entity: one source's, from a moment on.

Free until events of the kind are known; later by a proposal that somebody else approves, since what
was earned by deposits of the other sources is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from pipshare import audit
from pipshare.clients.touched import touch_all
from pipshare.db import ms
from pipshare.errors import BadInput, Missing
from pipshare.facts.counted import FACTS, MONEY_FACT, MOVES, Authority
from pipshare.facts.events import KYC, REFERRING
from pipshare.period import from_ms

KIND = "event_authority"  # of the proposal
_READ = f"""
SELECT n.code, a.fact, {ms("a.valid_from")}, a.source
  FROM clients_authority a JOIN market_entity n ON n.id = a.entity_id ORDER BY a.id
"""
_LIST = f"""
SELECT n.code AS entity, a.fact, a.source, {ms("a.valid_from")} AS from_ms, a.recorded_at,
       a.recorded_by, a.reason
  FROM clients_authority a JOIN market_entity n ON n.id = a.entity_id ORDER BY n.code, a.fact, a.id
"""
_ENTITY = "SELECT id FROM market_entity WHERE code = %s"
_SOURCES = """
SELECT source, count(*) FROM clients_event WHERE entity_id = %s AND kind = ANY(%s)
 GROUP BY source ORDER BY 2 DESC, 1
"""
_INSERT = """
INSERT INTO clients_authority (entity_id, fact, source, valid_from, recorded_by, reason)
VALUES (%s, %s, %s, CASE WHEN %s::bigint = 0 THEN '-infinity'::timestamptz
                         ELSE to_timestamp(%s / 1000.0) END, %s, %s)
"""


@dataclass(frozen=True)
class RecordedAuthority:
    """One record; `from_ms` 0 = always; `source` "" = all sources again."""

    entity: str
    fact: str
    source: str
    from_ms: int
    recorded_at: datetime
    recorded_by: str
    reason: str


def authorities(conn: psycopg.Connection[Any]) -> list[Authority]:
    """Return whose events count, in the order of recording: of two the later one holds."""
    return [Authority(*row) for row in conn.execute(_READ)]


def recorded_authorities(conn: psycopg.Connection[Any]) -> list[RecordedAuthority]:
    """Return every record, by entity, kind of fact and age."""
    return [RecordedAuthority(*row) for row in conn.execute(_LIST)]


def telling(conn: psycopg.Connection[Any], entity: str, fact: str) -> dict[str, int]:
    """Return by source how many contents of events of a kind of fact were ever told of an entity.

    Raises Missing for an unknown entity, BadInput for what is no kind of fact.
    """
    if fact not in FACTS:
        raise BadInput("bad_fact", f"{fact!r} is no kind of fact: there are {', '.join(FACTS)}")
    kinds = (*MOVES, *REFERRING) if fact == MONEY_FACT else KYC
    row = conn.execute(_ENTITY, (entity,)).fetchone()
    if row is None:
        raise Missing("unknown_entity", f"entity {entity!r} is not known: load entities first")
    return dict(conn.execute(_SOURCES, (row[0], list(kinds))).fetchall())


def say_authority(
    conn: psycopg.Connection[Any], said: Authority, *, by: str, reason: str
) -> int | None:  # fmt: skip
    """Say whose events count; return the proposal's number, None where it holds at once.

    Raises BadInput without reason and name, and for a source that never told such an event though
    others did; Missing for an unknown entity.
    """
    known = telling(conn, said.entity, said.fact)
    if known and said.source and said.source not in known:
        raise BadInput("unknown_source", (
            f"no {said.fact} of entity {said.entity} was ever told by {said.source!r}; those who"
            f" did are {', '.join(known)}"
        ))  # fmt: skip
    if not reason.strip() or not by.strip():
        raise BadInput("no_reason", "whose events count needs a reason and a name: give --reason"
                       " and --by")  # fmt: skip
    payload = {"entity": said.entity, "fact": said.fact, "source": said.source,
               "from_ms": said.from_ms}  # fmt: skip
    if known:
        since = f"from {from_ms(said.from_ms):%Y-%m-%d %H:%M} UTC on" if said.from_ms else "always"
        whose = f"those of {said.source} alone" if said.source else "those of all sources"
        subject = f"entity {said.entity}, {said.fact}: {whose} count, {since}"
        return audit.propose(conn, KIND, subject, payload, reason, by)
    _record(conn, payload, by, reason)
    return None


def apply_authority(conn: psycopg.Connection[Any], payload: Mapping[str, Any], by: str) -> int:
    """Let a source's events count, as approved; return the moment (UTC ms) from which on what
    was earned may be different. Raises Missing when the entity is not known."""
    _record(conn, payload, by, str(payload.get("reason", "")))
    touch_all(conn)
    return 0  # a deposit qualifies trades that were closed long before it


def _record(
    conn: psycopg.Connection[Any], payload: Mapping[str, Any], by: str, reason: str
) -> None:  # fmt: skip
    row = conn.execute(_ENTITY, (payload["entity"],)).fetchone()
    if row is None:
        raise Missing("unknown_entity", f"entity {payload['entity']!r} is not known")
    since = int(payload["from_ms"])
    conn.execute(_INSERT, (row[0], payload["fact"], payload["source"], since, since, by, reason))
    audit.record(conn, by, "event authority", f"{payload['entity']} {payload['fact']}", reason,
                 dict(payload))  # fmt: skip
