"""What is found out of a client after his IB was paid: KYC, bonus, who he is. Stories for finance.

A client registers on 1 March, is approved and deposits 500 on 2 March, and trades on the 15th.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from crm_stories import E8, Event, Stories, told
from test_crm_acceptance import PLAN
from test_crm_any_order import HOLDS, PAYS, SINCE

from pipshare import partners
from pipshare.errors import Conflict
from pipshare.pipeline import paying
from pipshare.pipeline.explained.of_event import explain_event
from pipshare.pipeline.loads import approve

USD = {"currency": "USD"}
LAST_PAID = date(2026, 4, 3)
REG, KYC = told("reg", "registration", "03-01"), told("kyc", "kyc_approved", "03-01")
DEP = told("dep", "deposit", "03-02", amount="500", **USD)


def _approved(stories: Stories) -> None:
    stories.trade(1, "03-15")
    _tell(stories, REG, KYC, DEP)


@pytest.fixture
def holds(ready: Any) -> Any:
    """The programme waits for KYC; both the CPA of 200 and a lot at 5 are paid for March."""
    return ready(Stories, {"holds": HOLDS}, 1, then=_approved)


def _lost(stories: Stories) -> None:
    stories.trade(1, "03-15", profit="-1000.00")
    _tell(stories, REG, DEP)


@pytest.fixture
def pays(ready: Any) -> Any:
    """A share of the month's net revenue, 30 % of 1000, among what is paid for March."""
    return ready(Stories, {"pays": PAYS}, 1, then=_lost)


@pytest.fixture
def two(ready: Any) -> Any:
    return ready(Stories, {"std": PLAN}, 2)


def _tell(stories: Stories, *events: Event, copy: int = 0) -> None:
    for event in events:
        stories.tell([stories.copies[copy].of(event)])


def _close_and_pay(stories: Stories, amount: int) -> None:
    stories.close("2026-03")
    assert stories.stands("IB-0") == {"payable": amount}
    stories.pay("IB-0", amount, "SEPA-1")


def test_kyc_withdrawn_after_payment_takes_the_cpa_back_and_holds_what_is_new(
    holds: Stories,
) -> None:
    _close_and_pay(holds, 205)
    _tell(holds, told("kw", "kyc_withdrawn", "04-04"))
    assert holds.stands("IB-0") == {"paid": 205, "accrued": -200}, "the lot of March stays paid"
    holds.trade(2, "04-10", lots="2.00")
    assert holds.stands("IB-0") == {"paid": 205, "accrued": -200, "held": 10}
    _tell(holds, told("again", "kyc_approved", "04-20"))
    assert holds.stands("IB-0") == {"paid": 205, "accrued": 10}
    holds.close("2026-04")
    assert holds.stands("IB-0") == {"paid": 205, "payable": 10}
    holds.books()


def test_a_deposit_lost_long_after_it_was_paid_for_is_past_the_days_of_the_plan(
    holds: Stories,
) -> None:
    """`clawback_days` is 40: lost on 11 April it is taken back, on the 12th no more."""
    _close_and_pay(holds, 205)
    late = told("l", "chargeback_lost", "04-12", reference="dep")
    _tell(holds, late)
    assert holds.stands("IB-0") == {"paid": 205}
    _tell(holds, {**late, "at": "2026-04-11T10:00:00Z", "version": 2})
    assert holds.stands("IB-0") == {"paid": 205, "accrued": -200}
    holds.books()


def test_a_bonus_costs_the_month_in_which_it_was_given_and_comes_back_when_removed(
    pays: Stories,
) -> None:
    paid = 200 + 60 + 5 + 300 + 10  # CPA, steps, 1 % of 500; 30 % of 1000, 2 % of 500
    _close_and_pay(pays, paid)
    _tell(pays, told("b", "bonus", "03-20", amount="50", **USD))
    assert pays.stands("IB-0") == {"paid": paid, "accrued": -15}
    _tell(pays, told("br", "bonus_removed", "04-10", amount="50", **USD))
    assert pays.stands("IB-0") == {"paid": paid}
    books = pays.books()[0]
    assert books["IB", "USD", "accrued", "2026-04-30"] == 15 * E8


def test_a_withdrawal_before_he_qualifies_counts_and_one_that_failed_does_not(
    holds: Stories,
) -> None:
    """Net deposits of 100 are asked; of 500 450 are withdrawn, and come back a month later."""
    withdrawn = told("w", "withdrawal", "03-02", amount="450", **USD)
    _tell(holds, {**KYC, "at": "2026-03-20T10:00:00Z", "version": 2})
    _tell(holds, withdrawn)
    assert holds.stands("IB-0") == {"accrued": 5}
    _tell(holds, told("wr", "withdrawal_reversed", "04-02", reference="w"))
    assert holds.stands("IB-0") == {"accrued": 205}
    assert holds.books()[0]["IB", "USD", "accrued", "2026-04-02"] == 200 * E8


def test_a_withdrawal_after_he_qualified_takes_nothing_back(holds: Stories) -> None:
    _tell(holds, told("w", "withdrawal", "03-20", amount="450", **USD))
    assert holds.stands("IB-0") == {"accrued": 205}


def test_a_duplicate_found_after_payment_is_a_debt_and_a_slip_gives_it_back(two: Stories) -> None:
    _tell(two, REG, DEP)
    _close_and_pay(two, 200)
    _tell(two, told("dup", "client_duplicate", "04-02"))
    assert two.stands("IB-0") == {"paid": 200, "accrued": -200}
    _tell(two, told("not", "client_not_duplicate", "05-02"))
    assert two.stands("IB-0") == {"paid": 200}
    two.books()


def test_a_payment_that_was_proposed_before_the_chargeback_is_not_approved_after_it(
    two: Stories,
) -> None:
    _tell(two, REG, DEP)
    two.close("2026-03")
    him = partners.partner(two.conn, "IB-0")
    number = paying.propose_payment(
        two.conn, him, 200 * E8, reference="SEPA-1", paid_on=LAST_PAID, by="anna"
    )
    two.conn.commit()
    _tell(two, told("o", "chargeback_opened", "04-02", reference="dep"))
    with pytest.raises(Conflict, match=r"^0\.00 USD is payable"):
        approve(two.run, number, by="ben")
    two.conn.rollback()
    _tell(two, told("w", "chargeback_won", "04-20", reference="o"))
    approve(two.run, number, by="ben")
    assert two.stands("IB-0") == {"paid": 200}


def test_a_deposit_that_nobody_can_convert_takes_nothing_of_what_was_booked(ready: Any) -> None:
    stories = ready(Stories, {"std": PLAN, "since": SINCE}, 1)
    stories.trade(1, "03-05")
    events = (REG, DEP, told("chf", "deposit", "03-10", amount="10", currency="CHF"))
    for event in events:
        stories.tell([one.of(event) for one in stories.copies])
    assert stories.stands("IB-0") == {"accrued": 205}
    assert stories.stands("IB-1") == {"accrued": 5}
    assert explain_event(stories.run, "dep-0").agrees
    with pytest.raises(Conflict, match="no_fx"):
        stories.close("2026-03")
    stories.books()
