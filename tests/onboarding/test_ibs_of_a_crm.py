"""An IB that was created in the CRM appears here, in whatever order and however often told."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from tests.onboarding.onboarding_world import World, ib

from pipshare import audit, partners

SOFIA = {"name": "Sofia Marques", "email": "sofia@ib.example", "country": "PT"}
TERMS = """
SELECT p.code, g.code, t.card FROM plans_terms t JOIN partners_partner p ON p.id = t.partner_id
  JOIN plans_programme g ON g.id = t.programme_id ORDER BY t.id"""
ABOVE = """
SELECT p.code, a.code FROM partners_parent r JOIN partners_partner p ON p.id = r.partner_id
  LEFT JOIN partners_partner a ON a.id = r.parent_id WHERE a.code IS NOT NULL ORDER BY 1"""


@pytest.fixture
def world(db: Any, tmp_path: Any) -> Iterator[World]:
    """A broker, on a database of his own."""
    with db.app() as conn:
        yield World(conn, tmp_path)


def test_an_ib_created_in_the_crm_appears_here(world: World) -> None:
    approved = ib("approved", "77", partner="IB-77", parent="MASTER", currency="EUR",
                  programme="standard-plan", tier="gold", **SOFIA)  # fmt: skip
    assert world.send(approved) == [("new", "")]
    made = partners.partner(world.conn, "IB-77")
    assert (made.name, made.currency) == ("Sofia Marques", "EUR")
    assert world.conn.execute(TERMS).fetchall() == [("IB-77", "standard-plan", "gold")]
    assert ("IB-77", "MASTER") in world.conn.execute(ABOVE).fetchall()
    one = partners.application_by_external(world.conn, "crm", "77")
    assert one is not None
    assert (one.state, one.partner_id, one.by) == ("approved", made.id, "crm:crm")
    kinds = {kind: data for kind, _, data in world.said()}
    assert set(kinds) == {"ib.approved", "ib.tier_changed"}
    assert all(data["told_by"] == "crm" for data in kinds.values())
    assert kinds["ib.approved"]["external"] == "77"


def test_the_same_again_changes_nothing(world: World) -> None:
    told = [ib("applied", "77", **SOFIA), ib("approved", "77", 2, parent="MASTER",
            programme="standard-plan", **SOFIA)]  # fmt: skip
    world.send(*told)
    before = (world.said(), world.conn.execute(TERMS).fetchall())
    assert world.send(*told) == [("repeated", ""), ("repeated", "")]
    assert (world.said(), world.conn.execute(TERMS).fetchall()) == before


def test_whatever_the_order_the_end_is_the_same(world: World) -> None:
    told = [ib("applied", "{0}", 1, **SOFIA), ib("rejected", "{0}", 2, reason="no licence"),
            ib("approved", "{0}", 3, partner="P{0}", parent="MASTER", **SOFIA),
            ib("tier_changed", "{0}", 4, programme="standard-plan", tier="gold")]  # fmt: skip
    for number, order in enumerate(itertools.permutations(told), 100):
        for record in order:
            text = {key: value.replace("{0}", str(number)) for key, value in record.items()}
            world.send({**text, "event": f"{text['event']}-{number}"})
        one = partners.application_by_external(world.conn, "crm", str(number))
        assert one is not None
        assert one.state == "approved", order
        rows = [row for row in world.conn.execute(TERMS) if row[0] == f"P{number}"]
        assert [row[1:] for row in rows] == [("standard-plan", "gold")], order


def test_who_is_under_somebody_unknown_waits_for_him(world: World) -> None:
    assert world.send(ib("approved", "78", parent="77", name="Ben")) == [("waits", "unknown_ib")]
    assert world.send(ib("approved", "77", partner="TOP", name="Sofia")) == [("new", "")]
    assert partners.partner(world.conn, "78").name == "Ben"
    assert world.conn.execute(ABOVE).fetchall() == [("78", "TOP")]


def test_another_parent_and_other_terms_are_for_two_people(world: World) -> None:
    world.load("partners", "partner\nTOP\n")
    world.send(ib("approved", "77", parent="MASTER", programme="standard-plan", name="S"))
    assert world.send(ib("approved", "77", 5, parent="TOP", name="S")) == [("proposed", "moves")]
    assert world.send(ib("tier_changed", "77", 6, tier="gold")) == [("proposed", "moves")]
    waiting = audit.pending(world.conn)
    assert [one.kind for one in waiting] == ["relation", "terms"]
    assert all(one.proposed_by == "crm:crm" for one in waiting)
    assert world.conn.execute(ABOVE).fetchall() == [("77", "MASTER")]
    assert [row[2] for row in world.conn.execute(TERMS)] == ["standard"]


def test_a_partner_whom_we_know_is_joined_with_the_crms(world: World) -> None:
    world.load("partners", "partner,name\nIB-9,Nine\n")
    assert world.send(ib("approved", "9", partner="IB-9", name="Nine")) == [("noted", "")]
    one = partners.application_by_external(world.conn, "crm", "9")
    assert one is not None
    assert one.partner_id == partners.partner(world.conn, "IB-9").id
    assert world.send(ib("approved", "10", partner="IB-9", name="X")) == [
        ("refused", "code_taken")]  # fmt: skip
    assert partners.application_by_external(world.conn, "crm", "10") is None


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"programme": "nothing"}, ("refused", "unknown_programme")),
        ({"programme": "standard-plan", "tier": "x"}, ("refused", "unknown_card")),
        ({"partner": "IB 9"}, ("refused", "bad_code")),
        ({"partner": "master"}, ("refused", "code_taken")),
        ({"at": "2026-10-01"}, ("new", "")),
    ],
)
def test_what_cannot_be_is_refused_whole(
    world: World, more: dict[str, str], outcome: tuple[str, str]
) -> None:
    assert world.send({**ib("approved", "77", name="S"), **more}) == [outcome]
    known = partners.application_by_external(world.conn, "crm", "77")
    assert (known is None) == (outcome[0] == "refused")


def test_a_rejection_of_who_is_a_partner_here_is_shown_not_followed(world: World) -> None:
    world.send(ib("approved", "77", name="S"))
    assert world.send(ib("rejected", "77", 9)) == [("refused", "approved_here")]
    assert world.send(ib("tier_changed", "88")) == [("waits", "unknown_ib")]
    assert world.send(ib("tier_changed", "77", 3, tier="gold")) == [("refused", "no_programme")]


def test_an_application_from_the_crm_is_decided_here_and_told_back(world: World) -> None:
    from pipshare.pipeline import onboarding

    assert world.send(ib("applied", "77", parent="MASTER", currency="EUR", **SOFIA)) == [
        ("new", "")]  # fmt: skip
    one = partners.application_by_external(world.conn, "crm", "77")
    assert one is not None
    assert (one.state, one.parent, one.currency) == ("applied", "MASTER", "EUR")
    onboarding.reject(world.conn, one, "no licence", by="anna")
    kind, _, data = world.said()[-1]
    assert (kind, data["external"], data.get("told_by")) == ("ib.rejected", "77", None)


def test_the_crm_decides_what_is_being_screened_here(world: World) -> None:
    world.send(ib("applied", "77", **SOFIA))
    one = partners.application_by_external(world.conn, "crm", "77")
    assert one is not None
    partners.add_step(world.conn, one, "screening", by="anna")
    assert world.send(ib("approved", "77", 2, **SOFIA)) == [("new", "")]
    assert partners.application(world.conn, one.id).state == "approved"
