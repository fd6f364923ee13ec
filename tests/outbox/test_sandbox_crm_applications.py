"""Applications told to the sandbox CRM by mapped requests: its number kept, its refusals shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from tests.outbox.conftest import replayed, settled
from tests.outbox.outbox_world import entity, said, say

from pipshare import outbox
from pipshare.cli.demo_partners import TOLD
from pipshare.outbox import Receiver
from pipshare.sandbox.crm import Cast, CrmServer, Options
from pipshare.sandbox.crm.introducers import Answer

_NUMBERS = count(1)

APPLIED = {"entity": "main", "source": "apply", "name": "Sofia", "email": "sofia@ib.example",
           "currency": "USD"}  # fmt: skip


@pytest.fixture
def crm() -> Iterator[CrmServer]:
    with CrmServer(options=Options(Cast(at_once=0, every_s=0))) as server:
        yield server


def _receiver(db: Any, crm: CrmServer, **more: Any) -> Receiver:
    told = {**TOLD, "url": f"{crm.url}/ib", "timeout_s": 2, **more}
    with db.app() as conn:
        return outbox.add(conn, entity(conn), "request", "Sandbox", told, by="test")


def _applied(conn: Any, number: int, type_: str = "ib.applied") -> None:
    told: dict[str, Any] = {**APPLIED, "application": str(number)}
    say(conn, said(next(_NUMBERS), f"application:{number}", type=type_, **told))
    conn.commit()


def test_its_number_is_kept_and_the_same_for_all_that_is_told_of_one(
    db: Any, dispatching: Any, crm: CrmServer
) -> None:
    one = _receiver(db, crm)
    dispatching()
    with db.app() as conn:
        for number, type_ in ((17, "ib.applied"), (18, "ib.applied"), (17, "ib.approved")):
            _applied(conn, number, type_)
        assert settled(conn) == {"delivered": 3}
        known = outbox.externals(conn, ["application:17", "application:18"])
    assert {(each.receiver_id, each.crm_id) for each in known} == {
        (one.id, "CD-738067"), (one.id, "CD-137364"),
    }  # fmt: skip
    came = [json.loads(each["body"]) for each in crm.log.newest()]
    assert {each["type"] for each in came} == {"ib.applied", "ib.approved"}
    assert came[0]["email"] == "sofia@ib.example"


@pytest.mark.parametrize("answer", ["reject", "reject-200"])
def test_its_refusal_is_a_dead_letter_with_the_reason_until_it_is_sent_again(
    db: Any, dispatching: Any, crm: CrmServer, answer: str
) -> None:
    one = _receiver(db, crm)
    dispatching()
    crm.introducers.say(Answer(answer, "no licence", 1))
    with db.app() as conn:
        _applied(conn, 17)
        assert settled(conn) == {"dead": 1}
        assert [each.reason for each in outbox.dead(conn, one.id)] == ["rejected: no licence"]
        outbox.replay(conn, one, by="anna")
        conn.commit()
        replayed(conn, 1)
        assert [each.crm_id for each in outbox.externals(conn, ["application:17"])] == ["CD-738067"]


def test_its_silence_is_waited_for_and_asked_again(
    db: Any, dispatching: Any, crm: CrmServer
) -> None:
    one = _receiver(db, crm, timeout_s=1)
    dispatching()
    crm.introducers.say(Answer("time-out", times=1))
    with db.app() as conn:
        _applied(conn, 17)
        assert settled(conn) == {"delivered": 1}
        [delivery] = outbox.deliveries(conn, receiver_id=one.id)
        tries = outbox.attempts(conn, [delivery.id])
    assert [each.outcome for each in tries] == ["temporary", "ok"]
