"""What goes wrong with a client's money after it was paid for: dated stories for finance.

A client registers on 1 March and deposits 500 on 2 March, for which his IB earns a CPA of 200.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from crm_stories import E8, LATER, Event, Stories, told
from test_crm_acceptance import PLAN
from test_crm_any_order import FROM_THEN, SINCE

from pipshare.pipeline.explained.of_event import explain_event

USD = {"currency": "USD"}
REGISTERED = told("reg", "registration", "03-01")
DEPOSITED = told("dep", "deposit", "03-02", amount="500", **USD)
PAID = ("03-02", 200)
Teller = Callable[..., list[tuple[str, int]]]


@pytest.fixture
def stories(ready: Any) -> Any:
    return ready(Stories, {"std": PLAN}, 1)


@pytest.fixture
def tell(stories: Stories) -> Teller:
    """Tell events after the deposit, one by one; return what the IB earned by day, in dollars."""

    def make(*events: Event, deposit: Event = DEPOSITED) -> list[tuple[str, int]]:
        (client,) = stories.copies
        for event in (REGISTERED, deposit, *events):
            stories.tell([client.of(event)])
        books = stories.books()[0]
        return sorted((day.removeprefix("2026-"), amount // E8)
                      for (who, _, state, day), amount in books.items()
                      if (who, state) == ("IB", "accrued"))  # fmt: skip

    return make


def _of(kind: str, event: str, day: str, of: str = "dep", amount: str = "") -> Event:
    money = {"amount": amount, **USD} if amount else {}
    return told(event, kind, day, reference=of, **money)


def _reversed(*told_of: str) -> Event:
    return _of("deposit_reversed", *told_of)


def _opened(*told_of: str) -> Event:
    return _of("chargeback_opened", *told_of)


def _lost(*told_of: str) -> Event:
    return _of("chargeback_lost", *told_of)


def _won(*told_of: str) -> Event:
    return _of("chargeback_won", *told_of)


def test_a_reversal_of_enough_leaves_too_little(tell: Teller) -> None:
    assert tell(_reversed("r", "03-20", "dep", "450")) == [PAID, ("03-20", -200)]


def test_a_reversal_that_leaves_enough_takes_nothing(tell: Teller) -> None:
    assert tell(_reversed("r", "03-20", "dep", "400")) == [PAID]


def test_a_reversal_that_was_a_slip_is_taken_back_itself(tell: Teller) -> None:
    assert tell(_reversed("r", "03-20"), _reversed("rr", "04-20", "r")) == [
        PAID, ("03-20", -200), ("04-20", 200)]  # fmt: skip


def test_a_reversal_taken_back_in_part_gives_back_that_part(tell: Teller) -> None:
    """Of 500 taken back 60 are given back: too little for the CPA."""
    told = tell(_reversed("r", "03-20"), _reversed("rr", "04-20", "r", "60"))
    assert told == [PAID, ("03-20", -200)]


def test_a_dispute_lost_and_won_after_all(tell: Teller) -> None:
    told = tell(_opened("o", "03-10"), _lost("l", "04-20", "o"), _won("w", "05-20", "l"))
    assert told == [PAID, ("04-20", -200), ("05-20", 200)]


def test_two_disputes_of_one_deposit_are_lost_together(tell: Teller) -> None:
    """200 and 250 of the 500: after the first 300 are left, after the second 50."""
    told = tell(_opened("o1", "03-10", "dep", "200"), _lost("l1", "03-20", "o1"),
                _opened("o2", "04-10", "dep", "250"), _lost("l2", "04-20", "o2"))  # fmt: skip
    assert told == [PAID, ("04-20", -200)]


def test_a_second_dispute_gives_nothing_of_the_first_back(tell: Teller) -> None:
    told = tell(_opened("o1", "03-10", "dep", "450"), _lost("l1", "03-20", "o1"),
                _opened("o2", "04-10", "dep", "20"), _won("w2", "04-20", "o2"))  # fmt: skip
    assert told == [PAID, ("03-20", -200)]


def test_who_wins_one_of_two_disputes_waits_for_the_other(tell: Teller, stories: Stories) -> None:
    told = tell(_opened("o1", "03-10", "dep", "450"), _opened("o2", "03-11", "dep", "20"),
                _won("w2", "04-20", "o2"))  # fmt: skip
    assert told == []
    assert stories.stands("IB-0") == {"held": 200}


def test_what_names_the_deposit_alone_ends_all_its_disputes(tell: Teller, stories: Stories) -> None:
    told = tell(_opened("o1", "03-10"), _opened("again", "03-12"), _won("w", "04-20"))
    assert told == [PAID]
    assert stories.stands("IB-0") == {"accrued": 200}


def test_a_chargeback_of_what_was_reversed_takes_nothing_twice(tell: Teller) -> None:
    assert tell(_reversed("r", "03-20"), _lost("l", "04-20")) == [PAID, ("03-20", -200)]


def test_a_deposit_corrected_to_too_little_was_never_enough(tell: Teller) -> None:
    assert tell({**DEPOSITED, "amount": "50", "version": 2}) == []


def test_a_deposit_corrected_to_a_later_month_is_earned_there(tell: Teller) -> None:
    later = {**DEPOSITED, "at": "2026-04-05T10:00:00Z", "version": 2}
    assert tell(later) == [("04-05", 200)]


def test_a_deposit_counts_when_it_is_cleared(tell: Teller) -> None:
    assert tell(deposit={**DEPOSITED, "cleared_at": "2026-03-09T10:00:00Z"}) == [("03-09", 200)]


def test_a_deposit_that_is_reversed_before_it_clears_never_was(tell: Teller) -> None:
    deposit = {**DEPOSITED, "cleared_at": "2026-03-09T10:00:00Z"}
    assert tell(_reversed("r", "03-05"), deposit=deposit) == []


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (_reversed("r", "03-20", "reg"), "other_kind"),
        (_of("withdrawal_reversed", "r", "03-20"), "other_kind"),
        (told("r", "deposit_reversed", "03-20", reference="dep", amount="450", currency="JPY"),
         "other_currency"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_shown_and_takes_nothing(
    tell: Teller, stories: Stories, wrong: Event, reason: str
) -> None:
    assert tell(wrong) == [PAID]
    assert stories.waiting() == [("r-0", reason)]
    mended = {**_reversed("r", "03-20"), "version": 2}
    assert tell(mended) == [PAID, ("03-20", -200)]
    assert stories.waiting() == []


def test_another_clients_reversal_takes_nothing_whoever_is_settled_with_whom(ready: Any) -> None:
    """Not even when both clients are looked at together."""
    stories = ready(Stories, {"std": PLAN}, 2)
    mine, his = stories.copies
    stories.tell([mine.of(REGISTERED), mine.of(DEPOSITED), his.of(REGISTERED)])
    wrong = {**mine.of(_reversed("r", "03-20")), "client": his.client}
    stories.tell([wrong])
    assert stories.stands("IB-0") == {"accrued": 200}
    assert stories.waiting() == [("r-0", "other_client")]
    stories.tell([his.of(DEPOSITED), mine.of(told("x", "bonus", "03-25", amount="1", **USD))])
    assert (stories.stands("IB-0"), stories.stands("IB-1")) == (2 * ({"accrued": 200},))
    stories.tell([{**wrong, "client": mine.client, "version": 2}])
    assert stories.stands("IB-0") == {}
    assert stories.waiting() == []
    stories.books()


def test_a_deposit_counts_for_nothing_before_its_money_is_there(
    ready: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deposited today, cleared tomorrow: nobody has earned by it yet, closing takes it up then."""
    today = datetime.now(UTC) - timedelta(hours=1)
    clears = today + timedelta(days=1)
    deposit = {**DEPOSITED, "at": today.isoformat(), "cleared_at": clears.isoformat()}
    stories = ready(Stories, {"std": PLAN, "since": SINCE}, 1)
    stories.trade(1, "03-02")
    stories.tell([one.of(event) for one in stories.copies for event in (REGISTERED, deposit)])
    assert stories.books() == {0: {("IB", "USD", "accrued", "2026-03-02"): 5 * E8}, 1: {}}
    monkeypatch.setattr("time.time_ns", lambda: LATER * 10**6)
    stories.close("2026-03")
    books = stories.books()
    assert books[0]["IB", "USD", "accrued", f"{clears:%Y-%m-%d}"] == 200 * E8
    assert sum(books[1].values()) == 5 * E8


def test_what_was_paid_before_go_live_is_not_taken_back_here(tell: Teller) -> None:
    """The old system paid for a deposit of December; its chargeback takes nothing from ours."""
    deposit = {**DEPOSITED, "at": "2025-12-02T10:00:00Z"}
    assert tell(_lost("l", "04-20"), deposit=deposit) == []


def test_a_client_pays_from_his_qualification_on_or_back_to_his_registration(ready: Any) -> None:
    """He trades on 1 and 15 March and deposits on the 2nd; then the deposit is charged back."""
    stories = ready(Stories, {"since": SINCE, "then": FROM_THEN}, 1)
    for nth, day in ((1, "03-01"), (2, "03-15"), (3, "04-27")):
        stories.trade(nth, day)
    stories.tell([one.of(REGISTERED) for one in stories.copies])
    assert stories.books() == {0: {}, 1: {}}
    stories.tell([one.of(DEPOSITED) for one in stories.copies])
    days = {number: [day for _, _, _, day in books]
            for number, books in stories.books().items()}  # fmt: skip
    assert sorted(days[0]) == ["2026-03-01", "2026-03-15", "2026-04-27"]
    assert sorted(days[1]) == ["2026-03-15", "2026-04-27"]
    stories.tell([one.of(_lost("l", "04-20")) for one in stories.copies])
    books = stories.books()
    assert books[0] == {}, "as all is known now, he never qualified"
    assert [day for _, _, _, day in books[1]] == ["2026-03-15"], "until the 20th he did"
    stories.tell([one.of(_won("w", "05-20", "l")) for one in stories.copies])
    assert [len(one) for one in stories.books().values()] == [3, 1]


def _moved(stories: Stories) -> None:
    one, _ = stories.copies
    stories.tell([one.of(told) for told in (REGISTERED, DEPOSITED, _lost("l", "04-20"))])
    stories.move("C-0", "IB-1", "05-01")


@pytest.fixture
def moved(ready: Any) -> Any:
    """The deposit is charged back on 20 April; the client is IB-1's from May on."""
    return ready(Stories, {"std": PLAN}, 2, then=_moved)


def test_what_is_won_goes_back_to_whom_it_was_taken_from(moved: Stories) -> None:
    moved.tell([moved.copies[0].of(_won("w", "05-20", "l"))])
    assert moved.stands("IB-0") == {"accrued": 200}
    assert moved.stands("IB-1") == {}
    found = explain_event(moved.run, "w-0")
    assert found.agrees
    moved.books()


def test_who_deposits_anew_qualifies_for_his_partner_of_that_day(moved: Stories) -> None:
    moved.tell([moved.copies[0].of(told("d2", "deposit", "05-25", amount="300", **USD))])
    assert moved.stands("IB-0") == {}
    assert moved.stands("IB-1") == {"accrued": 200}
    moved.books()
