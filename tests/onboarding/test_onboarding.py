"""From application to partner: what is made, what is said, and what cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.onboarding.onboarding_world import SOFIA, World

from pipshare import partners
from pipshare.errors import BadInput, Conflict
from pipshare.pipeline import onboarding
from pipshare.pipeline.loads import approve as approve_proposal
from pipshare.pipeline.onboarding import Approval
from pipshare.tracking.catalogue import TYPES

GOLD = Approval("IB-1", "Sofia Marques", "EUR", "MASTER", "standard-plan", "gold")


@pytest.fixture
def world(db: Any, tmp_path: Any) -> Iterator[World]:
    """A broker, on a database of his own."""
    with db.app() as conn:
        yield World(conn, tmp_path)


def test_an_applicant_becomes_a_partner_with_parent_and_terms(world: World) -> None:
    agreed = world.agreement()
    one = world.apply(agreed=[agreed])
    made = onboarding.approve(world.conn, one, GOLD, by="anna")
    assert (made.code, made.name, made.currency) == ("IB-1", "Sofia Marques", "EUR")
    above = world.conn.execute(
        "SELECT p.code FROM partners_parent r JOIN partners_partner p ON p.id = r.parent_id"
        " WHERE r.partner_id = %s", (made.id,)).fetchall()  # fmt: skip
    assert above == [("MASTER",)]
    terms = world.conn.execute("SELECT card FROM plans_terms WHERE partner_id = %s", (made.id,))
    assert terms.fetchall() == [("gold",)]
    one = partners.application(world.conn, one.id)
    assert (one.state, one.partner_id, one.by) == ("approved", made.id, "anna")
    assert partners.applications_of(world.conn, [made.id]) == {made.id: one.id}


def test_what_happens_is_said_in_order_under_one_subject(world: World) -> None:
    agreed = world.agreement()
    one = world.apply(agreed=[agreed])
    onboarding.approve(world.conn, one, GOLD, by="anna")
    said = world.said()
    assert [kind for kind, _, _ in said] == [
        "ib.applied", "ib.agreement_changed", "ib.approved", "ib.tier_changed"]  # fmt: skip
    assert {subject for _, subject, _ in said} == {f"application:{one.id}"}
    told = {kind: data for kind, _, data in said}
    for kind, data in told.items():
        known = TYPES[kind]
        assert set(known.needs) <= set(data) <= {*known.needs, *known.may}, kind
        assert "198.51.100.7" not in str(data)
    assert told["ib.applied"]["email"] == "sofia@ib.example"
    assert told["ib.agreement_changed"]["digest"] == agreed.digest
    assert told["ib.approved"]["partner"] == "IB-1"
    assert told["ib.tier_changed"]["tier"] == "gold"
    assert one.reference not in str(said)  # it opens his page


def test_nothing_is_said_that_nobody_wants(world: World) -> None:
    world.conn.execute("UPDATE outbox_receiver SET settings = settings ||"
                       """ '{"events": ["trade.closed"]}'""")  # fmt: skip
    world.apply()
    assert world.said() == []


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (Approval("IB 1", "S", "EUR"), "cannot be a partner's code"),
        (Approval("master", "S", "EUR"), "is a partner's code already"),
        (Approval("IB-1", "S", "eur"), "is no currency"),
        (Approval("IB-1", "S", "EUR", "MASTR"), "did you mean MASTER"),
        (Approval("IB-1", "S", "EUR", "", "standrd-plan"), "no programme 'standrd-plan'"),
        (
            Approval("IB-1", "S", "EUR", "", "standard-plan", "platinum"),
            "no rate for the card 'platinum'",
        ),
        (Approval("none", "S", "EUR"), "cannot be a partner's code"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_of_it_stays(
    world: World, what: Approval, sentence: str
) -> None:
    one = world.apply()
    world.conn.commit()
    with pytest.raises((BadInput, Conflict), match=sentence):
        onboarding.approve(world.conn, one, what, by="anna")
    world.conn.rollback()
    assert partners.application(world.conn, one.id).state == "applied"
    assert len(partners.all_partners(world.conn)) == 1


def test_a_rejection_is_said_with_its_reason(world: World) -> None:
    one = onboarding.reject(world.conn, world.apply(), "no licence", by="anna")
    kind, _, data = world.said()[-1]
    assert (kind, data["reason"]) == ("ib.rejected", "no licence")
    with pytest.raises(Conflict):
        onboarding.reject(world.conn, one, "again", by="anna")
    onboarding.approve(world.conn, one, GOLD, by="ben")  # somebody thought better of it
    assert partners.application(world.conn, one.id).state == "approved"


def test_a_new_version_is_offered_and_accepted_later(world: World) -> None:
    first = world.agreement()
    one = world.apply(agreed=[first])
    onboarding.approve(world.conn, one, GOLD, by="anna")
    world.apply(agreed=[first])  # who is no partner yet accepts it when he looks
    second = world.agreement("We pay less.")
    offered = [data for kind, _, data in world.said() if data.get("status") == "offered"]
    assert [(each["partner"], each["version"]) for each in offered] == [("IB-1", "2")]
    one = partners.application(world.conn, one.id)
    now = second.valid_from_ms
    assert onboarding.to_accept(world.conn, one, now) == [second]
    assert onboarding.accept(world.conn, one, second, "Sofia Marques", by="anna")
    assert not onboarding.accept(world.conn, one, second, "Sofia Marques")
    assert onboarding.to_accept(world.conn, one, now) == []
    [paper] = partners.acceptances(world.conn, agreement_id=second.id)
    assert (paper.way, paper.by, paper.partner_id) == ("paper", "anna", one.partner_id)


def test_who_is_erased_is_gone_from_what_was_said_too(world: World) -> None:
    one = world.apply(agreed=[world.agreement()])
    onboarding.approve(world.conn, one, GOLD, by="anna")
    onboarding.erase(world.conn, one, by="anna", reason="asked for")
    everything = "".join(
        str(world.conn.execute(f"SELECT * FROM {table}").fetchall())
        for table in ("outbox_message", "audit_event", "partners_application",
                      "partners_application_step", "partners_acceptance",
                      "partners_acceptance_person", "partners_applicant")
    )  # fmt: skip
    for gone in (SOFIA.email, SOFIA.address, SOFIA.company, SOFIA.name):
        assert gone not in everything, gone
    assert "ib.approved" in everything


def test_terms_that_are_loaded_are_said(world: World) -> None:
    world.load("terms", "partner,programme,card\nMASTER,standard-plan,gold\n")
    assert world.said()[-1][1:] == (
        "ib:MASTER",
        {"entity": "main", "partner": "MASTER", "programme": "standard-plan", "tier": "gold"},
    )
    text = "MASTER,other-plan,standard,2026-12-01T00:00:00Z\n"
    done = world.load("terms", f"partner,programme,card,valid_from\n{text}", reason="promoted")
    assert len(world.said()) == 1
    approve_proposal(world.run, done.reports[0].proposed[0], by="ben")
    assert world.said()[-1][2]["valid_from"] == "2026-12-01T00:00:00Z"


def test_the_next_code_follows_those_there_are(world: World) -> None:
    assert onboarding.free_code(world.conn, 1) == "IB-1"
    world.load("partners", "partner\nP-0041\nP-0007\n")
    assert onboarding.free_code(world.conn, 1) == "P-0042"
