"""What holds of every plan: sums are kept, top rates are not exceeded, running totals telescope."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twin_stories import chain, e8, fx, lines, many, part, plan, rate, split, total, trade

from pipshare.plans.periods import Cap, Carry, Tier
from pipshare.plans.terms import Component, Rebate, Rounding
from pipshare.rating.reasons import Reason
from pipshare.rating.twin import rate_many
from pipshare.rating.twin.finish import advance, carry_on
from pipshare.rating.twin.tiers import marginal
from pipshare.rating.twin_values import TradeFacts

SEEDS = st.integers(0, 2**63)
SHARES = ("0", "0.1", "1/3", "0.25", "2/7", "1")
LOTS = ("0.01", "1", "3.33", "150", "0.00000333")
CARDS = ("a", "b", "c", "d", "e")


def _sum(component: Component, one: TradeFacts, levels: int) -> int:
    found = lines(plan(component), one, ["a"] * levels)
    assert all(x.wait is None for x in found)
    return sum(x.orig_e8 for x in found)


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_share_up_and_pot_split_keep_the_pot(seed: int) -> None:
    rnd = Random(seed)
    levels, one = rnd.randint(1, 6), trade(rnd.choice(LOTS))
    pot = part("lot", rate(rnd.choice(("1/3", "7", "0.07"))))
    whole = _sum(pot, one, 1)
    splits = tuple(split(rnd.choice(SHARES), n) for n in range(1, 7) if rnd.random() < 0.8)
    rounding = rnd.choice((Rounding(), Rounding(amount=2)))
    up = replace(pot, mode="share_up", splits=splits)
    assert _sum(up, one, levels) == whole
    rounded = replace(pot, rounding=rounding)
    assert _sum(replace(up, rounding=rounding), one, levels) == _sum(rounded, one, 1)
    weights = [rnd.randint(1, 9) for _ in range(levels)]
    parts = tuple(split(f"{w}/{sum(weights)}", n) for n, w in enumerate(weights, 1))
    assert _sum(replace(rounded, mode="pot_split", splits=parts), one, levels) == (
        _sum(rounded, one, 1)
    )


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_difference_and_rank_never_exceed_the_top_rate(seed: int) -> None:
    rnd = Random(seed)
    one = trade(rnd.choice(LOTS))
    rates = [rate(str(Fraction(rnd.randint(0, 50), rnd.choice((1, 3, 7)))), card=c) for c in CARDS]
    cards = [rnd.choice(CARDS) for _ in range(rnd.randint(1, 7))]
    difference = lines(plan(part("lot", *rates, mode="difference")), one, cards)
    singles = [lines(plan(part("lot", *rates)), one, [card])[0].orig_e8 for card in cards]
    assert sum(x.orig_e8 for x in difference) == max(singles)
    rank = lines(plan(part("lot", *rates, mode="rank", ranks=CARDS)), one, cards)
    top = max(CARDS.index(card) for card in cards)
    each = [lines(plan(part("lot", *rates)), one, [card])[0].orig_e8 for card in CARDS]
    assert sum(x.orig_e8 for x in rank) == sum(each[: top + 1])


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_a_rebate_takes_nothing_from_the_sum(seed: int) -> None:
    rnd = Random(seed)
    one = trade(rnd.choice(LOTS))
    plain = part("lot", rate("7/3"))
    given_back = replace(plain, rebate=Rebate(Fraction(rnd.choice(SHARES))))
    assert _sum(given_back, one, 1) == _sum(plain, one, 1)


@given(st.lists(st.integers(-(10**12), 10**12), max_size=12))
def test_carry_over_telescopes(sums: list[int]) -> None:
    paid, carried, losses = 0, 0, []
    for one in sums:
        payable, losses = carry_on(Carry(), date(2026, 1, 1), one, losses)
        carried = -sum(amount for _, amount in losses)
        assert payable >= 0 >= carried
        assert not payable or not carried
        paid += payable
    assert paid + carried == sum(sums)


@given(st.lists(st.integers(0, 10**9), max_size=12), st.integers(0, 10**10))
def test_an_advance_is_earned_back_once(earned: list[int], paid_before: int) -> None:
    done, paid = 0, 0
    for one in earned:
        paid += advance(done + one, paid_before) - advance(done, paid_before)
        done += one
    assert paid == max(done - paid_before, 0)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=12), st.sampled_from(("from", "above")))
def test_marginal_bands_telescope(steps: list[int], boundary: str) -> None:
    rules = part("lot", rate("3"), rate("5", start="100"), rate("7", start="500")).rates
    tier = Tier(1, "lots", boundary=boundary)  # type: ignore[arg-type]
    done, due = Fraction(0), Fraction(0)
    for one in steps:
        mean = marginal(rules, tier, done, done + one)
        assert mean is not None
        due += mean * one
        done += one
    whole = 3 * min(done, 100) + 5 * max(min(done, 500) - 100, 0) + 7 * max(done - 500, 0)
    assert due == whole


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_caps_hold_whatever_comes_in_which_order(seed: int) -> None:
    rnd = Random(seed)
    limit = rnd.choice(("0", "7.5", "100"))
    cap = Cap(1, Fraction(limit), rnd.choice(("client_day", "partner_month")), "money", "USD")
    component = part("lot", rate("2"), caps=(cap,))
    trades = [
        replace(trade(rnd.choice(LOTS), client_id=rnd.choice((1, 2))), ticket=i)
        for i in range(rnd.randint(1, 9))
    ]
    result = many(component, *rnd.sample(trades, len(trades)))
    keys = {t.client_id for t in trades} if cap.per == "client_day" else {0}
    assert sum(x.sum_e8 for x in result.totals) <= e8(limit) * len(keys)
    whole = sum(e8("2") * t.lots_e8 // 10**8 for t in trades)
    if whole <= e8(limit):
        assert sum(x.sum_e8 for x in result.totals) == whole


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_what_is_cancelled_leaves_nothing(seed: int) -> None:
    rnd = Random(seed)
    tier = Tier(1, "lots", method=rnd.choice(("marginal", "retroactive")))
    component = part("lot", rate("3"), rate("5", start="2"), tier=tier)
    trades = [replace(trade(rnd.choice(LOTS)), ticket=i) for i in range(rnd.randint(1, 6))]
    gone = [replace(one, cancelled=True) for one in trades]
    assert total(many(component, *gone)) == "0"
    kept, half = trades[: len(trades) // 2], gone[len(trades) // 2 :]
    assert total(many(component, *kept, *half)) == total(many(component, *kept))


def test_every_zero_says_why() -> None:
    people = chain(plan(part("lot", rate("3"), tier=Tier(1, "lots"))))
    found = rate_many([(trade(cancelled=True), people)], fx()).lines
    assert [x.line.reason for x in found] == [Reason.CANCELLED]
    assert [step.label for step in found[0].line.working] == ["reason"]
