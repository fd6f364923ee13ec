"""Applications and agreements: what is kept, what may follow what, and what erasing removes."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import psycopg
import pytest

from pipshare import partners
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.partners import Applicant

SOFIA = Applicant("Sofia Marques", "sofia@ib.example", country="PT", address="198.51.100.7")


def _entity(conn: psycopg.Connection[Any]) -> int:
    row = conn.execute("SELECT id FROM market_entity ORDER BY id LIMIT 1").fetchone()
    assert row is not None
    return int(row[0])


def _applied(conn: psycopg.Connection[Any], who: Applicant = SOFIA, **given: Any) -> Any:
    return partners.add_application(conn, _entity(conn), who, currency="USD", **given)


def test_an_application_comes_with_its_person_apart(db: Any) -> None:
    with db.app() as conn:
        one = _applied(conn, parent="MASTER")
        assert (one.state, one.source, one.parent, one.partner_id) == (
            "applied", "apply", "MASTER", None)  # fmt: skip
        assert len(one.reference) >= 22
        assert partners.application_by_reference(conn, one.reference) == one
        assert partners.person_of(conn, one.id) == SOFIA
        assert partners.applications(conn, text="SOFIA@") == [one]
        assert partners.applications(conn, text="nobody") == []
        assert partners.applications(conn, parents=["OTHER"]) == []
        assert partners.count_applications(conn) == {"applied": 1}
        with pytest.raises(Missing):
            partners.application_by_reference(conn, "guessed")


def test_steps_follow_each_other_as_they_may(db: Any) -> None:
    with db.app() as conn:
        one = _applied(conn)
        one = partners.add_step(conn, one, "screening", by="anna")
        with pytest.raises(BadInput, match="say why"):
            partners.add_step(conn, one, "rejected", by="anna")
        one = partners.add_step(conn, one, "rejected", by="anna", reason="no licence")
        assert (one.state, one.reason, one.by) == ("rejected", "no licence", "anna")
        with pytest.raises(Conflict, match="is rejected: it cannot become withdrawn"):
            partners.add_step(conn, one, "withdrawn", by="anna")
        one = partners.add_step(conn, one, "screening", by="ben", reason="he sent it")
        assert [step.state for step in partners.steps(conn, one.id)] == [
            "applied", "screening", "rejected", "screening"]  # fmt: skip


def test_what_a_crm_tells_twice_is_one_application(db: Any) -> None:
    with db.app() as conn:
        one = _applied(conn, source="crm", external="77")
        assert partners.application_by_external(conn, "crm", "77") == one
        assert partners.application_by_external(conn, "other", "77") is None
        with pytest.raises(Conflict):
            _applied(conn, source="crm", external="77")


def test_agreements_have_versions_and_the_hash_of_their_text(db: Any) -> None:
    now = time.time_ns() // 1_000_000
    with db.app() as conn:
        entity = _entity(conn)
        first = partners.add_agreement(
            conn, entity, "partner", "IB agreement", "We pay. \r\nYou behave.\n\n",
            valid_from_ms=now - 1000, by="anna",
        )  # fmt: skip
        assert first.text == "We pay.\nYou behave."
        assert first.digest == hashlib.sha256(b"We pay.\nYou behave.").hexdigest()
        with pytest.raises(Conflict, match="version 1 of partner has this text"):
            partners.add_agreement(conn, entity, "partner", "IB agreement", first.text,
                                   valid_from_ms=now, by="anna")  # fmt: skip
        later = partners.add_agreement(
            conn, entity, "partner", "IB agreement", "We pay less.", valid_from_ms=now + 10**6,
            by="anna",
        )  # fmt: skip
        assert later.version == 2
        assert partners.agreements_at(conn, entity, now) == [first]
        assert partners.agreements_at(conn, entity, now + 10**6) == [later]
        assert partners.agreement(conn, entity, "partner") == later
        with pytest.raises(BadInput, match="begins later"):
            partners.add_agreement(conn, entity, "partner", "IB agreement", "We pay more.",
                                   valid_from_ms=now, by="anna")  # fmt: skip
        with pytest.raises(BadInput, match="small letters"):
            partners.add_agreement(conn, entity, "Partner!", "x", "y", valid_from_ms=0, by="a")


def test_erasing_removes_the_person_and_keeps_what_was_agreed(db: Any) -> None:
    with db.app() as conn:
        one = _applied(conn)
        agreed = partners.add_agreement(
            conn, one.entity_id, "partner", "IB agreement", "We pay.", valid_from_ms=0, by="anna"
        )
        told = {"name": "Sofia Marques", "way": "page", "application_id": one.id,
                "address": "198.51.100.7"}  # fmt: skip
        assert partners.accept(conn, agreed, **told) is not None
        assert partners.accept(conn, agreed, **told) is None
        partners.add_note(conn, one.id, "Her licence is number 12.", by="ben")
        [accepted] = partners.acceptances(conn, application_id=one.id)
        assert (accepted.name, accepted.address) == ("Sofia Marques", "198.51.100.7")
        with pytest.raises(BadInput, match="say why"):
            partners.erase_person(conn, one.id, by="ben", reason=" ")
        partners.erase_person(conn, one.id, by="ben", reason="she asked for it")
        assert partners.person_of(conn, one.id) is None
        assert partners.notes(conn, one.id) == []
        [accepted] = partners.acceptances(conn, application_id=one.id)
        assert (accepted.name, accepted.address, accepted.digest) == ("", "", agreed.digest)
        assert partners.application(conn, one.id).state == "applied"


def test_what_applications_share_is_found(db: Any) -> None:
    with db.app() as conn:
        first = _applied(conn)
        other = _applied(conn, Applicant("S. Marques", "SOFIA@ib.example"))
        assert partners.alike(conn, other.id) == [(first.id, ["e-mail"])]
        _applied(conn, Applicant("Ben", "ben@ib.example"))
        assert partners.alike(conn, other.id) == [(first.id, ["e-mail"])]


def test_five_applications_an_hour_from_an_address(db: Any) -> None:
    with db.app() as conn:
        for number in range(5):
            assert not partners.is_too_many(conn, SOFIA.address)
            _applied(conn, Applicant(f"P{number}", address=SOFIA.address))
        assert partners.is_too_many(conn, SOFIA.address)
        assert not partners.is_too_many(conn, "198.51.100.8")
        assert not partners.is_too_many(conn, "")
