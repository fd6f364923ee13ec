"""Withdrawals after a client was paid for, under a plan that asks for what was deposited to stay.

He registers on 1 March and deposits 500 on 2 March, for which his IB earns a CPA of 200; 100 of it
have to stay for 30 days.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from crm_stories import E8, Event, Stories, told
from test_crm_acceptance import PLAN
from test_crm_any_order import FROM_THEN, SINCE
from test_crm_negative_events import DEPOSITED, PAID, REGISTERED, USD

from pipshare.pipeline.explained.of_event import explain_event

KEEPS = PLAN.replace('"std"', '"keeps"').replace("= 100 }", "= 100, keep_days = 30 }")
KEEPS = KEEPS.replace('event = "qualified"', 'event = "qualified"\nclawback_days = 40')
MONTHS = tuple(f"2026-0{month}" for month in range(3, 7))
BACK = ("03-20", -200)


def _withdrawn(event: str, day: str, amount: str = "450") -> Event:
    return told(event, "withdrawal", day, amount=amount, **USD)


def _failed(event: str, day: str, of: str, amount: str = "") -> Event:
    return _of("withdrawal_reversed", event, day, of, amount)


def _of(kind: str, event: str, day: str, of: str = "dep", amount: str = "") -> Event:
    money = {"amount": amount, **USD} if amount else {}
    return told(event, kind, day, reference=of, **money)


def _again(day: str, amount: str) -> Event:
    return told("d2", "deposit", day, amount=amount, **USD)


def _lost(day: str, amount: str = "") -> Event:
    return _of("chargeback_lost", "l", day, "dep", amount)


OF_WITHDRAWALS: Sequence[tuple[str, Sequence[Event], Sequence[tuple[str, int]]]] = (
    ("too much", [_withdrawn("w", "03-20")], [PAID, BACK]),
    ("what leaves enough", [_withdrawn("w", "03-20", "400")], [PAID]),
    ("on the last day", [_withdrawn("w", "04-01")], [PAID, ("04-01", -200)]),
    ("a day later", [_withdrawn("w", "04-02")], [PAID]),
    ("in two parts", [_withdrawn("w", "03-20", "400"), _withdrawn("w2", "03-22", "50")],
     [PAID, ("03-22", -200)]),
    ("the second too late", [_withdrawn("w", "03-20", "400"), _withdrawn("w2", "04-02", "50")],
     [PAID]),
    ("failed", [_withdrawn("w", "03-20"), _failed("wr", "04-20", "w")],
     [PAID, BACK, ("04-20", 200)]),
    ("failed in part", [_withdrawn("w", "03-20"), _failed("wr", "04-20", "w", "40")],
     [PAID, BACK]),
    ("cancelled by mistake",
     [_withdrawn("w", "03-20"), _failed("wr", "04-05", "w"), _failed("slip", "04-08", "wr")],
     [PAID, BACK, ("04-05", 200), ("04-08", -200)]),
    ("deposited again", [_withdrawn("w", "03-20"),
                         _again("03-25", "60")],
     [PAID, BACK, ("03-25", 200)]),
    ("deposited again and withdrawn again",
     [_withdrawn("w", "03-20"), _again("03-25", "60"),
      _withdrawn("w2", "04-24", "60")], [PAID, BACK, ("03-25", 200), ("04-24", -200)]),
    ("deposited again, then it failed",
     [_withdrawn("w", "03-20"), _again("03-25", "60"),
      _failed("wr", "04-20", "w")], [PAID, BACK, ("03-25", 200)]),
    ("deposited again, too little",
     [_withdrawn("w", "03-20"), _again("03-25", "40")], [PAID, BACK]),
    ("and charged back later", [_withdrawn("w", "03-20"), _lost("04-20")], [PAID, BACK]),
    ("of what a chargeback leaves",
     [_withdrawn("w", "03-20", "300"), _lost("04-05", "150")], [PAID, ("04-05", -200)]),
)  # fmt: skip


@pytest.mark.parametrize("closing", [(), ("2026-03",), ("2026-03", "2026-04")])
def test_withdrawals_in_the_days_in_which_deposits_have_to_stay(
    ready: Any, closing: Sequence[str]
) -> None:
    """Told before their months are closed, or after: then they are booked in the open one."""
    stories = ready(Stories, {"keeps": KEEPS}, len(OF_WITHDRAWALS))
    start = [one.of(event) for one in stories.copies for event in (REGISTERED, DEPOSITED)]
    stories.tell(start)
    stories.close(*closing)
    for nth in range(3):
        stories.tell([one.of(story[nth]) for one, (_, story, _) in
                      zip(stories.copies, OF_WITHDRAWALS, strict=True)
                      if nth < len(story)])  # fmt: skip
    books = stories.books()
    for one, (name, _, due) in zip(stories.copies, OF_WITHDRAWALS, strict=True):
        mine = {key: amount for key, amount in books[one.number].items() if key[0] == "IB"}
        assert sum(mine.values()) == sum(amount for _, amount in due) * E8, name
        by_day = sorted((day.removeprefix("2026-"), amount // E8)
                        for (_, _, _, day), amount in mine.items())  # fmt: skip
        assert closing or by_day == due, name
    stories.close(*MONTHS[len(closing) :])
    for one, (name, _, due) in zip(stories.copies, OF_WITHDRAWALS, strict=True):
        left = sum(amount for _, amount in due)
        assert stories.stands(f"IB-{one.number}") == ({"payable": left} if left else {}), name
    stories.books()


def test_explaining_a_withdrawal_says_what_it_took_back_and_what_gave_it_back(ready: Any) -> None:
    stories = ready(Stories, {"keeps": KEEPS}, 1)
    told_of = (REGISTERED, DEPOSITED, _withdrawn("w", "03-20"), _failed("wr", "04-20", "w"))
    stories.tell([stories.copies[0].of(event) for event in told_of])
    for event, amount, reason in (("w-0", -200, "WITHDRAWN"), ("wr-0", 200, "PAID")):
        found = explain_event(stories.run, event)
        assert {row["reason"] for row in found.booked} == {reason.lower()}
        assert found.agrees
        direct = found.parts[0].lines[0].line
        assert (direct.amount_e8, direct.reason.name) == (amount * E8, reason)
        assert [row["amount_e8"] for row in found.booked if row["payee"] == "IB-0"] == [amount * E8]


def test_who_withdraws_brings_no_more_trades_and_is_given_back_his_partner_of_then(
    ready: Any,
) -> None:
    """He trades on 15 March, 27 April and 26 May; what he withdrew on 20 March fails on 20 May."""
    stays = 'first_deposit = "100"\nkeep_days = 30'
    then = FROM_THEN.replace('first_deposit = "100"', stays)
    since = SINCE.replace('first_deposit = "100"', stays)
    stories = ready(Stories, {"since": since, "then": then, "std": PLAN}, 1)
    for nth, day in ((1, "03-15"), (2, "04-27"), (3, "05-26")):
        stories.trade(nth, day)

    def days() -> list[list[str]]:
        return [sorted(day[5:] for who, _, _, day in books if who == "IB")
                for books in stories.books().values()]  # fmt: skip

    def every(event: Event) -> list[list[str]]:
        stories.tell([one.of(event) for one in stories.copies])
        return days()

    every(REGISTERED)
    paid = ["03-15", "04-27", "05-26"]
    without = sorted(["03-02", *paid])
    assert every(DEPOSITED) == [paid, paid, without]
    assert every(_withdrawn("w", "03-20")) == [[], ["03-15"], without]
    again = _again("05-10", "60")
    assert every(again) == [paid, ["03-15", "05-26"], without]
    assert every({**again, "amount": "10", "version": 2}) == [[], ["03-15"], without]
    assert every(_failed("wr", "05-20", "w")) == [paid, ["03-15", "05-26"], without]


def test_what_a_failed_withdrawal_gives_back_goes_to_whom_it_was_taken_from(ready: Any) -> None:
    """The clients are IB-2's from May on; one deposits again, of the other the withdrawal fails."""
    stories = ready(Stories, {"keeps": KEEPS}, 3)
    failed, deposits, _ = stories.copies
    stories.tell([one.of(event) for one in (failed, deposits)
                  for event in (REGISTERED, DEPOSITED, _withdrawn("w", "03-20"))])  # fmt: skip
    for one in (failed, deposits):
        stories.move(one.client, "IB-2", "05-01")
    stories.tell([failed.of(_failed("wr", "05-20", "w"))])
    assert [stories.stands(f"IB-{nth}") for nth in range(3)] == [{"accrued": 200}, {}, {}]
    stories.tell([deposits.of(_again("05-25", "300"))])
    assert [stories.stands(f"IB-{nth}") for nth in range(3)] == [
        {"accrued": 200}, {}, {"accrued": 200}]  # fmt: skip
    stories.books()
