"""A rate of 0 pays nothing whatever its basis comes to: it waits for no quote, value or FX rate."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rating_plans import rich_programme
from rating_rich import rich_kernel_lines, rich_twin_lines, rich_world
from test_twin_families import built_lines, comparable
from twin_stories import amounts, lines, many, paid, part, plan, rate, share, split, trade

from pipshare.plans.conditions import Bonus, Conditions
from pipshare.plans.periods import Cap, Guard, Tier
from pipshare.plans.terms import Programme, RateRule, Rebate, Spread

UNKNOWN = trade(contract="0", profit_currency="", pip_points=0)  # no quote, price or money
EUR = {"currency": "EUR"}


@pytest.mark.parametrize(("basis", "waits"), [
    ("spread", "no_quote"), ("markup", "no_markup"), ("points", "no_contract"),
    ("notional", "no_contract"), ("commission", "no_money"), ("profit", "no_money"),
    ("loss", "no_money"), ("result", "no_money"),
])  # fmt: skip
def test_a_rate_of_zero_needs_no_value(basis: str, waits: str) -> None:
    assert paid(part(basis, share("0")), UNKNOWN) == ["0"]
    assert paid(part(basis, share("0.5")), UNKNOWN) == [waits]


@pytest.mark.parametrize("unit", ["points", "pips"])
def test_nor_lots_that_nobody_can_count(unit: str) -> None:
    uncounted = trade(lot_factor=None)
    for free in (part("spread", rate("0"), unit=unit), part("lot", rate("0"))):
        assert paid(free, uncounted) == ["0"]
    assert paid(part("lot", rate("2")), uncounted) == ["no_lot_factor"]


def test_nor_an_exchange_rate() -> None:
    """Not into the component's currency, not into the wallet, nor for a cap."""
    quoted = trade(open_quote_at="1.1/1.10010", close_quote_at="1.1/1.10010")
    cap = Cap(1, Fraction(5), "order", "money", "CHF")
    free = part("spread", share("0"), currency="GBP", caps=(cap,))
    assert paid(free, quoted, **EUR) == ["0"]
    assert paid(part("spread", share("0.5")), quoted, **EUR) == ["no_fx"]


def test_nor_what_bonus_money_earned() -> None:
    asked = Conditions(bonus=Bonus())
    assert paid(part("lot", rate("0"), conditions=asked), trade()) == ["0"]
    assert paid(part("lot", rate("2"), conditions=asked), trade()) == ["snapshot_missing"]


def test_a_guard_looks_only_at_what_is_paid() -> None:
    guard = Guard(1, "block", Fraction(1), ("spread",))
    assert paid(plan(part("lot", rate("0")), guard=guard), trade()) == ["0"]
    assert paid(plan(part("lot", rate("2")), guard=guard), trade()) == ["no_quote"]


def test_nothing_is_in_the_wallets_currency_whether_or_not_the_value_is_known() -> None:
    """What comes late changes nothing: the line is the same with the quote and without it."""
    free = plan(part("spread", share("0"), spread=Spread("close")))
    late = lines(free, trade(), **EUR), lines(free, trade(close_quote_at="1.1/1.2"), **EUR)
    for (line,) in late:
        assert (line.currency, line.wallet, line.rate_id, line.amount_e8) == ("EUR", "EUR", 1000, 0)
    (per_point,) = lines(plan(part("spread", rate("0"), unit="points")), trade(), **EUR)
    assert per_point.currency == "USD"


def test_only_the_level_of_that_rate_is_free() -> None:
    levels = part("spread", share("0", level=1), share("0.5", level=2))
    assert paid(levels, trade(), ("a", "b")) == ["0", "no_quote"]


def test_a_pot_of_nothing() -> None:
    split_up = part("spread", share("0"), mode="pot_split", splits=(split("1/2"),))
    assert paid(split_up, trade(), ("a", "b")) == ["0", "0"]
    passed = part("spread", share("0"), mode="share_up", splits=(split("0.2"),))
    assert paid(passed, trade(), ("a", "b")) == ["0", "nothing_below"]
    # The direct IB's rate makes the pot: that of another level says nothing of it.
    his = part("spread", share("0", level=2), share("0.5", level=1), mode="share_up",
               splits=(split("0.2"),))  # fmt: skip
    assert paid(his, trade(), ("a", "b")) == ["no_quote", "child_waits"]


def test_shares_of_nothing() -> None:
    child = part("spread", share("0"), mode="percent_of_child", splits=(split("0.2"),))
    assert paid(child, trade(), ("a", "b"), **EUR) == ["0", "0"]
    over = part("lot", share("0.2", of="c"), mode="override", code="over")
    below = part("spread", share("0", level=1))
    assert paid(plan(below, over), trade(), ("a", "b"), **EUR) == ["0", "0"]


def test_a_difference_takes_nothing_for_nothing() -> None:
    climb = part("spread", share("0", card="a"), share("0.5", card="b"), mode="difference")
    assert paid(climb, trade(), ("a", "b")) == ["nothing_left", "no_quote"]
    quoted = trade(open_quote_at="1.1/1.10010", close_quote_at="1.1/1.10010")
    assert paid(climb, quoted, ("a", "b", "a")) == ["nothing_left", "5", "nothing_left"]
    # Nothing is in no currency: it does not clash with what was taken below in another.
    mixed = part("lot", rate("2", card="a"), rate("0", "EUR", card="b"), mode="difference")
    assert paid(mixed, trade(), ("a", "b")) == ["2", "nothing_left"]


def test_a_rank_of_nothing() -> None:
    ranks = part("spread", share("0", card="a"), share("0.5", card="b"), mode="rank",
                 ranks=("a", "b"))  # fmt: skip
    assert paid(ranks, trade(), ("a", "b")) == ["nothing_left", "no_quote"]
    quoted = trade(open_quote_at="1.1/1.10010", close_quote_at="1.1/1.10010")
    assert paid(ranks, quoted, ("a", "b"), rates={("USD/EUR", "mid"): "0.5"}, **EUR) == [
        "nothing_left", "2.5",
    ]  # fmt: skip
    mixed = part("lot", rate("0", "EUR", card="a"), rate("5", card="b"), mode="rank",
                 ranks=("a", "b"))  # fmt: skip
    assert paid(mixed, trade(), ("b",)) == ["5"]


def test_the_client_gets_his_share_of_nothing() -> None:
    given = part("spread", share("0"), rebate=Rebate(Fraction(1, 2)))
    assert paid(given, trade(currency="GBP"), **EUR) == ["0", "0"]


def test_a_rate_with_bands_is_free_where_all_of_them_are() -> None:
    tier = Tier(1, "lots", window="month")
    free = part("spread", share("0"), share("0", start="10"), tier=tier)
    assert amounts(many(free, trade("20"))) == ["0"]
    # Which band holds is only known with the trade itself: a later one may pay.
    later = part("spread", share("0"), share("0.5", start="10"), tier=tier)
    assert amounts(many(later, trade("1"))) == ["no_quote"]


def test_lots_of_a_rate_of_zero_use_up_a_cap_in_lots() -> None:
    cap = Cap(1, Fraction(3), "client_day", "lots")
    both = part("spread", share("0", symbol="GBPUSD"), share("0.5"), caps=(cap,))
    quoted = trade("2", open_quote_at="1.1/1.10010", close_quote_at="1.1/1.10010", ticket=2)
    assert amounts(many(both, trade("2", symbol_name="GBPUSD", ticket=1), quoted)) == ["0", "5"]


def test_explain_says_why_nothing_was_asked() -> None:
    (line,) = lines(plan(part("spread", share("0"))), trade())
    assert [str(step.text) for step in line.working if step.label == "rate"] == [
        "0 % of the spread (plan p line 10): pays nothing, whatever the spread is"
    ]


@given(st.integers(0, 2**63))
@settings(max_examples=60, deadline=None)
def test_kernel_and_twin_agree_where_many_rates_are_zero(seed: int) -> None:
    rnd = Random(seed)
    world, rows = rich_world(rnd, _less_paid(rnd, rich_programme(rnd)))
    assert rich_kernel_lines(world.rich_rated(rows)) == rich_twin_lines(world, rows)
    rnd = Random(seed)
    world, rows = rich_world(rnd, _less_paid(rnd, rich_programme(rnd, building=True)), 1)
    lines = [x for x in rich_kernel_lines(world.rich_rated(rows, only="building")) if x[1] != 0]
    assert [comparable(x) for x in lines] == [comparable(x) for x in built_lines(world, rows)]


def _less_paid(rnd: Random, programme: Programme) -> Programme:
    """Set rates to 0, all bands of some and, where there are no sides, some bands of others."""
    parts = []
    for one in programme.components:
        free: dict[tuple[object, ...], bool] = {}
        rates = []
        for rule in one.rates:
            none = free.setdefault(_matches(rule), rnd.random() < 0.5)
            if none or (rule.side is None and rnd.random() < 0.2):
                rule = replace(rule, amount=Fraction(0))
            rates.append(rule)
        parts.append(replace(one, rates=tuple(rates)))
    return replace(programme, components=tuple(parts))


def _matches(rule: RateRule) -> tuple[object, ...]:
    return rule.card, rule.level, rule.symbol, rule.account_group, rule.country, rule.of
