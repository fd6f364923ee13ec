"""What-if over what builds up: a simulation of what is recorded says what is booked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from small_broker import SmallBroker, manager, manager_row
from window_plans import CAPPED, CARRIED, CPA, NET, TIERS

from pipshare.pipeline.loads import apply_plan
from pipshare.pipeline.simulate import Answer, Question, simulate, windows

E8 = 10**8
ROLLING = TIERS.format(method="retroactive").replace(
    'window = "month"', 'window = "rolling"\nlength = 2\nunit = "month"'
)
WEEKLY = CAPPED.replace('per = "client_day"', 'per = "partner_week"')
BOTH = TIERS.format(method="retroactive") + CAPPED.split('currency = "USD"')[1].replace(
    "[[component.cap]]", "[[component.cap]]\ncurrency = \"USD\""
)  # fmt: skip
EVENTS = """event,kind,client,at,amount,currency,reference,source
1,registration,C-1,2026-02-01T10:00:00Z,,,,crm
2,deposit,C-1,2026-03-01T10:00:00Z,150,USD,,crm
3,deposit_reversed,C-1,2026-04-10T10:00:00Z,150,USD,2,crm
"""


def _told(small: SmallBroker) -> None:
    told = (("1", "03.02", "1.00", "-40"), ("2", "03.02", "1.50", "25"),
            ("3", "03.30", "2.00", "10"), ("4", "04.14", "0.50", "70"),
            ("5", "05.04", "3.00", "-90"))  # fmt: skip
    rows = [
        manager_row(int(ticket), lots, **{"Close Time": f"2026.{day} 11:00:00",
                                          "Open Time": f"2026.{day} 09:00:00",
                                          "Profit": profit})
        for ticket, day, lots, profit in told
    ]  # fmt: skip
    small.bring("trades.csv", manager(*rows))
    small.load("events", EVENTS)


@pytest.fixture
def broker(ready: Any) -> Any:
    """Five trades from March to May, of two logins of one client; and his deposit, reversed."""
    return ready(SmallBroker, then=_told)


def ask(broker: SmallBroker, text: str, **known: Any) -> Answer:
    path = broker.file("plan.toml", text)
    answer = simulate(broker.run, Question([path], **known))
    broker.conn.rollback()
    return answer


@pytest.mark.parametrize(
    "text",
    [TIERS.format(method="marginal"), TIERS.format(method="retroactive"), ROLLING, CAPPED, WEEKLY,
     CARRIED, CPA, BOTH],
    ids=["marginal", "retroactive", "rolling", "capped", "weekly", "carried", "cpa", "both"],
)  # fmt: skip
def test_what_is_simulated_is_what_is_booked_afterwards(broker: SmallBroker, text: str) -> None:
    before = {one.partner: one.then_e8 for one in ask(broker, text).partners if one.then_e8}
    apply_plan(broker.run, broker.file("std.toml", text), by="anna")
    assert broker.totals() == before
    again = ask(broker, text)
    assert {one.partner: one.now_e8 for one in again.partners if one.now_e8} == before
    assert all(one.difference_e8 == 0 for one in again.partners)


COSTS = """c1,bonus,C-1,2026-02-10T10:00:00Z,40,USD,,crm
c2,bonus,C-1,2026-04-11T10:00:00Z,200,USD,,crm
c3,bonus,C-1,2026-07-11T10:00:00Z,70,USD,,crm
"""


@pytest.mark.parametrize("carry", ["", '[component.carry]\nnegative = "carry"\n'])
def test_a_month_of_costs_alone_counts(broker: SmallBroker, carry: str) -> None:
    """February and July have no trade: what the client cost there is paid back all the same."""
    text = NET.format(per="month").replace("[[component.rate]]", f"{carry}[[component.rate]]")
    broker.load("events", EVENTS.splitlines()[0] + "\n" + COSTS)
    before = {one.partner: one.then_e8 for one in ask(broker, text).partners if one.then_e8}
    apply_plan(broker.run, broker.file("std.toml", text), by="anna")
    assert before == broker.totals()
    july = ask(broker, text, first=date(2026, 7, 1), last=date(2026, 7, 31))
    if not carry:
        assert [(one.partner, one.then_e8) for one in july.partners if one.then_e8] == [
            ("P-2", -21 * E8)
        ]
    again = ask(broker, text)
    assert {one.partner: one.now_e8 for one in again.partners if one.now_e8} == before


def test_months_are_told_apart(broker: SmallBroker) -> None:
    text = TIERS.format(method="marginal")
    parts = [
        ask(broker, text, first=date(2026, month, 1), last=date(2026, month, 28)).now.amounts
        for month in (3, 4, 5)
    ]
    assert len(parts) == 3
    whole = ask(broker, text)
    march = ask(broker, text, first=date(2026, 3, 1), last=date(2026, 3, 31))
    rest = ask(broker, text, first=date(2026, 4, 1))
    for payee, amount in whole.then.amounts.items():
        assert march.then.amounts[payee] + rest.then.amounts[payee] == amount
    # Of March the first 28 days have 2.50 lots, in a month of 4.50: 2 at 3 and 0.50 at 5.
    early = ask(broker, text, first=date(2026, 3, 1), last=date(2026, 3, 28))
    assert [one.then_e8 for one in early.partners if one.partner == "P-2"] == [850_000_000]


def test_a_cpa_counts_at_its_moment(broker: SmallBroker) -> None:
    march = ask(broker, CPA, first=date(2026, 3, 1), last=date(2026, 3, 31))
    assert {one.partner: one.then_e8 for one in march.partners if one.then_e8} == {"P-2": 200 * E8}
    april = ask(broker, CPA, first=date(2026, 4, 1), last=date(2026, 4, 30))
    assert [one.then_e8 for one in april.partners if one.partner == "P-2"] == [-200 * E8]


def test_clients_that_count_together_are_one_piece(
    broker: SmallBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ladder = (
        CPA.replace(
            "[component.qualify]",
            """[component.tier]
measure = "conversions"
window = "life"
method = "retroactive"
[component.qualify]""",
        )
        + """[[component.rate]]
level = 1
from = "2"
amount = "250"
"""
    )
    broker.load("clients", "client,partner\nC-2,P-2\n")
    broker.load("events", EVENTS.replace("C-1", "C-2").replace("\n1,", "\n11,")
                .replace("\n2,", "\n12,").split("3,deposit_reversed")[0])  # fmt: skip
    broker.conn.commit()
    broker.run.refresh()
    amounts = {one.partner: one.then_e8 for one in ask(broker, ladder).partners}
    monkeypatch.setattr(windows, "MOST_CLIENTS", 1)
    assert {one.partner: one.then_e8 for one in ask(broker, ladder).partners} == amounts
    apply_plan(broker.run, broker.file("std.toml", ladder), by="anna")
    assert broker.totals() == {who: amount for who, amount in amounts.items() if amount}


def test_a_cpa_that_a_plan_corrects_backwards_is_settled_anew(broker: SmallBroker) -> None:
    broker.load("clients", "client,partner\nC-2,P-2\n")
    broker.load("events", EVENTS.replace("C-1", "C-2").replace("\n1,", "\n11,")
                .replace("\n2,", "\n12,").split("3,deposit_reversed")[0])  # fmt: skip
    for amount in ("200", "250", "0", "70"):
        text = CPA.replace('"200"', f'"{amount}"')
        told = {one.partner: one.then_e8 for one in ask(broker, text).partners if one.then_e8}
        apply_plan(broker.run, broker.file("std.toml", text), by="anna")
        assert broker.totals() == told


def test_pieces_do_not_matter(broker: SmallBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    broker.load("partners", "partner,name\nP-3,Other\n")
    whole = {text: ask(broker, text).then.amounts for text in (CARRIED, ROLLING, CPA)}
    monkeypatch.setattr(windows, "AT_ONCE", 1)
    monkeypatch.setattr(windows, "MOST_CLIENTS", 1)
    for text, amounts in whole.items():
        assert ask(broker, text).then.amounts == amounts
