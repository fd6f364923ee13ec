"""Period rules against slow scalar references, and the published and derived cases."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from client_events import UTC_CLOCK, event, frame, ms

from pipshare.rating.finish import (
    FORFEITED,
    FREE,
    HELD,
    carried_over,
    group_numbers,
    kyc_states,
    passes,
    past_advance,
    payable,
    payable_ms,
    reset,
)
from pipshare.rating.qualify import lives

E8 = 10**8


def longs(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_a_loss_is_earned_back_first() -> None:
    amounts = longs(-3000, 4500) * E8
    pays, after = carried_over(longs(0, 0), amounts, 1)
    assert (pays // E8).tolist() == [0, 1500]
    assert (after // E8).tolist() == [-3000, 0]
    assert (reset(amounts) // E8).tolist() == [0, 4500]


def test_less_than_the_minimum_payout_waits() -> None:
    amounts = longs(49_999_000_000, 100_000_000)
    now, after = payable(longs(0, 0), amounts, np.full(2, 500 * E8), 1)
    assert now.tolist() == [0, 50_099_000_000]
    assert after.tolist() == [49_999_000_000, 0]
    exactly, _ = payable(longs(0), longs(500 * E8), longs(500 * E8), 1)
    assert exactly.tolist() == [500 * E8]


def test_a_debit_after_the_payout_is_carried() -> None:
    now, after = payable(longs(0, 0, 0), longs(200, -200, 150) * E8, longs(0, 0, 0), 1)
    assert (now // E8).tolist() == [200, 0, 0]
    assert (after // E8).tolist() == [0, -200, -50]


def test_an_advance_is_earned_back_first() -> None:
    pays, left = past_advance(longs(0, 0), longs(0, 21) * E8, longs(20, 0) * E8, 1)
    assert (pays // E8).tolist() == [0, 1]
    assert (left // E8).tolist() == [20, 0]
    late, _ = past_advance(longs(0, 0, 0), longs(5, 0, 16) * E8, longs(0, 20, 0) * E8, 1)
    assert (late // E8).tolist() == [5, -5, 1]
    back, _ = past_advance(longs(0, 0), longs(15, 0) * E8, longs(20, -20) * E8, 1)
    assert (back // E8).tolist() == [0, 15]


def test_a_month_with_too_few_conversions_pays_nothing() -> None:
    told = passes(longs(10, 10, 0, 3), longs(3, 2, 1, 1), Fraction(3, 10))
    assert told.tolist() == [True, False, True, True]


def test_what_is_held_is_released_or_forfeited() -> None:
    told = lives(frame([event("kyc_approved", "07-10 10:00"), event("kyc_expired", "07-20 10:00"),
                        event("registration", "07-01 10:00", client_id=2)]))  # fmt: skip
    client = longs(1, 1, 1, 2, -1)
    at = longs(ms("07-01 10:00"), ms("07-12 10:00"), ms("07-21 10:00"), ms("07-01 10:00"), 5)
    early = kyc_states(told, client, at, clock=UTC_CLOCK, as_of_ms=ms("07-05 10:00"))
    assert early.tolist() == [HELD, HELD, HELD, HELD, FREE]  # nothing is known of the future
    late = kyc_states(told, client, at, clock=UTC_CLOCK, as_of_ms=ms("07-25 10:00"))
    assert late.tolist() == [FREE, FREE, HELD, HELD, FREE]
    days = kyc_states(told, client, at, clock=UTC_CLOCK, as_of_ms=ms("07-25 10:00"), forfeit_days=8)
    assert days.tolist() == [FORFEITED, FREE, HELD, FORFEITED, FREE]
    nine = kyc_states(told, client, at, clock=UTC_CLOCK, as_of_ms=ms("07-25 10:00"), forfeit_days=9)
    assert nine.tolist() == [FREE, FREE, HELD, FORFEITED, FREE]


def test_an_approval_holds_until_its_document_expires() -> None:
    until = ms("07-10 00:00")
    told = event("kyc_approved", "07-05 10:00", expires_ms=until)
    client, end = longs(1, 1, 1, 1), ms("08-25 10:00")
    at = longs(ms("07-01 10:00"), until - 1, until, ms("07-20 10:00"))

    def states(*more: dict[str, object]) -> list[int]:
        known = lives(frame([told, *more]))
        return kyc_states(known, client, at, clock=UTC_CLOCK, as_of_ms=end).tolist()

    assert states() == [FREE, FREE, HELD, HELD]
    renewed = event("kyc_approved", "07-09 10:00", event="b")
    assert states(renewed) == [FREE, FREE, FREE, FREE]
    assert states(event("kyc_approved", "07-15 10:00", event="b")) == [FREE] * 4
    over = event("kyc_approved", "07-15 10:00", event="b", expires_ms=ms("07-15 10:00"))
    assert states(over) == [FREE, FREE, HELD, HELD]
    assert states(event("kyc_withdrawn", "07-07 10:00")) == [FREE, HELD, HELD, HELD]


def test_hold_days_are_the_brokers() -> None:
    at = longs(ms("07-01 23:59"), ms("07-02 00:00"))
    assert payable_ms(at, longs(30, 0), UTC_CLOCK).tolist() == [
        ms("07-31 00:00"),
        ms("07-02 00:00"),
    ]


def _rows(rnd: Random) -> tuple[np.ndarray, np.ndarray, int]:
    groups = rnd.randint(1, 4)
    count = rnd.randint(0, 25)
    group = np.array([rnd.randrange(groups) for _ in range(count)], np.int64)
    amount = np.array([rnd.randint(-500, 600) for _ in range(count)], np.int64)
    return group, amount, groups


@pytest.mark.parametrize("seed", range(60))
def test_carrying_over_telescopes(seed: int) -> None:
    rnd = Random(seed)
    group, amount, groups = _rows(rnd)
    opening = np.array([-rnd.randint(0, 300) for _ in range(groups)], np.int64)
    pays, after = carried_over(group, amount, groups, opening)
    for one in range(groups):
        balance, total, most, paid = int(opening[one]), int(opening[one]), 0, 0
        for row in np.flatnonzero(group == one).tolist():
            balance += int(amount[row])
            assert pays[row] == max(balance, 0)
            balance = min(balance, 0)
            assert after[row] == balance
            total, paid = total + int(amount[row]), paid + int(pays[row])
            most = max(most, total)
            assert paid == most  # the highest sum there ever was
            assert paid + balance == total
    # Cut anywhere and carried on, it is the same.
    cut = len(group) // 2
    first, middle = carried_over(group[:cut], amount[:cut], groups, opening)
    for row in range(cut):
        opening[group[row]] = middle[row]
    second, _ = carried_over(group[cut:], amount[cut:], groups, opening)
    assert np.r_[first, second].tolist() == pays.tolist()


@pytest.mark.parametrize("seed", range(60))
def test_the_minimum_payout_loses_nothing(seed: int) -> None:
    rnd = Random(seed)
    group, amount, groups = _rows(rnd)
    minimum = np.full(len(group), rnd.choice((0, 1, 300, 5000)), np.int64)
    now, after = payable(group, amount, minimum, groups)
    for one in range(groups):
        balance = 0
        for row in np.flatnonzero(group == one).tolist():
            balance += int(amount[row])
            pays = balance if balance > 0 and balance >= minimum[row] else 0
            balance -= pays
            assert (now[row], after[row]) == (pays, balance)
        assert int(now[group == one].sum()) + balance == int(amount[group == one].sum())


@pytest.mark.parametrize("seed", range(60))
def test_an_advance_is_kept_once(seed: int) -> None:
    rnd = Random(seed)
    group, earned, groups = _rows(rnd)
    advance = np.array([rnd.choice((0, 0, 100, 250)) for _ in group], np.int64)
    pays, left = past_advance(group, earned, advance, groups)
    for one in range(groups):
        mine = group == one
        total, given = int(earned[mine].sum()), int(advance[mine].sum())
        kept = min(max(total, 0), given)
        assert int(pays[mine].sum()) == total - kept
        if mine.any():
            assert left[mine][-1] == given - kept


def test_groups_are_numbered_by_all_their_columns() -> None:
    number, count = group_numbers(longs(5, 5, 7, 5), longs(1, 2, 1, 1))
    assert (number.tolist(), count) == ([0, 1, 2, 0], 3)
    assert group_numbers(longs()) == (pytest.approx([]), 0)
