"""Introducing brokers whom a CRM tells of: they apply, are approved, rejected, change tier.

An IB is known by (source, the CRM's id of him). What came last holds, whatever order it arrives in;
the same again changes nothing. Who is new appears at once; what would move somebody whom we know,
another parent or other terms, is proposed to two people; what contradicts us is refused and shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import polars as pl
import psycopg

from pipshare import market, partners
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.facts.reading import read_fields
from pipshare.partners import Applicant, Application
from pipshare.partners.applications import APPROVED, OPEN, REJECTED
from pipshare.period import to_ms
from pipshare.pipeline import onboarding
from pipshare.pipeline.crm.rows import NOTED, PROPOSED, REFUSED, WAITS, Row
from pipshare.pipeline.onboarding import Approval
from pipshare.pipeline.said import ibs

NEW, REPEATED, OLDER = "new", "repeated", "older"
UNKNOWN_IB = "unknown_ib"  # inbox takes up what waits for him once he is a partner
_PERSON = ("name", "email", "company", "country", "phone", "website")
KINDS = (ibs.APPLIED, ibs.APPROVED, ibs.REJECTED, ibs.TIER)
Outcome = tuple[str, str, str]


def take(conn: psycopg.Connection[Any], row: Row) -> Outcome:
    """Take in what a CRM says of an IB, in the transaction that settles: nothing, or all of it."""
    source, _ = row.event
    try:
        with conn.transaction():
            one = partners.application_by_external(conn, source, row.item.fields["ib"])
            return _TAKES[row.kind](conn, row, one)
    except (BadInput, Conflict, Missing) as error:
        return REFUSED, error.code, error.message


def _applied(conn: psycopg.Connection[Any], row: Row, one: Application | None) -> Outcome:
    if one is not None:
        return REPEATED, "", f"it is application {one.id}, which is {one.state}"
    one = _add(conn, row)
    who = partners.person_of(conn, one.id)
    assert who is not None
    ibs.say_applied(conn, one, who, _source(row))
    return NEW, "", f"it is application {one.id}: it is to be decided"


def _approved(conn: psycopg.Connection[Any], row: Row, one: Application | None) -> Outcome:
    told = row.item.fields
    if one is not None and one.state == APPROVED:
        return _again(conn, row, one)
    if one is not None and one.state not in OPEN and one.since_ms > _at(conn, row):
        return OLDER, "", f"application {one.id} became {one.state} after it"
    parent = _who(conn, row, told.get("parent", ""))
    if parent is None:
        return _wait(row, told["parent"])
    code = told.get("partner") or told["ib"]
    if _is_code(conn, row, code):
        return _joined(conn, row, one or _add(conn, row), code, parent)
    one = one or _add(conn, row)
    what = Approval(
        code, told.get("name", ""), told.get("currency") or one.currency, parent,
        told.get("programme", ""), told.get("tier") or "standard",
    )  # fmt: skip
    made = onboarding.approve(conn, one, what, by=row.by, at_ms=_decided(conn, row, one),
                              told_by=_source(row))  # fmt: skip
    return NEW, "", f"partner {made.code} is made, by application {one.id}"


def _joined(
    conn: psycopg.Connection[Any], row: Row, one: Application, code: str, parent: str
) -> Outcome:
    """Note that a partner whom we know is this IB of the CRM."""
    made = partners.partner(conn, code, row.entity)
    if partners.applications_of(conn, [made.id]):
        raise Conflict("code_taken", f"partner {code} is another introducing broker's: let the CRM"
                                     " tell another code")  # fmt: skip
    partners.add_step(conn, one, APPROVED, by=row.by, partner_id=made.id,
                      at_ms=_decided(conn, row, one))  # fmt: skip
    outcome = _compared(conn, row, made, parent)
    return outcome or (NOTED, "", f"he is partner {code}, whom we know")


def _again(conn: psycopg.Connection[Any], row: Row, one: Application) -> Outcome:
    """Compare what is told of a partner with what we know of him."""
    assert one.partner_id is not None
    made = partners.partner(conn, _code_of(conn, one.partner_id), row.entity)
    code = row.item.fields.get("partner")
    if code and code != made.code:
        return REFUSED, "other_code", (f"he is partner {made.code} here, and codes do not change:"
                                       f" let the CRM tell {made.code}, not {code}")  # fmt: skip
    parent = _who(conn, row, row.item.fields.get("parent", ""))
    if parent is None:
        return _wait(row, row.item.fields["parent"])
    return _compared(conn, row, made, parent) or (REPEATED, "", f"he is partner {made.code}")


def _compared(
    conn: psycopg.Connection[Any], row: Row, made: partners.Partner, parent: str
) -> Outcome | None:
    """Propose another parent, and other terms; None where nothing differs."""
    told, numbers = row.item.fields, []
    if parent:
        cells = {"partner": [made.code], "entity": [made.entity], "parent": [parent], "line": [1]}
        at = pl.lit(_at(conn, row), pl.Int64)
        frame, _ = read_fields(pl.DataFrame(cells), "partners")
        above = _parent_of(conn, made.id, _at(conn, row))
        if above != parent:
            report = partners.load_partners(
                conn, frame.with_columns(valid_from=at), by=row.by,
                reason=f"{row.by} says that {parent} is above him",
            )  # fmt: skip
            if report.refused:
                raise Conflict(report.refused[0].code, report.refused[0].reason)
            numbers += report.proposed
    if told.get("programme") or told.get("tier"):
        outcome = _terms(conn, row, made)
        if outcome[0] == PROPOSED:
            numbers.append(int(outcome[1]))
    if not numbers:
        return None
    which = ", ".join(map(str, numbers))
    return PROPOSED, "moves", f"two people decide: proposal {which}, see `pipshare proposals`"


def _rejected(conn: psycopg.Connection[Any], row: Row, one: Application | None) -> Outcome:
    reason = row.item.fields.get("reason") or f"{row.by} says so"
    if one is None:
        one = _add(conn, row, before=True)
    if one.state == REJECTED:
        return REPEATED, "", f"application {one.id} is rejected"
    if one.state not in OPEN and one.since_ms > _at(conn, row):
        return OLDER, "", f"application {one.id} became {one.state} after it"
    if one.state == APPROVED:
        made = _code_of(conn, one.partner_id or 0)
        raise Conflict("approved_here", f"he is partner {made} here: where he is to end, load his"
                                        " status suspended or terminated (pipshare load"
                                        " partners)")  # fmt: skip
    onboarding.reject(conn, one, reason, by=row.by, at_ms=_decided(conn, row, one),
                      told_by=_source(row))  # fmt: skip
    return NEW, "", f"application {one.id} is rejected"


def _tier_changed(conn: psycopg.Connection[Any], row: Row, one: Application | None) -> Outcome:
    named = row.item.fields.get("partner") or row.item.fields["ib"]
    if one is not None and one.partner_id is not None:
        code: str | None = _code_of(conn, one.partner_id)
    else:
        code = _who(conn, row, named)
    if code is None:
        return _wait(row, named)
    made = partners.partner(conn, code, row.entity)
    outcome, number, detail = _terms(conn, row, made)
    return outcome, "moves" if number else "", detail


def _terms(conn: psycopg.Connection[Any], row: Row, made: partners.Partner) -> Outcome:
    """Give a partner the terms that are told; the second text is the proposal's number, or ""."""
    told, at_ms = row.item.fields, _moment(conn, row, "effective_at")
    now = conn.execute(_NOW_TERMS, {"partner": made.id, "at": at_ms}).fetchone()
    programme = told.get("programme") or (str(now[0]) if now else "")
    if not programme:
        raise BadInput("no_programme", f"partner {made.code} has no terms, and no programme is"
                                       " told: map one, or load his terms first")  # fmt: skip
    tier = told.get("tier") or "standard"
    if now and (str(now[0]), str(now[1])) == (programme, tier):
        return REPEATED, "", f"partner {made.code} has these terms then"
    since = ibs.last_terms(conn)
    report = onboarding.set_terms(
        conn, made, programme, tier, by=row.by, from_ms=at_ms,
        reason=told.get("reason") or f"{row.by} says so",
    )  # fmt: skip
    ibs.say_tiers(conn, since, _source(row))
    if report.proposed:
        number = str(report.proposed[0])
        return PROPOSED, number, f"two people decide: proposal {number}, see `pipshare proposals`"
    return NEW, "", f"partner {made.code} has programme {programme}, tier {tier} from then on"


def _add(conn: psycopg.Connection[Any], row: Row, *, before: bool = False) -> Application:
    """Store an application that the CRM tells of; `before`: it is older than what is told."""
    told = row.item.fields
    [entity] = [one for one in market.entities(conn).values() if one.code == row.entity]
    who = Applicant(**{name: told.get(name, "") for name in _PERSON} | {
        "name": told.get("name") or f"{_source(row)} {told['ib']}"})  # fmt: skip
    return partners.add_application(
        conn, entity.id, who, currency=told.get("currency") or entity.currency,
        parent=told.get("parent", ""), source=_source(row), external=told["ib"],
        at_ms=_at(conn, row) - int(before), by=row.by,
    )  # fmt: skip


def _source(row: Row) -> str:
    return row.event[0]


def _decided(conn: psycopg.Connection[Any], row: Row, one: Application) -> int:
    """Return when it was decided; not before somebody here began to look into it."""
    return max(_at(conn, row), one.since_ms + 1)  # its microseconds are cut off


def _at(conn: psycopg.Connection[Any], row: Row) -> int:
    return _moment(conn, row, "at")


def _moment(conn: psycopg.Connection[Any], row: Row, name: str) -> int:
    """Return a moment of a row in UTC ms; a date alone is the start of the entity's day."""
    text = row.item.fields.get(name) or row.item.fields["at"]
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        clocks = market.day_clocks(conn, "events")
        frame, refused = read_fields(
            pl.DataFrame({"event": ["e"], "kind": ["deposit"], "at": [text],
                          "entity": [row.entity], "line": [1]}), "events", clocks,
        )  # fmt: skip
        if refused:
            raise BadInput(refused[0].code, refused[0].reason)
        return int(frame["at"][0])
    return to_ms(at)


def _who(conn: psycopg.Connection[Any], row: Row, named: str) -> str | None:
    """Return the code of the partner with this code, or with this id in the CRM; None = nobody."""
    if not named or _is_code(conn, row, named):
        return named
    known = partners.application_by_external(conn, _source(row), named)
    return _code_of(conn, known.partner_id) if known and known.partner_id else None


def _wait(row: Row, named: str) -> Outcome:
    return WAITS, UNKNOWN_IB, f"{_source(row)}: {named}"


def _is_code(conn: psycopg.Connection[Any], row: Row, code: str) -> bool:
    return conn.execute(_KNOWN, (row.entity, code)).fetchone() is not None


def _code_of(conn: psycopg.Connection[Any], partner_id: int) -> str:
    row = conn.execute("SELECT code FROM partners_partner WHERE id = %s", (partner_id,)).fetchone()
    return str(row[0]) if row else ""


def _parent_of(conn: psycopg.Connection[Any], partner_id: int, at_ms: int) -> str:
    row = conn.execute(_ABOVE, {"partner": partner_id, "at": at_ms}).fetchone()
    return str(row[0]) if row and row[0] else ""


_KNOWN = """
SELECT p.code FROM partners_partner p JOIN market_entity e ON e.id = p.entity_id
 WHERE e.code = %s AND p.code = %s"""
_ABOVE = """
SELECT a.code FROM partners_parent r LEFT JOIN partners_partner a ON a.id = r.parent_id
 WHERE r.partner_id = %(partner)s
   AND r.valid_from <= timestamptz 'epoch' + %(at)s * interval '1 ms'
   AND r.valid_to > timestamptz 'epoch' + %(at)s * interval '1 ms'
 ORDER BY r.id DESC LIMIT 1"""
_NOW_TERMS = """
SELECT coalesce(g.code, 'none'), t.card
  FROM plans_terms t LEFT JOIN plans_programme g ON g.id = t.programme_id
 WHERE t.partner_id = %(partner)s
   AND t.valid_from <= timestamptz 'epoch' + %(at)s * interval '1 ms'
   AND t.valid_to > timestamptz 'epoch' + %(at)s * interval '1 ms'
 ORDER BY t.id DESC LIMIT 1"""
_TAKES: Mapping[str, Callable[[psycopg.Connection[Any], Row, Application | None], Outcome]] = {
    ibs.APPLIED: _applied, ibs.APPROVED: _approved, ibs.REJECTED: _rejected,
    ibs.TIER: _tier_changed,
}  # fmt: skip
