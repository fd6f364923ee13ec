"""A CRM says that a client is another partner's: proposed once, true when somebody else agrees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from identity_stories import Pairs, told

from pipshare import clients, inbox
from pipshare.cli.main import program
from pipshare.errors import Conflict
from pipshare.facts.events import CANCELLED, REASSIGNED
from pipshare.pipeline.explained.of_client import explain_client
from pipshare.pipeline.loads import approve

MOVED = told("move", "client_reassigned", "04-02", "A", partner="Q",
             reason="moved to the desk of Q", effective_at="2026-03-01T00:00:00Z")  # fmt: skip
CANCEL = told("stop", "client_reassignment_cancelled", "04-03", "A", reference="move")
AT_P = {("P", "accrued", "2026-03-02"): 5}
Broker = Callable[..., Pairs]


@pytest.fixture
def broker(ready: Any) -> Broker:
    return lambda copies=1, of_b="": ready(Pairs, copies, of_b)


def states(pairs: Pairs) -> dict[str, str | None]:
    """Return what became of each word."""
    found = clients.identity_words(pairs.conn, (REASSIGNED, CANCELLED))
    pairs.conn.commit()
    return {one.event: one.state for one in found}


def test_a_second_person_makes_it_true_from_its_day_on(broker: Broker) -> None:
    pairs = broker()
    pairs.tell((0, MOVED))
    pairs.tell((0, MOVED))
    (proposal,) = pairs.proposals()
    assert pairs.books() == [AT_P]
    assert proposal.reason == "moved to the desk of Q (event move-0 of crm)"
    with pytest.raises(Conflict):
        approve(pairs.run, proposal.id, by="crm")
    pairs.conn.rollback()
    approve(pairs.run, proposal.id, by="ben")
    assert pairs.books() == [{("Q", "accrued", "2026-03-02"): 5}]
    pairs.tell((0, MOVED))
    assert pairs.proposals() == []
    assert states(pairs) == {"move-0": "followed"}
    told_of = explain_client(pairs.conn, "A-0")
    assert "A-0 belongs to Q-0 since 2026-03-01" in told_of["sentence"]
    assert "by crm + ben" in told_of["sentence"]
    assert "moved to the desk of Q" in told_of["sentence"]


@pytest.mark.parametrize("order", [(MOVED, CANCEL), (CANCEL, MOVED)])
def test_a_cancellation_withdraws_it_whichever_came_first(broker: Broker, order: Any) -> None:
    pairs = broker()
    for one in (*order, MOVED):
        pairs.tell((0, one))
    assert pairs.proposals() == []
    assert pairs.books() == [AT_P]
    assert states(pairs) == {"move-0": "withdrawn", "stop-0": "followed"}


def test_what_was_approved_is_not_undone_by_a_cancellation_but_shown(broker: Broker) -> None:
    pairs = broker()
    pairs.tell((0, MOVED))
    approve(pairs.run, pairs.proposals()[0].id, by="ben")
    pairs.tell((0, CANCEL))
    assert pairs.books() == [{("Q", "accrued", "2026-03-02"): 5}]
    assert states(pairs) == {"move-0": "followed", "stop-0": "refused"}
    (alert,) = [one for one in inbox.alerts(pairs.conn) if one.code == "reassignment"]
    assert "re-assign the client back by hand" in alert.message


def test_what_was_rejected_is_not_asked_again(broker: Broker) -> None:
    pairs = broker()
    pairs.tell((0, MOVED))
    number = str(pairs.proposals()[0].id)
    said = CliRunner().invoke(program, ["reject", number, "--by", "ben"])
    assert "Rejected: client A-0: P-0 -> Q-0" in said.output, said.output
    assert states(pairs) == {"move-0": "rejected"}
    pairs.tell((0, MOVED))
    assert pairs.proposals() == []
    assert states(pairs) == {"move-0": "rejected"}


def test_also_whose_client_nobody_was_is_put_before_a_person(broker: Broker) -> None:
    pairs = broker()
    pairs.tell((0, {**MOVED, "client": "B"}))
    (proposal,) = pairs.proposals()
    assert "client B-0: not known -> Q-0" in proposal.subject
    assert pairs.books() == [AT_P]
    approve(pairs.run, proposal.id, by="ben")
    assert pairs.books() == [AT_P | {("Q", "accrued", "2026-03-02"): 5}]


def test_unknown_clients_and_partners_wait_and_an_alert_names_the_partner(broker: Broker) -> None:
    pairs = broker()
    pairs.tell((0, {**MOVED, "partner": "R"}), (0, {**MOVED, "event": "new", "client": "C"}))
    assert states(pairs) == {"move-0": "waits", "new-0": "waits"}
    waiting = {row[3]: row[:2] for row in clients.waiting_events(pairs.conn)}
    assert waiting == {"move-0": ("unknown_partner", "R-0"), "new-0": ("unknown_client", "C-0")}
    (alert,) = [one for one in inbox.alerts(pairs.conn) if one.code == "reassignment"]
    assert "whom entity main does not know" in alert.message
    pairs.relate("partners", "partner", "R-0")
    pairs.relate("clients", "client,partner", "C-0,P-0")
    assert states(pairs) == {"move-0": "proposed", "new-0": "proposed"}
    assert {row[0] for row in clients.waiting_events(pairs.conn)} == {"second_person"}
    assert not [one for one in inbox.alerts(pairs.conn) if one.code == "reassignment"]


def test_who_is_that_partners_client_already_needs_nobody(broker: Broker) -> None:
    pairs = broker()
    pairs.tell((0, {**MOVED, "partner": "P"}))
    assert pairs.proposals() == []
    assert states(pairs) == {"move-0": "same"}


def test_a_client_may_become_nobodys(broker: Broker) -> None:
    pairs = broker()
    pairs.tell((0, {**MOVED, "partner": "direct"}))
    approve(pairs.run, pairs.proposals()[0].id, by="ben")
    assert pairs.books() == [{}]
