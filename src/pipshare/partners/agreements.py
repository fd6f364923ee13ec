"""Agreements in versions, and who accepted which: when, from where, and the hash of its text."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import audit, db
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.period import FOREVER_MS

PAGE, PAPER, CRM = "page", "paper", "crm"
MOST_TEXT = 200_000  # characters
_CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")
_FOUND = f"""
SELECT id, entity_id, code, version, title, text, digest, {db.ms("valid_from")}, recorded_by
  FROM partners_agreement WHERE entity_id = %s ORDER BY code, version DESC"""
_NOW = f"""
SELECT DISTINCT ON (code)
       id, entity_id, code, version, title, text, digest, {db.ms("valid_from")}, recorded_by
  FROM partners_agreement
 WHERE entity_id = %s AND valid_from <= timestamptz 'epoch' + %s * interval '1 ms'
 ORDER BY code, version DESC"""
_ADD = """
INSERT INTO partners_agreement (entity_id, code, version, title, text, digest, valid_from,
                                recorded_by)
VALUES (%s, %s, %s, %s, %s, %s, timestamptz 'epoch' + %s * interval '1 ms', %s) RETURNING id"""
_ACCEPT = """
INSERT INTO partners_acceptance (agreement_id, application_id, partner_id, digest, way, recorded_by)
SELECT %(agreement)s, %(application)s, %(partner)s, %(digest)s, %(way)s, %(by)s
 WHERE NOT EXISTS (SELECT 1 FROM partners_acceptance
                    WHERE agreement_id = %(agreement)s
                      AND (application_id = %(application)s OR partner_id = %(partner)s))
RETURNING id"""
_WHO = """
INSERT INTO partners_acceptance_person (acceptance_id, name, address, agent)
VALUES (%s, %s, %s, %s)"""
_ACCEPTED = f"""
SELECT c.id, a.id, a.code, a.version, a.title, c.digest, c.application_id, c.partner_id, c.way,
       {db.ms("c.at")}, c.recorded_by, coalesce(p.name, ''), coalesce(p.address, '')
  FROM partners_acceptance c
  JOIN partners_agreement a ON a.id = c.agreement_id
  LEFT JOIN partners_acceptance_person p ON p.acceptance_id = c.id
 WHERE (%(application)s::int IS NULL AND %(partner)s::int IS NULL AND %(agreement)s::int IS NULL
        OR c.application_id = %(application)s OR c.partner_id = %(partner)s
        OR c.agreement_id = %(agreement)s)
 ORDER BY c.id DESC LIMIT %(limit)s"""
_TURN = "SELECT pg_advisory_xact_lock(7124, %s)"


@dataclass(frozen=True)
class Agreement:
    """A version of an agreement. `digest` is the SHA-256 of `text` in UTF-8, in hex."""

    id: int
    entity_id: int
    code: str
    version: int
    title: str
    text: str
    digest: str
    valid_from_ms: int
    by: str


@dataclass(frozen=True)
class Acceptance:
    """Somebody accepted a version. `name` and `address` are "" once the person is erased."""

    id: int
    agreement_id: int
    code: str
    version: int
    title: str
    digest: str
    application_id: int | None
    partner_id: int | None
    way: str
    at_ms: int
    by: str
    name: str
    address: str


def add_agreement(
    conn: psycopg.Connection[Any], entity_id: int, code: str, title: str, text: str,
    *, valid_from_ms: int, by: str,
) -> Agreement:  # fmt: skip
    """Publish the next version of an agreement; it is offered from `valid_from_ms` (UTC) on.

    Raises BadInput for what cannot be published, Conflict for a text that is the newest one's.
    """
    text = "\n".join(line.rstrip() for line in text.replace("\0", "").splitlines()).strip()
    title = " ".join(title.split())
    if not _CODE.fullmatch(code):
        raise BadInput("bad_code", f"{code[:60]!r} cannot name an agreement: use small letters,"
                                   " digits and '-', as partner or privacy")  # fmt: skip
    if not text or len(text) > MOST_TEXT:
        raise BadInput("bad_text", f"the text has {len(text)} characters: 1 to {MOST_TEXT}")
    if not title or len(title) > 200:
        raise BadInput("bad_title", "give the agreement a title of up to 200 characters")
    if not 0 <= valid_from_ms < FOREVER_MS:
        raise BadInput("bad_moment", "an agreement is valid from a day between 1970 and 2109")
    conn.execute(_TURN, (entity_id,))
    before = [one for one in agreements(conn, entity_id) if one.code == code]
    digest = hashlib.sha256(text.encode()).hexdigest()
    if before and (before[0].digest, before[0].title) == (digest, title):
        raise Conflict("same_agreement", f"version {before[0].version} of {code} has this text:"
                                         " there is nothing to publish")  # fmt: skip
    if before and valid_from_ms < before[0].valid_from_ms:
        raise BadInput("bad_moment", f"version {before[0].version} of {code} begins later: let the"
                                     " new one begin after it")  # fmt: skip
    version = before[0].version + 1 if before else 1
    told = (entity_id, code, version, title, text, digest, valid_from_ms, by)
    row = conn.execute(_ADD, told).fetchone()
    assert row is not None
    detail = {"version": version, "digest": digest}
    audit.record(conn, by, "agreement.published", code, detail=detail)
    return Agreement(row[0], entity_id, code, version, title, text, digest, valid_from_ms, by)


def agreements(conn: psycopg.Connection[Any], entity_id: int) -> list[Agreement]:
    """Return all versions of an entity's agreements, by code, the newest version first."""
    return [Agreement(*row) for row in conn.execute(_FOUND, (entity_id,)).fetchall()]


def agreements_at(conn: psycopg.Connection[Any], entity_id: int, at_ms: int) -> list[Agreement]:
    """Return the version of each agreement of an entity that holds at a moment (UTC ms)."""
    return [Agreement(*row) for row in conn.execute(_NOW, (entity_id, at_ms)).fetchall()]


def agreement(
    conn: psycopg.Connection[Any], entity_id: int, code: str, version: int | None = None
) -> Agreement:
    """Return one version, the newest without one. Raises Missing."""
    for one in agreements(conn, entity_id):
        if one.code == code and version in (None, one.version):
            return one
    which = f"version {version} of agreement" if version else "agreement"
    raise Missing("no_agreement", f"there is no {which} {code[:60]!r}: pipshare agreement list")


def accept(
    conn: psycopg.Connection[Any], one: Agreement, *, name: str, way: str, by: str = "",
    application_id: int | None = None, partner_id: int | None = None, address: str = "",
    agent: str = "",
) -> int | None:  # fmt: skip
    """Record that somebody accepted a version; return the acceptance, None when it was before.

    `way` is PAGE, PAPER or CRM; `by` who recorded what was accepted elsewhere.
    """
    told = {
        "agreement": one.id, "application": application_id, "partner": partner_id,
        "digest": one.digest, "way": way, "by": by,
    }  # fmt: skip
    row = conn.execute(_ACCEPT, told).fetchone()
    if row is None:
        return None
    conn.execute(_WHO, (row[0], name[:200], address, agent[:200]))
    return int(row[0])


def acceptances(
    conn: psycopg.Connection[Any], *, application_id: int | None = None,
    partner_id: int | None = None, agreement_id: int | None = None, limit: int = 500,
) -> list[Acceptance]:  # fmt: skip
    """Return acceptances that name any of these, newest first; of everybody without one."""
    told = {"application": application_id, "partner": partner_id, "agreement": agreement_id,
            "limit": limit}  # fmt: skip
    return [Acceptance(*row) for row in conn.execute(_ACCEPTED, told).fetchall()]
