"""One deposit that a CRM and a payment provider both tell: counted once, and said whose counts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from identity_stories import Pairs, told

from pipshare import clients, inbox
from pipshare.errors import BadInput
from pipshare.facts.counted import Authority
from pipshare.pipeline.explained.of_event import explain_event
from pipshare.pipeline.loads import approve

MONEY = {"amount": "60", "currency": "USD"}
CRM = told("d-1", "deposit", "03-02", "A", source="crm", **MONEY)
PSP = told("p-1", "deposit", "03-03", "A", source="psp", **MONEY)
LATER = told("d-2", "deposit", "03-05", "A", source="crm", **MONEY)
LOST = told("l-1", "chargeback_lost", "05-01", "A", source="psp", reference="p-1")
TRADED = {("P", "accrued", "2026-03-02"): 5}
QUALIFIED = {("P", "accrued", "2026-03-05"): 200}
Broker = Callable[..., Pairs]


@pytest.fixture
def broker(ready: Any) -> Broker:
    return lambda copies=1: ready(Pairs, copies, "")


def effects(pairs: Pairs, event: str) -> list[str]:
    """Return in words what became of an event."""
    return [one["text"] for one in explain_event(pairs.run, event).effects]


def test_what_both_tell_counts_once_in_any_order_and_an_alert_says_so(broker: Broker) -> None:
    orders = list(permutations((CRM, PSP)))
    pairs = broker(len(orders))
    pairs.tell_orders(orders)
    assert pairs.books() == [TRADED] * len(orders), "60 is less than 100"
    (alert,) = [one for one in inbox.alerts(pairs.conn) if one.code == "told_twice"]
    assert "crm and psp tell the same deposits of entity main" in alert.message
    assert "meanwhile d-1-" in alert.message
    assert "told twice: d-1-0 of crm counts" in effects(pairs, "p-1-0")
    assert not [text for text in effects(pairs, "d-1-0") if "twice" in text]


def test_what_was_charged_back_of_either_is_gone_in_any_order(broker: Broker) -> None:
    orders = list(permutations((CRM, PSP, LATER, LOST)))[::2]
    pairs = broker(len(orders))
    pairs.tell_orders(orders)
    undone = {("P", "accrued", "2026-05-01"): -200}
    assert pairs.books() == [TRADED | QUALIFIED | undone] * len(orders)


def test_two_people_say_whose_deposits_count_and_the_others_are_kept(broker: Broker) -> None:
    pairs = broker()
    pairs.tell((0, CRM), (0, LATER), (0, told("x", "deposit", "04-01", "A", source="psp", **MONEY)))
    assert pairs.books() == [TRADED | QUALIFIED]
    said = Authority("main", "money", 0, "psp")
    number = clients.say_authority(pairs.conn, said, by="anna", reason="the bank's word")
    pairs.conn.commit()
    assert number is not None
    assert pairs.books() == [TRADED | QUALIFIED]
    approve(pairs.run, number, by="ben")
    assert pairs.books() == [TRADED], "60 of the provider's alone"
    assert "kept and not counted: of money the word of psp counts in entity main" in (
        effects(pairs, "d-2-0")
    )
    back = Authority("main", "money", 0, "crm")
    number = clients.say_authority(pairs.conn, back, by="anna", reason="it was the CRM's")
    pairs.conn.commit()
    approve(pairs.run, number or 0, by="ben")
    assert pairs.books() == [TRADED | QUALIFIED]


def test_the_alert_is_over_when_it_is_said(broker: Broker) -> None:
    pairs = broker()
    pairs.tell((0, CRM), (0, PSP))
    said = Authority("main", "money", 0, "crm")
    number = clients.say_authority(pairs.conn, said, by="anna", reason="as agreed")
    approve(pairs.run, number or 0, by="ben")
    assert not [one for one in inbox.alerts(pairs.conn) if one.code == "told_twice"]


def test_before_any_event_one_person_is_enough_and_a_wrong_name_is_refused(broker: Broker) -> None:
    pairs = broker()
    said = Authority("main", "kyc", 0, "crm")
    assert clients.say_authority(pairs.conn, said, by="anna", reason="set up") is None
    with pytest.raises(BadInput, match="reason"):
        clients.say_authority(pairs.conn, said, by="anna", reason=" ")
    pairs.tell((0, CRM))
    wrong = Authority("main", "money", 0, "crn")
    with pytest.raises(BadInput, match="those who did are crm"):
        clients.say_authority(pairs.conn, wrong, by="anna", reason="set up")
