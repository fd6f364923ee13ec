"""What was held for a client's KYC, or forfeited, and is taken back: from where it is, no more."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from crm_stories import Stories, told
from test_crm_acceptance import PLAN

from pipshare.pipeline.explained.of_event import explain_event
from pipshare.pipeline.windows import touch_held

USD = {"currency": "USD"}
REGISTERED = told("reg", "registration", "03-01")
DEPOSITED = told("dep", "deposit", "03-02", amount="500", **USD)
REVERSED = told("rev", "deposit_reversed", "03-20", reference="dep")
APPROVED = told("kyc", "kyc_approved", "03-25")


def holding(more: str = "") -> str:
    """Return the acceptance's plan, which holds until the client's KYC is approved."""
    assert 'currency = "USD"\n' in PLAN
    return PLAN.replace('currency = "USD"\n', f'currency = "USD"\nkyc = "hold"\n{more}', 1)


def stand(ready: Any, plan: str, *events: Any) -> tuple[dict[str, float], Any]:
    """Tell events one by one; return what the IB's accounts hold, and what explains the last."""
    stories = ready(Stories, {"std": plan}, 1)
    (client,) = stories.copies
    for event in events:
        stories.tell([client.of(event)])
    touch_held(stories.run)
    stories.tell([])
    stories.books()
    return stories.stands("IB-0"), explain_event(stories.run, f"{events[-1]['event']}-0")


def test_what_is_held_is_taken_back_from_what_is_held(ready: Any) -> None:
    held, _ = stand(ready, holding(), REGISTERED, DEPOSITED)
    assert held == {"held": 200.0}


@pytest.mark.parametrize("order", list(itertools.permutations((DEPOSITED, REVERSED, APPROVED))))
def test_released_or_not_nothing_is_left_in_any_order(ready: Any, order: Any) -> None:
    stands, told_of = stand(ready, holding(), REGISTERED, *order)
    assert stands == {}
    assert told_of.agrees in (True, None)


def test_reversed_while_it_is_held_nothing_is_owed(ready: Any) -> None:
    stands, told_of = stand(ready, holding(), REGISTERED, DEPOSITED, REVERSED)
    assert stands == {}
    assert told_of.agrees
    assert {row["state"] for row in told_of.booked} == {"held"}


def test_what_was_forfeited_is_not_owed_when_its_deposit_is_reversed(ready: Any) -> None:
    plan = holding("kyc_forfeit_days = 3\n")
    stands, _ = stand(ready, plan, REGISTERED, DEPOSITED)
    assert stands == {}


def test_forfeited_and_then_reversed(ready: Any) -> None:
    plan = holding("kyc_forfeit_days = 3\n")
    stands, told_of = stand(ready, plan, REGISTERED, DEPOSITED, REVERSED)
    assert stands == {}
    assert told_of.agrees in (True, None)


def test_released_and_then_reversed_it_is_owed_from_what_is_free(ready: Any) -> None:
    approved = told("kyc", "kyc_approved", "03-10")
    stands, told_of = stand(ready, holding(), REGISTERED, DEPOSITED, approved, REVERSED)
    assert stands == {}
    assert {row["state"] for row in told_of.booked} == {"accrued"}
