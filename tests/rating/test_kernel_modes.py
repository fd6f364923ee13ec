"""The published examples of how levels share, by columns; what is split sums up exactly."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from deal_stories import Deal, paid, rated, total
from hypothesis import given, settings
from hypothesis import strategies as st
from twin_stories import part, plan, rate, share, split

from pipshare.plans.periods import Cap
from pipshare.plans.terms import Rebate

RANKS = ("bronze", "silver", "gold", "diamond", "platinum")
CENTS = st.integers(0, 10_000).map(lambda cents: Fraction(cents, 100))


def by_card(*amounts: str, names: tuple[str, ...] = RANKS) -> list[object]:
    """Write a rate per card."""
    return [rate(amount, card=name) for name, amount in zip(names, amounts, strict=False)]


def test_share_up() -> None:
    shares = (split("0.20", 1), split("0.10"))
    pot = part("lot", rate("5"), mode="share_up", splits=shares)
    assert paid(pot, Deal(), cards=("a",) * 4) == ["4", "0.9", "0.09", "0.01"]


def test_difference_with_a_depth_of_two() -> None:
    names = ("d", "c", "b")
    texts = ("0.6", "0.7", "0.8")
    shares = [share(text, card=name) for name, text in zip(names, texts, strict=True)]
    fee = part("commission", *shares, mode="difference")
    assert paid(plan(fee, depth=2), Deal(commission="-10"), cards=names) == ["6", "1"]
    assert paid(fee, Deal(commission="-10"), cards=names) == ["6", "1", "1"]


def test_per_level_and_override() -> None:
    levels = part("commission", share("0.3", level=1), share("0.2", level=2))
    assert paid(levels, Deal(commission="-10"), cards=("a",) * 3) == ["3", "2"]
    first = part("lot", rate("10", level=1), code="first")
    over = part("lot", share("0.2", level=2, of="first"), mode="override", code="over")
    assert paid(plan(first, over), Deal(), cards=("a", "b")) == ["10", "2"]


def test_pot_split() -> None:
    pot = part("lot", rate("10"), mode="pot_split", splits=(split("0.7", 1), split("0.3", 2)))
    assert paid(pot, Deal(), cards=("a", "b")) == ["7", "3"]
    over = part("lot", rate("10"), mode="pot_split", splits=(split("0.7"),))
    assert paid(over, Deal(), cards=("a", "b")) == ["shares_over_one", "child_waits"]


def test_master_and_sub() -> None:
    rates = part("lot", *by_card("5", "7", names=("sub", "master")), mode="difference")
    assert paid(rates, Deal(), cards=("sub", "master")) == ["5", "2"]
    assert paid(rates, Deal(), cards=("master", "sub")) == ["7", "nothing_left"]


def test_percent_of_child() -> None:
    shares = tuple(split(text, level) for level, text in enumerate(("0.2", "0.75", "0.5"), 2))
    chain = part("lot", rate("10"), mode="percent_of_child", splits=shares)
    assert paid(chain, Deal(), cards=("a",) * 4) == ["10", "2", "1.5", "0.75"]


def test_shares_by_depth() -> None:
    texts = ("1", "0.2", "0.15", "0.07", "0.03")
    levels = part("commission", *[share(text, level=n) for n, text in enumerate(texts, 1)])
    assert paid(levels, Deal(commission="-10"), cards=("a",) * 5) == [
        "10",
        "2",
        "1.5",
        "0.7",
        "0.3",
    ]


def test_rank_roll_up() -> None:
    ranks = part("lot", *by_card("1", "1", "1", "1", "1"), mode="rank", ranks=RANKS)
    chain = [RANKS[place] for place in (0, 2, 2, 3, 1, 2, 3, 4, 4)]
    rates = part("lot", *by_card("1", "2", "3", "4", "5"), mode="rank", ranks=RANKS)
    assert paid(rates, Deal(), cards=chain) == [
        "1", "5", "nothing_left", "4", "nothing_left", "nothing_left", "nothing_left", "5",
        "nothing_left",
    ]  # fmt: skip
    assert total(ranks, Deal(), cards=chain) == "5"


@pytest.mark.parametrize(("taken", "above"), [("before", "1.5"), ("after", "2")])
def test_a_rebate_is_taken_from_the_lowest_level(taken: str, above: str) -> None:
    chain = part("lot", rate("10"), mode="percent_of_child", splits=(split("0.2", 2),),
                 rebate=Rebate(Fraction(1, 4), taken))  # type: ignore[arg-type]  # fmt: skip
    found = rated(chain, Deal(client=44), cards=("a", "b"))
    assert found.lines.level.tolist() == [0, 1, 2]
    assert found.lines.partner_id.tolist() == [0, 1, 2]
    assert found.lines.client is not None
    assert found.lines.client.tolist() == [44, -1, -1]
    assert paid(chain, Deal(), cards=("a", "b")) == ["2.5", "7.5", above]


def test_a_level_is_skipped() -> None:
    pot = part("lot", rate("5"), mode="share_up", splits=(split("0.2"),), skip_levels=(2,))
    assert paid(pot, Deal(), cards=("a", "b", "c")) == ["4", "1"]


def test_a_cap_per_order_cuts_and_tells() -> None:
    capped = part("lot", rate("30"), caps=(Cap(1, Fraction(100), "order", "money", "USD"),))
    found = rated(capped, Deal("2"), Deal("5"))
    assert found.lines.capped is not None
    assert found.lines.capped.tolist() == [False, True]
    assert paid(capped, Deal("2"), Deal("5")) == ["60", "100"]


@given(st.lists(st.fractions(0, 1, max_denominator=97), min_size=1, max_size=6), CENTS)
@settings(max_examples=60, deadline=None)
def test_share_up_keeps_the_sum(shares: list[Fraction], amount: Fraction) -> None:
    splits = tuple(split(str(text), level) for level, text in enumerate(shares, 1))
    pot = part("lot", rate(str(amount)), mode="share_up", splits=splits)
    assert Decimal(total(pot, Deal("0.37"), cards=("a",) * len(shares))) == Decimal(
        total(part("lot", rate(str(amount))), Deal("0.37"))
    )


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), CENTS)
@settings(max_examples=60, deadline=None)
def test_a_pot_that_is_split_whole_keeps_the_sum(weights: list[int], amount: Fraction) -> None:
    whole = sum(weights)
    splits = tuple(split(f"{one}/{whole}", level) for level, one in enumerate(weights, 1))
    pot = part("lot", rate(str(amount)), mode="pot_split", splits=splits)
    assert total(pot, Deal("0.37"), cards=("a",) * len(weights)) == total(
        part("lot", rate(str(amount))), Deal("0.37")
    )


CHAINS = st.lists(st.sampled_from(RANKS), min_size=1, max_size=8)


@given(CHAINS, st.sampled_from(("difference", "rank")))
@settings(max_examples=60, deadline=None)
def test_the_chain_takes_no_more_than_its_top_rate(cards: list[str], mode: str) -> None:
    rates = part("lot", *by_card("1", "2.5", "3", "3", "4.01"), mode=mode, ranks=RANKS)
    sums = [Fraction(1), Fraction(7, 2), Fraction(13, 2), Fraction(19, 2), Fraction("13.51")]
    tops = [Fraction(1), Fraction("2.5"), Fraction(3), Fraction(3), Fraction("4.01")]
    top = max((sums if mode == "rank" else tops)[RANKS.index(card)] for card in cards)
    assert Fraction(total(rates, Deal(), cards=cards)) == top
