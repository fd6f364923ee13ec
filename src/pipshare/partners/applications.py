"""Applications to become a partner: who asks, what those who screen found, what was decided."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import audit, db
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.partners.applicants import Applicant, store_person

APPLY = "apply"  # the source of what came by the public page
APPLIED, SCREENING, APPROVED, REJECTED, WITHDRAWN = STATES = (
    "applied", "screening", "approved", "rejected", "withdrawn",
)  # fmt: skip
OPEN = (APPLIED, SCREENING)
_NEXT = {
    APPLIED: (SCREENING, APPROVED, REJECTED, WITHDRAWN),
    SCREENING: (APPROVED, REJECTED, WITHDRAWN),
    REJECTED: (SCREENING, APPROVED),
    WITHDRAWN: (SCREENING, APPROVED),
    APPROVED: (),
}
_ADD = """
INSERT INTO partners_application (entity_id, reference, source, external, parent, currency)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id"""
_STEP = """
INSERT INTO partners_application_step (application_id, state, at, partner_id, reason, recorded_by)
VALUES (%s, %s, coalesce(timestamptz 'epoch' + %s * interval '1 ms', clock_timestamp()), %s, %s,
        %s)"""
_FIND = f"""
SELECT a.id, a.entity_id, a.reference, a.source, a.external, a.parent, a.currency,
       {db.ms("f.at")}, s.state, {db.ms("s.at")}, s.reason, s.recorded_by,
       (SELECT max(partner_id) FROM partners_application_step p
         WHERE p.application_id = a.id) AS partner_id
  FROM partners_application a
 CROSS JOIN LATERAL (SELECT state, at, reason, recorded_by FROM partners_application_step
                      WHERE application_id = a.id ORDER BY at DESC, id DESC LIMIT 1) s
 CROSS JOIN LATERAL (SELECT at FROM partners_application_step
                      WHERE application_id = a.id ORDER BY at, id LIMIT 1) f
  LEFT JOIN partners_applicant w ON w.application_id = a.id"""
_MANY = f"""{_FIND}
 WHERE (%(state)s::text[] IS NULL OR s.state = ANY(%(state)s::text[]))
   AND (%(entity)s::int IS NULL OR a.entity_id = %(entity)s)
   AND (%(before)s::int IS NULL OR a.id < %(before)s)
   AND (%(parents)s::text[] IS NULL OR a.parent = ANY(%(parents)s::text[]))
   AND (%(text)s::text IS NULL OR strpos(lower(concat_ws(' ', w.name, w.email, w.company,
        w.website, a.parent, a.external)), lower(%(text)s)) > 0)
 ORDER BY a.id DESC LIMIT %(limit)s"""
_COUNTS = """
SELECT s.state, count(*) FROM partners_application a
 CROSS JOIN LATERAL (SELECT state FROM partners_application_step
                      WHERE application_id = a.id ORDER BY at DESC, id DESC LIMIT 1) s
 WHERE (%(parents)s::text[] IS NULL OR a.parent = ANY(%(parents)s::text[])) GROUP BY 1"""
_STEPS = f"""
SELECT state, {db.ms("at")}, reason, recorded_by, {db.ms("recorded_at")}
  FROM partners_application_step WHERE application_id = %s ORDER BY at, id"""
_HOLD = "SELECT pg_advisory_xact_lock(7123, %s)"
_OF_PARTNER = """
SELECT DISTINCT ON (partner_id) partner_id, application_id FROM partners_application_step
 WHERE partner_id = ANY(%s::int[]) ORDER BY partner_id, application_id"""


@dataclass(frozen=True)
class Application:
    """An application as it stands. Moments are UTC ms; `partner_id` is whom it made a partner."""

    id: int
    entity_id: int
    reference: str
    source: str
    external: str
    parent: str
    currency: str
    at_ms: int
    state: str
    since_ms: int
    reason: str
    by: str
    partner_id: int | None


@dataclass(frozen=True)
class Step:
    """A state that an application came to; `at_ms` when it happened, `recorded_ms` when told."""

    state: str
    at_ms: int
    reason: str
    by: str
    recorded_ms: int


def add_application(
    conn: psycopg.Connection[Any], entity_id: int, who: Applicant, *, currency: str,
    parent: str = "", source: str = APPLY, external: str = "", at_ms: int | None = None,
    reference: str = "", by: str = "",
) -> Application:  # fmt: skip
    """Store an application and the person apart from it, in state applied.

    `reference` is one that cannot be guessed; without it one is made. Raises Conflict when there is
    one of this reference, or the source told of this `external` id before.
    """
    reference = reference or secrets.token_urlsafe(18)
    told = (entity_id, reference, source, external, parent, currency)
    row = conn.execute(_ADD, told).fetchone()
    if row is None:
        which = f"{source} told of the application of {external!r}" if external else "it was sent"
        raise Conflict("application_exists", f"{which} before")
    store_person(conn, row[0], who)
    conn.execute(_STEP, (row[0], APPLIED, at_ms, None, "", by))
    return application(conn, row[0])


def add_step(
    conn: psycopg.Connection[Any], one: Application, state: str, *, by: str, reason: str = "",
    partner_id: int | None = None, at_ms: int | None = None,
) -> Application:  # fmt: skip
    """Bring an application to another state, in the caller's transaction.

    Raises Conflict where it cannot come to it from where it is now, BadInput for a rejection
    without a reason.
    """
    conn.execute(_HOLD, (one.id,))
    now = application(conn, one.id)
    if state not in _NEXT[now.state]:
        raise Conflict("bad_state", f"application {one.id} is {now.state}: it cannot become"
                                    f" {state}")  # fmt: skip
    reason = " ".join(reason.replace("\0", "").split())[:400]
    if state == REJECTED and not reason:
        raise BadInput("no_reason", "say why the application is rejected: the applicant's CRM is"
                                    " told, and so is who looks at it later")  # fmt: skip
    conn.execute(_STEP, (one.id, state, at_ms, partner_id, reason, by))
    audit.record(conn, by, f"application.{state}", f"application {one.id}", reason)
    return application(conn, one.id)


def application(conn: psycopg.Connection[Any], number: int) -> Application:
    """Return one application by its number. Raises Missing."""
    return _one(conn, "a.id = %s", number, f"there is no application {number}")


def application_by_reference(conn: psycopg.Connection[Any], reference: str) -> Application:
    """Return the application that a reference opens. Raises Missing."""
    return _one(conn, "a.reference = %s", reference, "there is no such application")


def application_by_external(
    conn: psycopg.Connection[Any], source: str, external: str
) -> Application | None:
    """Return the application that a source told of under its own id, None when it did not."""
    query = f"{_FIND} WHERE a.source = %s AND a.external = %s AND a.external <> ''"
    row = conn.execute(query, (source, external)).fetchone()
    return Application(*row) if row else None


def applications(
    conn: psycopg.Connection[Any], *, states: Sequence[str] | None = None,
    entity_id: int | None = None, text: str = "", before: int | None = None,
    parents: Sequence[str] | None = None, limit: int = 50,
) -> list[Application]:  # fmt: skip
    """Return applications, newest first; `parents` limits to those brought by these codes."""
    told = {
        "state": None if states is None else list(states), "entity": entity_id,
        "text": text or None, "before": before, "limit": limit,
        "parents": None if parents is None else list(parents),
    }  # fmt: skip
    return [Application(*row) for row in conn.execute(_MANY, told).fetchall()]


def count_applications(
    conn: psycopg.Connection[Any], parents: Sequence[str] | None = None
) -> dict[str, int]:
    """Return how many applications are in each state; absent: none."""
    told = {"parents": None if parents is None else list(parents)}
    return dict(conn.execute(_COUNTS, told).fetchall())


def steps(conn: psycopg.Connection[Any], number: int) -> list[Step]:
    """Return what happened to an application, in order of time."""
    return [Step(*row) for row in conn.execute(_STEPS, (number,)).fetchall()]


def applications_of(conn: psycopg.Connection[Any], partner_ids: Sequence[int]) -> dict[int, int]:
    """Return the number of the application that made each of these partners, where one did."""
    return dict(conn.execute(_OF_PARTNER, (list(partner_ids),)).fetchall())


def _one(conn: psycopg.Connection[Any], where: str, value: int | str, sentence: str) -> Application:
    row = conn.execute(f"{_FIND} WHERE {where}", (value,)).fetchone()
    if row is None:
        raise Missing("no_application", sentence)
    return Application(*row)
