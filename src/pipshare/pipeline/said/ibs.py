"""What is said of introducing brokers: applied, approved, rejected, agreements, terms.

Data that tells of a person is in the fields PERSON only, so that it can be taken out again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import psycopg

from pipshare import db, market, outbox, partners
from pipshare.partners import Agreement, Applicant, Application
from pipshare.period import FOREVER_MS
from pipshare.pipeline.said.people import moment

APPLIED, APPROVED, REJECTED = "ib.applied", "ib.approved", "ib.rejected"
AGREEMENT, TIER = "ib.agreement_changed", "ib.tier_changed"
TYPES = (APPLIED, APPROVED, REJECTED, AGREEMENT, TIER)
PERSON = ("name", "email", "company", "country", "phone", "website")
ACCEPTED, OFFERED = "accepted", "offered"
NOTHING = "none"  # programme of who earns nothing, on purpose
_TERMS = f"""
SELECT t.id, p.id, p.code, p.entity_id, coalesce(g.code, ''), t.card,
       {db.ms("t.valid_from")}, {db.ms("t.valid_to")}, {db.ms("t.recorded_at")}
  FROM plans_terms t
  JOIN partners_partner p ON p.id = t.partner_id
  LEFT JOIN plans_programme g ON g.id = t.programme_id
 WHERE t.id > %s ORDER BY t.id"""


def subject_of(application_id: int | None, code: str = "") -> str:
    """Return what messages about an IB are ordered by: his application, else his code."""
    return f"application:{application_id}" if application_id else f"ib:{code}"


def say_applied(
    conn: psycopg.Connection[Any], one: Application, who: Applicant, told_by: str = ""
) -> None:
    """Say that somebody applied."""
    data = {**_about(one), **_person(who), "parent": one.parent, "currency": one.currency,
            "told_by": told_by}  # fmt: skip
    _say(conn, one.entity_id, APPLIED, str(one.id), subject_of(one.id), one.at_ms, data)


def say_approved(
    conn: psycopg.Connection[Any], one: Application, who: Applicant | None,
    made: partners.Partner, *, parent: str, programme: str, tier: str, told_by: str = "",
) -> None:  # fmt: skip
    """Say that an application was approved, and whom it made a partner."""
    data = {**_about(one), **(_person(who) if who else {}), "partner": made.code, "parent": parent,
            "currency": made.currency, "programme": programme, "tier": tier,
            "told_by": told_by}  # fmt: skip
    _say(conn, one.entity_id, APPROVED, _key(one), subject_of(one.id), one.since_ms, data)


def say_rejected(
    conn: psycopg.Connection[Any], one: Application, who: Applicant | None, told_by: str = ""
) -> None:
    """Say that an application was rejected, and why."""
    data = {**_about(one), "name": who.name if who else "", "reason": one.reason,
            "told_by": told_by}  # fmt: skip
    _say(conn, one.entity_id, REJECTED, _key(one), subject_of(one.id), one.since_ms, data)


def say_accepted(
    conn: psycopg.Connection[Any], one: Application, agreed: Agreement, acceptance_id: int
) -> None:
    """Say that an applicant or partner accepted a version of an agreement."""
    data = {**_about(one), "partner": _code(conn, one.partner_id), **_version(agreed, ACCEPTED)}
    _say(conn, one.entity_id, AGREEMENT, str(acceptance_id), subject_of(one.id), _now(), data)


def say_offered(
    conn: psycopg.Connection[Any], agreed: Agreement, to: Sequence[Application]
) -> None:
    """Say that these partners are to accept a new version of an agreement."""
    if not to or not outbox.wanted(conn).by(agreed.entity_id, AGREEMENT):
        return
    codes = dict(zip(*(partners.all_partners(conn)[name] for name in ("id", "code")), strict=True))
    for one in to:
        data = {**_about(one), "partner": codes.get(one.partner_id, ""),
                **_version(agreed, OFFERED)}  # fmt: skip
        _say(conn, one.entity_id, AGREEMENT, f"{agreed.id}:{one.id}", subject_of(one.id), _now(),
             data)  # fmt: skip


def last_terms(conn: psycopg.Connection[Any]) -> int:
    """Return the number of the newest terms: what say_tiers takes as `since`."""
    row = conn.execute("SELECT coalesce(max(id), 0) FROM plans_terms").fetchone()
    assert row is not None
    return int(row[0])


def say_tiers(conn: psycopg.Connection[Any], since: int, told_by: str = "") -> None:
    """Say which terms were recorded after those numbered `since`, in the caller's transaction."""
    wanted = outbox.wanted(conn)
    if not wanted:
        return
    rows = [row for row in conn.execute(_TERMS, (since,)) if wanted.by(row[3], TIER)]
    if not rows:
        return
    made_by = partners.applications_of(conn, sorted({row[1] for row in rows}))
    known = {number: partners.application(conn, number) for number in set(made_by.values())}
    entities, said = market.entities(conn), []
    for id_, partner_id, code, entity_id, programme, card, start, end, at_ms in rows:
        one = known.get(made_by.get(partner_id, 0))
        data = {
            **(_about(one) if one else {}), "partner": code, "programme": programme or NOTHING,
            "tier": card, "valid_from": moment(start) if start > 0 else "",
            "valid_to": moment(end) if end < FOREVER_MS else "", "told_by": told_by,
        }  # fmt: skip
        subject = subject_of(one.id if one else None, code)
        told = _told(entities[entity_id].code, data)
        said.append((entity_id, TIER, str(id_), subject, at_ms, told))
    outbox.say(conn, pl.DataFrame(said, schema=outbox.MESSAGES, orient="row"))


def _say(
    conn: psycopg.Connection[Any], entity_id: int, kind: str, key: str, subject: str, at_ms: int,
    data: Mapping[str, str],
) -> None:  # fmt: skip
    if not outbox.wanted(conn).by(entity_id, kind):
        return
    told = _told(market.entities(conn)[entity_id].code, data)
    row = (entity_id, kind, key, subject, at_ms, told)
    outbox.say(conn, pl.DataFrame([row], schema=outbox.MESSAGES, orient="row"))


def _told(entity: str, data: Mapping[str, str]) -> str:
    return json.dumps({"entity": entity, **{name: text for name, text in data.items() if text}})


def _about(one: Application) -> dict[str, str]:
    return {"application": str(one.id), "source": one.source, "external": one.external}


def _person(who: Applicant) -> dict[str, str]:
    return {name: getattr(who, name) for name in PERSON}


def _version(agreed: Agreement, status: str) -> dict[str, str]:
    return {"agreement": agreed.code, "version": str(agreed.version), "digest": agreed.digest,
            "status": status}  # fmt: skip


def _key(one: Application) -> str:
    return f"{one.id}:{one.since_ms}"  # one that was rejected may be decided again


def _code(conn: psycopg.Connection[Any], partner_id: int | None) -> str:
    if partner_id is None:
        return ""
    row = conn.execute("SELECT code FROM partners_partner WHERE id = %s", (partner_id,)).fetchone()
    return str(row[0]) if row else ""


def _now() -> int:
    return time.time_ns() // 1_000_000
