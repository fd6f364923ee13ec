"""Ranks whose rates go by a tier: each rank is paid once, by the bands of whoever gets it."""

from __future__ import annotations

from twin_stories import among, amounts, chain, part, plan, rate, trade

from pipshare.plans.periods import Tier
from pipshare.plans.terms import Component, Programme
from pipshare.rating.twin import ManyResult
from pipshare.rating.twin_values import Partner, TradeFacts

GOLD, FIRST, SECOND, MORE = 1, 2, 3, 4  # a partner of rank gold, and three of rank bronze
RANKS = ("bronze", "gold")
STEPS = part(
    "fixed", rate("10", card="bronze", start="2"), rate("30", card="bronze", start="5"),
    rate("7", card="gold", start="3"), rate("20", card="gold", start="6"),
    mode="rank", ranks=RANKS, event="trade", tier=Tier(1, "lots", of="network", method="ladder"),
)  # fmt: skip


def _rated(component: Component, *given: tuple[str, tuple[int, ...]]) -> ManyResult:
    """Rate trades of so many lots by kernel and twin."""
    whole: Programme = plan(component)
    people: tuple[Partner, ...] = chain(whole, ["gold", "bronze", "bronze", "bronze"])
    told: list[tuple[TradeFacts, tuple[int, ...]]] = [(trade(lots), who) for lots, who in given]
    return among(whole, people, *told)


def test_each_rank_goes_up_its_own_steps() -> None:
    found = _rated(STEPS, *[("1", (FIRST, GOLD))] * 6)
    assert amounts(found, FIRST) == [
        "below_first_band", "10", "nothing_left", "nothing_left", "20", "nothing_left",
    ]  # fmt: skip
    assert amounts(found, GOLD) == [
        "below_first_band", "below_first_band", "7", "nothing_left", "nothing_left", "13",
    ]  # fmt: skip


def test_one_trade_goes_up_several_steps() -> None:
    found = _rated(STEPS, ("4", (FIRST, GOLD)), ("2", (FIRST, GOLD)))
    assert (amounts(found, FIRST), amounts(found, GOLD)) == (["10", "20"], ["7", "13"])
    at_once = _rated(STEPS, ("6", (FIRST, GOLD)))
    assert (amounts(at_once, FIRST), amounts(at_once, GOLD)) == (["30"], ["20"])


def test_a_rank_that_nobody_has_rolls_up_with_its_steps() -> None:
    # 2 and 5 are steps of bronze, 3 and 6 of gold: he gets both, 50 in all.
    found = _rated(STEPS, *[("1", (GOLD,))] * 6)
    assert amounts(found, GOLD) == ["below_first_band", "10", "7", "nothing_left", "20", "13"]


def test_a_step_of_a_rank_below_is_paid_to_who_has_it_and_only_once() -> None:
    # The second trade is the second of gold's network, but the first of either bronze partner.
    found = _rated(STEPS, ("1", (FIRST, GOLD)), ("1", (SECOND, GOLD)), ("1", (FIRST, GOLD)))
    assert amounts(found, FIRST) == ["below_first_band", "10"]
    assert amounts(found, SECOND) == ["below_first_band"]
    assert amounts(found, GOLD) == ["below_first_band", "below_first_band", "7"]


def test_the_same_rank_again_gets_nothing_however_much_stands_below_it() -> None:
    found = _rated(STEPS, ("1", (SECOND, FIRST)), ("1", (MORE, FIRST)))
    assert amounts(found, FIRST) == ["below_first_band", "nothing_left"]


def test_a_higher_band_of_a_lower_rank_is_paid_to_nobody_above_it() -> None:
    bands = part(
        "lot", rate("1", card="bronze"), rate("2", card="bronze", start="10"),
        rate("1", card="gold"), rate("3", card="gold", start="20"),
        mode="rank", ranks=RANKS, tier=Tier(1, "lots", of="network", method="retroactive"),
    )  # fmt: skip
    found = _rated(bands, ("5", (FIRST, GOLD)), ("15", (SECOND, GOLD)))
    assert (amounts(found, FIRST), amounts(found, SECOND)) == (["5"], ["30"])
    assert amounts(found, GOLD) == ["15", "45"]  # 3 a lot for his own rank
