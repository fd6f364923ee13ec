"""A proposal is decided once, approved only by a second person, and applied as it is approved."""

from __future__ import annotations

import psycopg
import pytest

from pipshare import audit
from pipshare.errors import BadInput, Conflict, Missing

MOVE = {"partner": "P-2"}


@pytest.fixture
def conn(db):
    with db.app() as connection:
        yield connection


def propose(conn, by="Anna Lee", payload=MOVE, reason="moved desk"):
    return audit.propose(conn, "relation", "client C-1", payload, reason, by)


def test_a_second_person_approves_and_the_change_is_applied_under_both_names(conn) -> None:
    applied = []
    number = propose(conn)
    decided = audit.approve(
        conn, number, "Boris", {"relation": lambda c, p, by: applied.append((p, by)) or 42}
    )
    assert applied == [({"partner": "P-2", "reason": "moved desk"}, "Anna Lee + Boris")]
    assert (decided.approved, decided.decided_by, decided.outcome) == (True, "Boris", 42)
    assert audit.pending(conn) == []


@pytest.mark.parametrize(
    "same", ["Anna Lee", " anna  LEE ", "ＡＮＮＡ Lee", "anna\u200b lee", "ANNA\tLEE"]
)
def test_the_first_person_cannot_be_the_second(conn, same: str) -> None:
    number = propose(conn)
    with pytest.raises(Conflict, match="somebody else"):
        audit.approve(conn, number, same)
    assert [one.id for one in audit.pending(conn)] == [number]


def test_a_name_with_special_case_folding_is_still_the_same_person(conn) -> None:
    number = propose(conn, by="Jörg Weiß")
    with pytest.raises(Conflict):
        audit.approve(conn, number, "JÖRG WEISS")


def test_a_decision_is_final(conn) -> None:
    number = propose(conn)
    audit.reject(conn, number, "Boris")
    with pytest.raises(Conflict, match="rejected by Boris"):
        audit.approve(conn, number, "Clara")


def test_the_proposer_may_take_it_back(conn) -> None:
    assert audit.reject(conn, propose(conn), "Anna Lee").approved is False


def test_what_fails_to_apply_is_not_decided(db) -> None:
    with db.app() as conn:
        number = propose(conn)

    def fail(*_: object) -> None:
        raise Conflict("cycle", "no longer possible")

    with pytest.raises(Conflict, match="no longer"), db.app() as conn:
        audit.approve(conn, number, "Boris", {"relation": fail})
    with pytest.raises(Missing, match="nothing applies"), db.app() as conn:
        audit.approve(conn, number, "Boris", {})
    with db.app() as conn:
        assert [one.id for one in audit.pending(conn, "relation")] == [number]
        assert audit.pending(conn, "go_live") == []


def test_the_same_change_waits_once(conn) -> None:
    assert propose(conn) == propose(conn, by="Clara", reason="again")
    assert propose(conn) != propose(conn, payload={"partner": "P-3"})


def test_reason_and_names_are_needed(conn) -> None:
    with pytest.raises(BadInput, match="--reason"):
        propose(conn, reason="  ")
    with pytest.raises(BadInput, match="--by"):
        propose(conn, by=" \u200b")
    with pytest.raises(BadInput, match="--by"):
        audit.approve(conn, propose(conn), "")
    with pytest.raises(Missing, match="proposal 99"):
        audit.approve(conn, 99, "Boris")


ATTACKS = {
    "self-approval": "UPDATE audit_proposal SET decided_by = ' ANNA lee ', decided_at = now(),"
    " approved = true",
    "another payload": "UPDATE audit_proposal SET payload = '{}'",
    "another proposer": "UPDATE audit_proposal SET proposed_by = 'Dora'",
    "half a decision": "UPDATE audit_proposal SET approved = true",
    "born decided": "INSERT INTO audit_proposal (kind, subject, payload, reason, proposed_by,"
    " decided_by, decided_at, approved) VALUES ('k', 's', '{}', 'r', 'a', 'b', now(), true)",
    "delete": "DELETE FROM audit_proposal",
    "event": "UPDATE audit_event SET actor = 'nobody'",
    "no event": "DELETE FROM audit_event",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_the_application_cannot_get_around_it(db, attack: str) -> None:
    with db.app() as conn:
        propose(conn)
    with pytest.raises(psycopg.Error), db.app() as conn:
        conn.execute(attack)


def test_not_even_the_owner_changes_a_decided_proposal(db) -> None:
    with db.app() as conn:
        audit.reject(conn, propose(conn), "Boris")
    for attack in ("UPDATE audit_proposal SET approved = true", "DELETE FROM audit_proposal"):
        with pytest.raises(psycopg.Error, match="never changed"), db.owner() as conn:
            conn.execute(attack)


def test_events_say_who_did_what(conn) -> None:
    number = propose(conn)
    audit.approve(conn, number, "Boris")
    audit.record(conn, "Clara", "trust", "file a.html", "audited", {"digest": "ab"})
    events = conn.execute("SELECT actor, action, subject FROM audit_event ORDER BY id").fetchall()
    assert events == [
        ("Anna Lee", "propose relation", "client C-1"),
        ("Boris", "approve relation", "client C-1"),
        ("Clara", "trust", "file a.html"),
    ]
