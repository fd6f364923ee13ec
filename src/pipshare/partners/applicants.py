"""The persons behind applications, and notes about them: apart, so that they can be erased."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import audit, db
from pipshare.errors import BadInput

MOST_AN_HOUR = 5  # applications from one address
MOST_OF_ALL = 200  # applications in an hour, from wherever
_COLUMNS = "name, email, company, country, phone, website, about, address, agent"
_ADD = f"""
INSERT INTO partners_applicant (application_id, {_COLUMNS})
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_OF = f"SELECT {_COLUMNS} FROM partners_applicant WHERE application_id = %s"
_PEOPLE = (
    f"SELECT application_id, {_COLUMNS} FROM partners_applicant WHERE application_id = ANY(%s)"
)
_LATELY = """
SELECT count(*) FILTER (WHERE w.address = %s AND w.address <> ''), count(*)
  FROM partners_applicant w JOIN partners_application a ON a.id = w.application_id
 WHERE a.source = 'apply' AND w.at > clock_timestamp() - interval '1 hour'"""
_LIKE = """
SELECT o.application_id, array_remove(ARRAY[
       CASE WHEN o.email <> '' AND lower(o.email) = lower(w.email) THEN 'e-mail' END,
       CASE WHEN o.phone <> '' AND o.phone = w.phone THEN 'telephone' END,
       CASE WHEN o.website <> '' AND lower(o.website) = lower(w.website) THEN 'website' END,
       CASE WHEN o.address <> '' AND o.address = w.address THEN 'network address' END,
       CASE WHEN lower(o.name) = lower(w.name) THEN 'name' END], NULL) AS same
  FROM partners_applicant w
  JOIN partners_applicant o ON o.application_id <> w.application_id
   AND (o.email <> '' AND lower(o.email) = lower(w.email)
        OR o.address <> '' AND o.address = w.address
        OR o.phone <> '' AND o.phone = w.phone
        OR o.website <> '' AND lower(o.website) = lower(w.website)
        OR lower(o.name) = lower(w.name))
 WHERE w.application_id = %s ORDER BY o.application_id DESC LIMIT 20"""
_NOTE = "INSERT INTO partners_application_note (application_id, by, note) VALUES (%s, %s, %s)"
_NOTES = f"""
SELECT {db.ms("at")}, by, note FROM partners_application_note
 WHERE application_id = %s ORDER BY id"""
_ERASE = (
    "DELETE FROM partners_applicant WHERE application_id = %(id)s",
    "DELETE FROM partners_application_note WHERE application_id = %(id)s",
    "DELETE FROM partners_acceptance_person WHERE acceptance_id IN"
    " (SELECT id FROM partners_acceptance WHERE application_id = %(id)s)",
)
_TURN = "SELECT pg_advisory_xact_lock(7125, 0)"


@dataclass(frozen=True)
class Applicant:
    """Who applies. `address` and `agent` are those of the request, "" where nobody knows."""

    name: str
    email: str = ""
    company: str = ""
    country: str = ""
    phone: str = ""
    website: str = ""
    about: str = ""
    address: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Note:
    """What somebody found out who screens."""

    at_ms: int
    by: str
    note: str


def store_person(conn: psycopg.Connection[Any], number: int, who: Applicant) -> None:
    """Store the person of an application."""
    conn.execute(_ADD, (number, who.name, who.email, who.company, who.country, who.phone,
                        who.website, who.about, who.address, who.agent[:200]))  # fmt: skip


def person_of(conn: psycopg.Connection[Any], number: int) -> Applicant | None:
    """Return the person of an application, None once he is erased."""
    row = conn.execute(_OF, (number,)).fetchone()
    return Applicant(*row) if row else None


def people_of(conn: psycopg.Connection[Any], numbers: list[int]) -> dict[int, Applicant]:
    """Return the persons of applications by their numbers; who is erased is not among them."""
    return {row[0]: Applicant(*row[1:]) for row in conn.execute(_PEOPLE, (numbers,)).fetchall()}


def is_too_many(conn: psycopg.Connection[Any], address: str) -> bool:
    """Whether so many applications came within the hour that no more is taken from an address.

    Holds others off until the caller's transaction ends, so that two at once are counted.
    """
    conn.execute(_TURN)
    row = conn.execute(_LATELY, (address,)).fetchone()
    assert row is not None
    return bool(row[0] >= MOST_AN_HOUR or row[1] >= MOST_OF_ALL)


def alike(conn: psycopg.Connection[Any], number: int) -> list[tuple[int, list[str]]]:
    """Return the other applications with which this one shares something, and what that is."""
    return [(row[0], list(row[1])) for row in conn.execute(_LIKE, (number,)).fetchall()]


def add_note(conn: psycopg.Connection[Any], number: int, note: str, *, by: str) -> None:
    """Write down what was found out. Raises BadInput for nothing, or too much."""
    note = note.replace("\0", "").strip()
    if not note or len(note) > 4_000:
        raise BadInput("bad_note", "write what you found out, in up to 4000 characters")
    conn.execute(_NOTE, (number, by, note))


def notes(conn: psycopg.Connection[Any], number: int) -> list[Note]:
    """Return the notes about an application, in order."""
    return [Note(*row) for row in conn.execute(_NOTES, (number,)).fetchall()]


def erase_person(conn: psycopg.Connection[Any], number: int, *, by: str, reason: str) -> None:
    """Remove what tells of the person: his data, the notes, his name and address as an acceptor.

    The application, its steps and which version was accepted when stay. Raises BadInput without a
    reason.
    """
    if not reason.strip():
        raise BadInput("no_reason", "say why the person is erased, as: asked for on 23 November")
    for statement in _ERASE:
        conn.execute(statement, {"id": number})
    audit.record(conn, by, "applicant.erased", f"application {number}", reason.strip())
