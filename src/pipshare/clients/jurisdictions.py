"""Block a country, and unblock it: nobody earns by its clients from a moment on.

Whoever blocks from now on does it alone: it stops what is new, and what it stopped comes back by
unblocking. What takes back what was booked, or pays again, needs a second person.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, get_args

import psycopg

from pipshare import audit
from pipshare.db import ms
from pipshare.errors import BadInput, Missing
from pipshare.facts.jurisdictions import Counts, Jurisdiction, Jurisdictions, merged
from pipshare.period import from_ms

KIND = "jurisdiction"  # of the proposal
EARLY_MS = 60_000  # a block of so long ago is one from now on: clocks and commands take their time
_CODE = re.compile(r"[A-Z]{2}")
_HINTS = {"UK": "GB", "EN": "GB", "EL": "GR"}
_READ = f"""
SELECT entity_id, country, blocked, counts, {ms("valid_from")}, {ms("recorded_at")}, recorded_by,
       reason
  FROM clients_jurisdiction ORDER BY entity_id, id
"""
_INSERT = """
INSERT INTO clients_jurisdiction (entity_id, country, blocked, counts, valid_from, recorded_by,
                                  reason)
VALUES (%(entity_id)s, %(country)s, %(blocked)s, %(counts)s, %(from)s, %(by)s, %(reason)s)
"""
_WHOSE = """
    SELECT t.client_id FROM clients_country t JOIN clients_client c ON c.id = t.client_id
     WHERE c.entity_id = %(entity_id)s AND t.country = %(country)s
    UNION
    SELECT v.client_id FROM clients_event_current v
     WHERE v.entity_id = %(entity_id)s AND v.country = %(country)s AND v.client_id IS NOT NULL
"""
_TOUCH = f"""
INSERT INTO clients_touched (client_id, since)
SELECT client_id, %(from)s FROM ({_WHOSE}) whose ORDER BY client_id
    ON CONFLICT (client_id) DO UPDATE SET since = least(clients_touched.since, excluded.since)
"""
_ENTITY = "SELECT id FROM market_entity WHERE code = %s"


def jurisdictions(conn: psycopg.Connection[Any]) -> dict[int, Jurisdictions]:
    """Return what was said of countries, by entity; only those that said anything."""
    rows: dict[int, list[Jurisdiction]] = {}
    for entity_id, *told in conn.execute(_READ):
        rows.setdefault(entity_id, []).append(Jurisdiction(*told))
    return {one: found for one, some in rows.items() if (found := merged(some)) is not None}


def clients_of_country(conn: psycopg.Connection[Any], entity_id: int, country: str) -> list[int]:
    """Return the clients of an entity who ever lived in a country or had a document of it."""
    rows = conn.execute(_WHOSE, {"entity_id": entity_id, "country": country})
    return sorted(row[0] for row in rows)


def say_jurisdiction(
    conn: psycopg.Connection[Any], entity: str, country: str, *, blocked: bool, by: str,
    reason: str, counts: Counts = "either", from_ms_: int | None = None,
) -> int | None:  # fmt: skip
    """Block or unblock a country from a moment on (None: from now on), in the open transaction.

    Returns None where it holds at once, else the number of the proposal that a second person has
    to approve. Raises BadInput for what is no country, without reason or name, where it is so
    already, and where a proposal of the same waits; Missing for an unknown entity.
    """
    now = time.time_ns() // 1_000_000
    since = now if from_ms_ is None else from_ms_
    code = _checked(country, counts)
    entity_id = _entity(conn, entity)
    payload = {"entity": entity, "country": code, "blocked": blocked, "counts": counts,
               "from_ms": since}  # fmt: skip
    known = jurisdictions(conn).get(entity_id)
    held = known.of(code, max(since, now)) if known else None
    was = held.blocked if held is not None else False
    same = was == blocked and (held is None or not blocked or held.counts == counts)
    if same and (not blocked or (held is not None and held.from_ms <= since)):
        state = "blocked" if blocked else "not blocked"
        raise BadInput("no_change", f"{code} is {state} already in entity {entity}")
    subject = f"entity {entity}: {code} {'blocked' if blocked else 'unblocked'} from" \
              f" {from_ms(since):%Y-%m-%dT%H:%M:%SZ} on"  # fmt: skip
    if not blocked or since < now - EARLY_MS:
        _check_not_proposed(conn, payload)
        return audit.propose(conn, KIND, subject, payload, reason, by)
    if not reason.strip():
        raise BadInput("no_reason", f"{subject}: this needs a reason: give --reason")
    if not by.strip():
        raise BadInput("no_name", f"{subject}: this needs the name of who does it: give --by")
    apply_jurisdiction(conn, {**payload, "reason": reason}, by)
    audit.record(conn, by, "jurisdiction.block", subject, reason.strip(), {"counts": counts})
    return None


def _check_not_proposed(conn: psycopg.Connection[Any], payload: Mapping[str, Any]) -> None:
    for one in audit.pending(conn, KIND):
        if all(one.payload[name] == payload[name] for name in ("entity", "country", "blocked")):
            word = "blocking" if payload["blocked"] else "unblocking"
            raise BadInput("proposed_already", f"{word} {payload['country']} waits for a second"
                           f" person already: proposal {one.id} of {one.proposed_by}"
                           f" ({one.subject}); approve or reject that first")  # fmt: skip


def apply_jurisdiction(
    conn: psycopg.Connection[Any], payload: Mapping[str, Any], by: str
) -> None:  # fmt: skip
    """Write down what was said of a country, and have its clients' commissions looked at again."""
    values = {
        "entity_id": _entity(conn, str(payload["entity"])), "country": payload["country"],
        "blocked": payload["blocked"], "counts": payload["counts"],
        "from": from_ms(int(payload["from_ms"])), "by": " ".join(by.split()),
        "reason": str(payload["reason"]).strip(),
    }  # fmt: skip
    conn.execute(_INSERT, values)
    conn.execute(_TOUCH, values)


def _checked(country: str, counts: str) -> str:
    code = country.strip().upper()
    if not _CODE.fullmatch(code) or code in _HINTS:
        hint = f"; did you mean {_HINTS[code]}?" if code in _HINTS else " such as IR"
        raise BadInput("bad_country", f"{country!r} is not a two-letter code of ISO 3166{hint}")
    if counts not in get_args(Counts):
        raise BadInput("bad_counts", f"{counts!r} is none of {', '.join(get_args(Counts))}")
    return code


def _entity(conn: psycopg.Connection[Any], code: str) -> int:
    row = conn.execute(_ENTITY, (code,)).fetchone()
    if row is None:
        raise Missing("no_entity", f"there is no entity {code!r}: load it first")
    return int(row[0])
