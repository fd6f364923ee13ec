"""Two clients who are one person: what they did counts as one client's, whatever came first."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from random import Random
from typing import Any

import pytest
from identity_stories import Pairs, told

from pipshare import clients, inbox
from pipshare.errors import Conflict
from pipshare.pipeline.explained.life_line import life_line
from pipshare.pipeline.explained.of_client import explain_client
from pipshare.pipeline.explained.of_event import explain_event
from pipshare.pipeline.loads import approve, reject

FIRST = told("dep-a", "deposit", "03-02", "A", amount="60", currency="USD")
SECOND = told("dep-b", "deposit", "03-05", "B", amount="60", currency="USD")
MERGED = told("merge", "client_merged", "04-01", "B", other_client="A", reason="same passport")
APART = told("apart", "client_unmerged", "05-01", "B", reason="another passport")
BACK = told("back", "deposit_reversed", "06-01", "B", reference="dep-b")
TRADED = {("P", "accrued", "2026-03-02"): 10}
QUALIFIED = {("P", "accrued", "2026-03-05"): 200}
Broker = Callable[..., Pairs]


@pytest.fixture
def broker(ready: Any) -> Broker:
    return lambda copies=1, of_b="P": ready(Pairs, copies, of_b)


def test_what_two_clients_deposited_counts_as_one_clients_in_any_order(broker: Broker) -> None:
    orders = list(permutations((FIRST, SECOND, MERGED)))
    pairs = broker(len(orders))
    pairs.tell_orders(orders)
    assert pairs.books() == [TRADED | QUALIFIED] * len(orders)
    found = explain_event(pairs.run, "dep-b-0")
    assert found.agrees, "the twin sees one person, too"
    assert found.event["client"] == "A-0"


def test_what_is_undone_is_as_if_it_had_not_been_in_any_order(broker: Broker) -> None:
    orders = list(permutations((FIRST, SECOND, MERGED, APART)))
    pairs = broker(len(orders))
    pairs.tell_orders(orders)
    assert pairs.books() == [TRADED] * len(orders)


def test_a_reversal_of_the_ones_deposit_takes_back_what_both_earned(broker: Broker) -> None:
    orders = list(permutations((FIRST, SECOND, MERGED, BACK)))
    pairs = broker(len(orders))
    pairs.tell_orders(orders)
    undone = {("P", "accrued", "2026-06-01"): -200}
    assert pairs.books() == [TRADED | QUALIFIED | undone] * len(orders)


def test_a_reversal_told_under_the_others_code_waits_until_they_are_one(broker: Broker) -> None:
    both = {**FIRST, "amount": "120"}
    back = told("back", "deposit_reversed", "06-01", "B", reference="dep-a")
    orders = list(permutations((both, back, MERGED, APART)))[::4]
    pairs = broker(len(orders))
    paid = {("P", "accrued", "2026-03-02"): 210}
    pairs.tell_orders([[one for one in order if one is not APART] for order in orders])
    assert pairs.books() == [paid | {("P", "accrued", "2026-06-01"): -200}] * len(orders)
    assert clients.waiting_events(pairs.conn) == []
    pairs.tell(*((n, APART) for n in pairs.copies))
    assert pairs.books() == [paid] * len(orders), "B takes nothing back of A's"
    assert {row[0] for row in clients.waiting_events(pairs.conn)} == {"other_client"}


def test_who_belonged_to_nobody_known_comes_along_to_the_others_partner(broker: Broker) -> None:
    pairs = broker(of_b="")
    assert pairs.books() == [{("P", "accrued", "2026-03-02"): 5}]
    pairs.tell((0, MERGED))
    assert pairs.books() == [TRADED]


def test_the_one_who_stays_may_be_the_one_whose_partner_is_not_known(broker: Broker) -> None:
    pairs = broker(of_b="")
    other_way = told("merge", "client_merged", "04-01", "A", other_client="B")
    pairs.tell((0, FIRST), (0, SECOND), (0, other_way))
    assert pairs.books() == [TRADED | QUALIFIED]


def test_clients_of_two_partners_are_joined_by_two_people_only(broker: Broker) -> None:
    pairs = broker(of_b="Q")
    before = {("P", "accrued", "2026-03-02"): 5, ("Q", "accrued", "2026-03-02"): 5}
    pairs.tell((0, FIRST), (0, SECOND), (0, MERGED))
    pairs.tell((0, MERGED))
    assert pairs.books() == [before]
    (proposal,) = pairs.proposals()
    assert (proposal.kind, proposal.proposed_by) == ("client_merge", "crm")
    assert proposal.reason == "same passport (event merge-0 of crm)"
    assert "client B-0 (Q-0) is A-0 (P-0)" in proposal.subject
    (alert,) = [one for one in inbox.alerts(pairs.conn) if one.code == "client_merge"]
    assert "B-0 belongs to Q-0 and A-0 to P-0" in alert.message
    with pytest.raises(Conflict):
        approve(pairs.run, proposal.id, by="CRM")
    pairs.conn.rollback()
    approve(pairs.run, proposal.id, by="ben")
    assert pairs.books() == [TRADED | QUALIFIED]
    told_of = explain_client(pairs.conn, "B-0")
    assert told_of["same_as"] == "A-0"
    assert told_of["relation"]["partner"] == "P-0"
    assert (
        "B-0 is the same person as A-0 (same passport (event merge-0 of crm))"
        in (told_of["sentence"])
    )
    (word,) = told_of["words"]
    assert (word["state"], word["proposed_by"], word["decided_by"]) == ("followed", "crm", "ben")
    assert (
        "Accounts and events of B-0 count as A-0's" in explain_client(pairs.conn, "A-0")["sentence"]
    )
    assert explain_event(pairs.run, "merge-0").event["became"] == "followed"
    assert not [one for one in inbox.alerts(pairs.conn) if one.code == "client_merge"]
    pairs.tell((0, APART))
    assert pairs.books() == [before]


def test_what_two_people_rejected_stays_as_it_is(broker: Broker) -> None:
    pairs = broker(of_b="direct")
    before = {("P", "accrued", "2026-03-02"): 5}
    pairs.tell((0, FIRST), (0, SECOND), (0, MERGED))
    (proposal,) = pairs.proposals()
    reject(pairs.run, proposal.id, by="ben")
    (word,) = explain_client(pairs.conn, "B-0")["words"]
    assert (word["state"], word["decided_by"]) == ("rejected", "ben")
    pairs.tell((0, MERGED))
    assert pairs.books() == [before]
    assert pairs.proposals() == []


def test_what_is_no_longer_told_is_withdrawn(broker: Broker) -> None:
    pairs = broker(of_b="Q")
    pairs.tell((0, MERGED))
    (merge,) = pairs.proposals()
    pairs.tell((0, APART))
    assert pairs.proposals() == []
    with pytest.raises(Conflict):
        approve(pairs.run, merge.id, by="ben")
    pairs.conn.rollback()


def test_a_client_who_was_the_others_partners_for_a_time_only_is_decided_by_people(
    broker: Broker,
) -> None:
    pairs = broker(of_b="Q")
    moved = told("move", "client_reassigned", "04-02", "B", partner="P",
                 effective_at="2020-01-01T00:00:00Z")  # fmt: skip
    pairs.tell((0, moved))
    approve(pairs.run, pairs.proposals()[0].id, by="ben")
    assert pairs.books() == [TRADED]
    pairs.tell((0, MERGED))
    assert [one.kind for one in pairs.proposals()] == ["client_merge"], "before 2020 he was Q's"


def test_a_word_that_is_told_anew_otherwise_takes_the_firsts_place(broker: Broker) -> None:
    pairs = broker(of_b="Q")
    pairs.tell((0, FIRST), (0, SECOND), (0, MERGED))
    pairs.tell((0, {**MERGED, "kind": "client_duplicate", "version": 2}))
    assert pairs.proposals() == []
    assert pairs.books()[0] == {
        ("P", "accrued", "2026-03-02"): 5,
        ("Q", "accrued", "2026-03-02"): 5,
    }


def test_a_merge_into_nobody_known_waits_for_him(broker: Broker) -> None:
    pairs = broker()
    late = {**MERGED, "other_client": "C"}
    pairs.tell((0, FIRST), (0, SECOND), (0, late))
    assert pairs.books() == [TRADED]
    pairs.relate("clients", "client,partner", "C-0,P-0")
    third = told("dep-c", "deposit", "03-07", "C", amount="60", currency="USD")
    pairs.tell((0, third))
    assert pairs.books() == [TRADED | {("P", "accrued", "2026-03-07"): 200}]


def test_a_duplicate_who_is_merged_takes_nothing_from_the_one_who_stays(broker: Broker) -> None:
    double = told("double", "client_duplicate", "03-06", "B", other_client="A")
    orders = list(permutations((FIRST, SECOND, MERGED, double)))[::5]
    pairs = broker(len(orders))
    pairs.tell_orders(orders)
    assert pairs.books() == [TRADED | QUALIFIED] * len(orders)
    told_of = explain_client(pairs.conn, "B-0")
    assert told_of["duplicate"]
    assert (
        "B-0 is a duplicate of A-0 (crm gave no reason (event double-0 of crm))"
        in (told_of["sentence"])
    )


def test_accounts_and_relations_that_come_later_find_the_merge(broker: Broker) -> None:
    pairs = broker(of_b="")
    pairs.tell((0, FIRST), (0, SECOND), (0, MERGED))
    pairs.relate("accounts", "server,login,client", "Live-4,9000,B-0")
    pairs.trade(9000)
    more = {("P", "accrued", "2026-03-02"): 15}
    assert pairs.books() == [more | QUALIFIED]
    pairs.relate("clients", "client,partner", "B-0,P-0")
    assert pairs.books() == [more | QUALIFIED]


def test_a_partner_told_later_who_contradicts_parts_them_until_two_people_decide(
    broker: Broker,
) -> None:
    pairs = broker(of_b="")
    pairs.tell((0, FIRST), (0, SECOND), (0, MERGED))
    assert pairs.books() == [TRADED | QUALIFIED]
    pairs.relate("clients", "client,partner", "B-0,Q-0")
    assert pairs.books() == [{("P", "accrued", "2026-03-02"): 5, ("Q", "accrued", "2026-03-02"): 5}]
    approve(pairs.run, pairs.proposals()[0].id, by="ben")
    assert pairs.books() == [TRADED | QUALIFIED]


LONG = (
    told("reg-a", "registration", "03-01", "A"),
    told("reg-b", "registration", "03-02", "B"),
    told("double", "client_duplicate", "03-20", "A"),
    told("single", "client_not_duplicate", "03-25", "A"),
    told("again", "client_merged", "05-10", "B", other_client="A"),
    told("lost", "chargeback_lost", "06-02", "A", reference="dep-a"),
    told("late", "deposit", "06-20", "B", amount="70", currency="USD"),
    FIRST, SECOND, MERGED, APART,
)  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_a_long_story_ends_in_the_same_books_however_it_is_told(broker: Broker, seed: int) -> None:
    """Each copy shuffled and with repeats of its own, settled after each event."""
    rnd, orders = Random(seed), []
    for _ in range(8):
        order = [*LONG, *rnd.sample(LONG, 3)]
        rnd.shuffle(order)
        orders.append(order)
    pairs = broker(len(orders))
    pairs.tell_orders(orders)
    assert pairs.books() == [{
        **TRADED,
        ("P", "accrued", "2026-03-05"): 200,  # 60 and 60
        ("P", "accrued", "2026-03-20"): -200,  # a duplicate
        ("P", "accrued", "2026-03-25"): 200,  # none after all
        ("P", "accrued", "2026-06-02"): -200,  # 60 are gone
        ("P", "accrued", "2026-06-20"): 200,  # 60 and 70
    }] * len(orders)  # fmt: skip


def test_the_life_line_of_two_who_are_one_is_one(broker: Broker) -> None:
    pairs = broker()
    pairs.tell((0, FIRST), (0, SECOND), (0, MERGED))
    line = life_line(pairs.conn, "B-0")
    assert line.same_as == "A-0"
    assert life_line(pairs.conn, "A-0").moments == line.moments
    told_of = {one.event: one.detail for one in line.moments if one.event}
    assert told_of["dep-b-0"] == "told of B-0"
    assert told_of["merge-0"] == "told of B-0, other client A-0, same passport"
    paid = [one.amount_e8 for moment in line.moments for one in moment.earned]
    assert 200 * 10**8 in paid
