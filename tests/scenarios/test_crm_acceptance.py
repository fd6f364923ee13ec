"""A deposit of 500 triggers a CPA, the deposit is charged back, and the commission is taken back.

In whatever order, however late and however often the events come; before and after the period is
closed; before and after the commission was paid out.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from crm_stories import E8, Stories, told

from pipshare import partners, statements
from pipshare.errors import Conflict
from pipshare.pipeline import paying
from pipshare.pipeline.explained.of_event import explain_event

PLAN = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "cpa"
basis = "fixed"
mode = "per_level"
event = "qualified"
qualify = { first_deposit = 100 }
[[component.rate]]
level = 1
amount = "200"
[[component.rate]]
level = 2
amount = "20"

[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
[[component.rate]]
level = 1
amount = "5"
"""
REGISTERED = told("reg", "registration", "03-01")
DEPOSITED = told("dep", "deposit", "03-02", amount="500", currency="USD", method="card")
DISPUTED = told("open", "chargeback_opened", "04-10", reference="dep")
LOST = told("lost", "chargeback_lost", "05-20", reference="open")
STORY = (REGISTERED, DEPOSITED, DISPUTED, LOST)
ORDERS = list(permutations((DEPOSITED, DISPUTED, LOST)))
Broker = Callable[[int], Stories]


@pytest.fixture
def broker(ready: Any) -> Broker:
    return lambda copies: ready(Stories, {"std": PLAN}, copies)


def _tell_in_every_order(stories: Stories, between: Callable[[int], None]) -> None:
    """Tell each copy one event a round, each in an order of its own, and repeat what was told."""
    for nth in range(3):
        fresh = [one.of(order[nth]) for one, order in zip(stories.copies, ORDERS, strict=True)]
        again = [one.of(order[0]) for one, order in zip(stories.copies, ORDERS, strict=True)]
        stories.tell([*fresh, *(again if nth else [])])
        between(nth)
    stories.tell([one.of(event) for one in stories.copies for event in STORY])


def test_the_story_as_finance_reads_it(broker: Broker) -> None:
    stories = broker(1)
    (client,) = stories.copies
    stories.tell([client.of(REGISTERED)])
    assert stories.stands("IB-0") == {}
    stories.tell([client.of(DEPOSITED)])  # 2 March: 500 deposited, 200 earned
    assert stories.stands("IB-0") == {"accrued": 200}
    assert stories.stands("M-0") == {"accrued": 20}
    stories.tell([client.of(DISPUTED)])  # 10 April: disputed, held as earned on 2 March
    assert stories.books()[0] == {
        ("IB", "USD", "held", "2026-03-02"): 200 * E8,
        ("M", "USD", "held", "2026-03-02"): 20 * E8,
    }
    stories.tell([client.of(LOST)])  # 20 May: the money is gone, and so is the commission
    assert stories.stands("IB-0") == {}
    assert stories.books()[0] == {
        ("IB", "USD", "accrued", "2026-03-02"): 200 * E8,
        ("IB", "USD", "accrued", "2026-05-20"): -200 * E8,
        ("M", "USD", "accrued", "2026-03-02"): 20 * E8,
        ("M", "USD", "accrued", "2026-05-20"): -20 * E8,
    }
    found = explain_event(stories.run, "lost-0")
    assert found.agrees
    assert [one["amount_e8"] for one in found.booked if one["payee"] == "IB-0"][-1] == -200 * E8


def test_in_any_order_before_the_period_is_closed(broker: Broker) -> None:
    stories = broker(len(ORDERS))
    _tell_in_every_order(stories, lambda nth: None)
    first, *others = stories.books().values()
    assert first["IB", "USD", "accrued", "2026-03-02"] == 200 * E8
    assert first["IB", "USD", "accrued", "2026-05-20"] == -200 * E8
    assert others == [first] * len(others)
    assert stories.waiting() == []


def test_in_any_order_while_the_periods_are_closed(broker: Broker) -> None:
    """After each event a month is closed: what is told later is booked in the open one."""
    stories = broker(len(ORDERS))
    stories.trade(1, "03-01")
    _tell_in_every_order(stories, lambda nth: stories.close(f"2026-0{nth + 3}"))
    for one in stories.copies:
        held = stories.stands(f"IB-{one.number}")
        assert sum(held.values()) == 5, "the trade of March alone"
    stories.close("2026-06")
    for one in stories.copies:
        assert stories.stands(f"IB-{one.number}") == {"payable": 5}
        assert stories.stands(f"M-{one.number}") == {}
    assert [row.carried_e8 for row in statements.frozen(stories.conn, 1, "2026-06")] == [0] * 12
    stories.books()


def test_in_any_order_and_paid_out_wherever_it_was_payable(broker: Broker) -> None:
    """Who was paid the 200 owes them; who was not, has nothing: whoever was told what when."""
    stories = broker(len(ORDERS))
    paid: set[int] = set()

    def month_end(nth: int) -> None:
        stories.close(f"2026-0{nth + 3}")
        for one in stories.copies:
            if stories.stands(f"IB-{one.number}").get("payable") == 200:
                stories.pay(f"IB-{one.number}", 200, f"SEPA-{one.number}")
                paid.add(one.number)

    _tell_in_every_order(stories, month_end)
    stories.close("2026-06")
    # To three of them the deposit came, and nothing that takes it back: what was lost in a dispute
    # of which nobody had heard waits.
    assert paid == {0, 1, 4}
    for one in stories.copies:
        held = stories.stands(f"IB-{one.number}")
        assert held == ({"paid": 200, "accrued": -200} if one.number in paid else {})
    stories.books()


def test_a_debt_after_payment_is_carried_and_repaid_by_later_earnings(broker: Broker) -> None:
    stories = broker(1)
    (client,) = stories.copies
    stories.tell([client.of(one) for one in (REGISTERED, DEPOSITED)])
    stories.close("2026-03")
    march = statements.frozen(stories.conn, 1, "2026-03")
    stories.pay("IB-0", 200, "SEPA-1")
    stories.tell([client.of(LOST), client.of(DISPUTED)])
    assert stories.stands("IB-0") == {"paid": 200, "accrued": -200}
    him = partners.partner(stories.conn, "IB-0")
    assert paying.payable(stories.conn, him) == 0
    with pytest.raises(Conflict, match=r"^0\.00 USD is payable"):
        stories.pay("IB-0", 1, "SEPA-2")
    stories.conn.rollback()
    assert statements.frozen(stories.conn, 1, "2026-03") == march
    stories.trade(1, "05-04", lots="30.00")  # 150 earned: the debt is 50
    stories.close("2026-04", "2026-05")
    (row,) = [one for one in statements.frozen(stories.conn, 1, "2026-05")
              if one.payee[1] == him.id]  # fmt: skip
    assert (row.payable_e8, row.carried_e8) == (0, -50 * E8)
    assert "debt" in row.why
    stories.trade(2, "06-04", lots="30.00")  # 150 more: 100 can be paid
    stories.close("2026-06")
    assert stories.stands("IB-0") == {"paid": 200, "payable": 100}
    stories.pay("IB-0", 100, "SEPA-2")
    assert stories.stands("IB-0") == {"paid": 300}
    stories.books()


def test_a_dispute_that_is_won_after_payment_gives_everything_back(broker: Broker) -> None:
    stories = broker(1)
    (client,) = stories.copies
    stories.tell([client.of(one) for one in (REGISTERED, DEPOSITED)])
    stories.close("2026-03")
    stories.pay("IB-0", 200, "SEPA-1")
    stories.tell([client.of(DISPUTED)])
    assert stories.stands("IB-0") == {"paid": 200, "accrued": -200, "held": 200}
    stories.close("2026-04")
    stories.tell([client.of(told("won", "chargeback_won", "05-20", reference="open"))])
    assert stories.stands("IB-0") == {"paid": 200}
    stories.close("2026-05")
    assert stories.stands("IB-0") == {"paid": 200}
    assert stories.stands("M-0") == {"payable": 20}
    stories.books()
