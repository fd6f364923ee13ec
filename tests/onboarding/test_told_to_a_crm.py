"""Applicants are told to the sandbox CRM in its own way: it takes them, refuses them, hangs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.onboarding.onboarding_world import World
from tests.outbox.conftest import replayed, settled

from pipshare import outbox
from pipshare.partners import Applicant
from pipshare.pipeline import onboarding
from pipshare.pipeline.onboarding import Approval
from pipshare.sandbox.crm import Cast, CrmServer, Options
from pipshare.sandbox.crm.introducers import Answer

GOLD = Approval("IB-1", "Sofia Marques", "EUR", "MASTER", "standard-plan", "gold")
BODY = json.dumps({"application": "A-{application}", "event": "{type}", "our_id": "=crm_id",
                   "who": {"name": "=data.name", "code": "=data.partner"}})  # fmt: skip


@pytest.fixture
def crm() -> Iterator[CrmServer]:
    """An invented CRM without clients."""
    with CrmServer(options=Options(Cast(every_s=0, at_once=0), day_s=0.001)) as server:
        yield server


@pytest.fixture
def world(db: Any, tmp_path: Any, crm: CrmServer) -> Iterator[World]:
    """A broker who tells the CRM of applicants by mapped requests."""
    with db.app() as conn:
        made = World(conn, tmp_path)
        outbox.remove(conn, made.receiver, by="anna")
        told = {"url": f"{crm.url}/ib", "body": BODY, "events": ["ib.*"], "timeout_s": 1,
                "answer_id": "id", "answer_error": "state == 'rejected' && reason"}  # fmt: skip
        made.receiver = outbox.add(conn, 1, "request", "Sandbox CRM", told, by="anna")
        conn.commit()
        yield made


def test_the_crms_id_is_kept_from_the_first_answer_on(
    world: World, dispatching: Any, crm: CrmServer
) -> None:
    one = world.apply()
    onboarding.approve(world.conn, one, GOLD, by="anna")
    world.conn.commit()
    dispatching()
    assert settled(world.conn) == {"delivered": 3}
    [known] = outbox.externals(world.conn, [f"application:{one.id}"])
    assert known.receiver == "Sandbox CRM"
    assert known.crm_id.startswith("CD-")
    tried = outbox.attempts(
        world.conn,
        [each.id for each in outbox.deliveries(world.conn, receiver_id=world.receiver.id)],
    )
    bodies = [json.loads(each.body) for each in sorted(tried, key=lambda each: each.delivery_id)]
    assert [body["event"] for body in bodies] == ["ib.applied", "ib.approved", "ib.tier_changed"]
    assert [body["our_id"] for body in bodies] == [None, known.crm_id, known.crm_id]
    assert [body["who"]["code"] for body in bodies] == [None, "IB-1", "IB-1"]


@pytest.mark.parametrize("how", ["reject", "reject-200"])
def test_its_refusal_is_shown_with_the_reason_and_sent_again_later(
    world: World, dispatching: Any, crm: CrmServer, how: str
) -> None:
    crm.introducers.say(Answer(how, "documents are missing", 1))
    world.apply()
    world.conn.commit()
    dispatching()
    assert settled(world.conn) == {"dead": 1}
    [letter] = outbox.dead(world.conn, world.receiver.id)
    assert letter.reason == "rejected: documents are missing"
    outbox.replay(world.conn, world.receiver, by="anna")
    world.conn.commit()
    replayed(world.conn, 1)


def test_a_crm_that_hangs_is_asked_again_and_delays_nobody_else(
    world: World, dispatching: Any, crm: CrmServer
) -> None:
    crm.introducers.say(Answer("time-out", times=1))
    world.apply()
    world.apply(Applicant("Ben Okoro"))
    world.conn.commit()
    dispatching()
    assert settled(world.conn, 20) == {"delivered": 2}
    found = outbox.deliveries(world.conn, receiver_id=world.receiver.id)
    assert sorted(each.attempts for each in found) == [1, 2]
    ids = outbox.externals(world.conn, [each.subject for each in found])
    assert len({each.crm_id for each in ids}) == 2
