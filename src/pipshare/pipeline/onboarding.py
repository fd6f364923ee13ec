"""Onboarding: somebody applies, is screened, and becomes a partner with terms, or does not.

Each function does one thing whole, in the caller's transaction: what is recorded, what is made of
it in the tree and in the terms, and what the outside is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import psycopg

from pipshare import market, outbox, partners, plans
from pipshare.errors import BadInput, Conflict
from pipshare.facts.reading import LoadReport, read_fields
from pipshare.money.currencies import is_currency
from pipshare.partners import Agreement, Applicant, Application
from pipshare.partners.agreements import PAGE, PAPER
from pipshare.partners.applications import APPROVED, REJECTED
from pipshare.pipeline.said import ibs

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LINE = re.compile(r"^line 1(?:, field \w+)?[:,] ")
_NUMBERED = re.compile(r"(.*?)([0-9]+)")
_EVERY = 10_000  # partners who are offered a new version, at most, in one go


@dataclass(frozen=True)
class Approval:
    """What an applicant becomes. `parent` "" = nobody above; `programme` "" = no terms yet."""

    code: str
    name: str
    currency: str
    parent: str = ""
    programme: str = ""
    tier: str = "standard"
    reason: str = ""


def apply(
    conn: psycopg.Connection[Any], entity_id: int, who: Applicant, accepted: Sequence[Agreement],
    *, currency: str, parent: str = "", reference: str = "",
) -> Application:  # fmt: skip
    """Take in an application from the public page, with the agreements that were accepted there.

    Raises Conflict where an application has this `reference`: the same form was sent twice.
    """
    one = partners.add_application(conn, entity_id, who, currency=currency, parent=parent,
                                   reference=reference, by="applicant")  # fmt: skip
    ibs.say_applied(conn, one, who)
    for agreed in accepted:
        accept(conn, one, agreed, who.name, address=who.address, agent=who.agent)
    return one


def accept(
    conn: psycopg.Connection[Any], one: Application, agreed: Agreement, name: str, *,
    address: str = "", agent: str = "", by: str = "",
) -> bool:  # fmt: skip
    """Record that an applicant, or the partner he became, accepted a version.

    On the page, or on paper where `by` recorded it. Tells whether that is new.
    """
    made = partners.accept(
        conn, agreed, name=name, way=PAPER if by else PAGE, by=by, application_id=one.id,
        partner_id=one.partner_id, address=address, agent=agent,
    )  # fmt: skip
    if made is not None:
        ibs.say_accepted(conn, one, agreed, made)
    return made is not None


def approve(
    conn: psycopg.Connection[Any], one: Application, what: Approval, *, by: str,
    at_ms: int | None = None, told_by: str = "",
) -> partners.Partner:  # fmt: skip
    """Make an applicant a partner: code, parent, wallet, terms. Returns him.

    Raises BadInput and Conflict that name what will not do; the caller then rolls back.
    """
    entity = market.entities(conn)[one.entity_id].code
    _check(conn, one.entity_id, what)
    _loaded(partners.load_partners(conn, _row("partners", {
        "partner": what.code, "entity": entity, "name": what.name, "currency": what.currency,
        "parent": what.parent,
    }), by=by))  # fmt: skip
    made = partners.partner(conn, what.code, entity)
    since = ibs.last_terms(conn)
    one = partners.add_step(conn, one, APPROVED, by=by, reason=what.reason, partner_id=made.id,
                            at_ms=at_ms)  # fmt: skip
    if what.programme:
        set_terms(conn, made, what.programme, what.tier, by=by, reason="approved")
    ibs.say_approved(conn, one, partners.person_of(conn, one.id), made, parent=what.parent,
                     programme=what.programme, tier=what.tier if what.programme else "",
                     told_by=told_by)  # fmt: skip
    ibs.say_tiers(conn, since, told_by)
    return made


def set_terms(
    conn: psycopg.Connection[Any], who: partners.Partner, programme: str, tier: str, *, by: str,
    reason: str, from_ms: int | None = None,
) -> LoadReport:  # fmt: skip
    """Give a partner terms from a moment on (None: always).

    What contradicts known ones is proposed to two people. Raises BadInput for a programme or a card
    that does not exist.
    """
    row = {"partner": who.code, "entity": who.entity, "programme": programme,
           "card": tier or "standard"}  # fmt: skip
    frame = _row("terms", row)
    if from_ms is not None:
        frame = frame.with_columns(valid_from=pl.lit(from_ms, pl.Int64))
    report = plans.load_terms(conn, frame, by=by, reason=reason)
    _loaded(report)
    return report


def reject(
    conn: psycopg.Connection[Any], one: Application, reason: str, *, by: str,
    at_ms: int | None = None, told_by: str = "",
) -> Application:  # fmt: skip
    """Reject an application for a reason, of which the outside is told. Raises as add_step does."""
    one = partners.add_step(conn, one, REJECTED, by=by, reason=reason, at_ms=at_ms)
    ibs.say_rejected(conn, one, partners.person_of(conn, one.id), told_by)
    return one


def publish(
    conn: psycopg.Connection[Any], entity_id: int, code: str, title: str, text: str, *,
    valid_from_ms: int, by: str,
) -> Agreement:  # fmt: skip
    """Publish a version of an agreement; say that it is offered to every approved applicant."""
    agreed = partners.add_agreement(conn, entity_id, code, title, text, by=by,
                                    valid_from_ms=valid_from_ms)  # fmt: skip
    everyone = partners.applications(conn, states=[APPROVED], entity_id=entity_id, limit=_EVERY)
    ibs.say_offered(conn, agreed, everyone)
    return agreed


def erase(conn: psycopg.Connection[Any], one: Application, *, by: str, reason: str) -> None:
    """Erase the person of an application, here and in what was said of him."""
    partners.erase_person(conn, one.id, by=by, reason=reason)
    outbox.erase_said(conn, ibs.subject_of(one.id), ibs.TYPES, ibs.PERSON)


def to_accept(conn: psycopg.Connection[Any], one: Application, at_ms: int) -> list[Agreement]:
    """Return the agreements in force that an applicant or partner has not accepted yet."""
    done = {each.agreement_id for each in partners.acceptances(
        conn, application_id=one.id, partner_id=one.partner_id)}  # fmt: skip
    return [agreed for agreed in partners.agreements_at(conn, one.entity_id, at_ms)
            if agreed.id not in done]  # fmt: skip


def free_code(conn: psycopg.Connection[Any], entity_id: int) -> str:
    """Return a code for the next partner, after the fashion of those there are."""
    codes = [row[0] for row in conn.execute(
        "SELECT code FROM partners_partner WHERE entity_id = %s ORDER BY id DESC LIMIT 200",
        (entity_id,))]  # fmt: skip
    numbered = [found for code in codes if (found := _NUMBERED.fullmatch(code))]
    if not numbered:
        return "IB-1" if "IB-1" not in codes else ""
    stem = numbered[0][1]
    highest = max(int(found[2]) for found in numbered if found[1] == stem)
    return f"{stem}{str(highest + 1).zfill(len(numbered[0][2]))}"


def _check(conn: psycopg.Connection[Any], entity_id: int, what: Approval) -> None:
    if not _CODE.fullmatch(what.code):
        raise BadInput("bad_code", f"{what.code[:80]!r} cannot be a partner's code: use letters,"
                                   " digits, '-', '_' and '.', up to 64 of them")  # fmt: skip
    if partners.by_typed_code(conn, entity_id, [what.code]):
        raise Conflict("code_taken", f"{what.code} is a partner's code already: choose another")
    if not is_currency(what.currency):
        raise BadInput("bad_currency", f"{what.currency[:20]!r} is no currency: give one as USD")


def _row(kind: str, told: Mapping[str, str]) -> pl.DataFrame:
    """Return one row of a load file: what is read is checked as in any file."""
    cells = {name: [value] for name, value in told.items() if value}
    frame, refused = read_fields(pl.DataFrame({**cells, "line": [1]}), kind)
    if refused:
        raise BadInput(refused[0].code, _LINE.sub("", refused[0].reason))
    return frame


def _loaded(report: LoadReport) -> None:
    """Raise what a load refused."""
    if report.refused:
        raise BadInput(report.refused[0].code, _LINE.sub("", report.refused[0].reason))
