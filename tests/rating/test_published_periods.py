"""Published examples of what builds up: tiers, caps, netting, carry-over, advances."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from twin_stories import amounts, many, part, plan, rate, share, total, trade, utc

from pipshare.plans.conditions import Conditions, Hedged
from pipshare.plans.periods import Cap, Carry, Payout, Tier
from pipshare.plans.terms import Component
from pipshare.rating.twin.finish import minimum
from pipshare.rating.twin_values import TradeFacts

LOTS = Tier(1, "lots", method="marginal")


def on(day: str, one: TradeFacts, ticket: int = 1) -> TradeFacts:
    return replace(one, close_utc_ms=utc(day), ticket=ticket)


def banded(tier: Tier, basis: str = "lot") -> Component:
    return part(basis, rate("3"), rate("5", start="100"), rate("7", start="500"), tier=tier)


@pytest.mark.parametrize(("method", "due"), [("marginal", "3000"), ("retroactive", "4200")])
@pytest.mark.parametrize("lots", [["600"], ["100", "400", "100"], ["50", "500", "50"]])
def test_bands_of_lots(method: str, due: str, lots: list[str]) -> None:
    trades = [on(f"2026-11-0{i}", trade(x), i) for i, x in enumerate(lots, 1)]
    assert total(many(banded(replace(LOTS, method=method)), *trades)) == due


@pytest.mark.parametrize(("boundary", "due"), [("from", "2500"), ("above", "1500")])
def test_a_measure_at_the_start_of_a_band(boundary: str, due: str) -> None:
    tier = replace(LOTS, method="retroactive", boundary=boundary)
    assert total(many(banded(tier), trade("500"))) == {"from": "3500", "above": "2500"}[boundary]
    assert total(many(part("lot", rate("3"), rate("5", start="500"), tier=tier), trade("500"))) == (
        due
    )


def test_two_windows_do_not_add_up() -> None:
    tier = replace(LOTS, method="retroactive")
    result = many(banded(tier), on("2026-10-31", trade("100")), on("2026-11-01", trade("99")))
    assert amounts(result) == ["500", "297"]


def test_the_band_reached_holds_in_the_following_window() -> None:
    tier = replace(LOTS, method="retroactive", applies="following")
    result = many(banded(tier), on("2026-10-31", trade("100")), on("2026-11-01", trade("99")),
                  on("2026-12-01", trade("1")))  # fmt: skip
    assert amounts(result) == ["300", "495", "3"]


def test_stepwise_promotion_and_grace() -> None:
    months = ["2026-08-02", "2026-09-02", "2026-10-02", "2026-11-02", "2026-12-02"]
    trades = [on(m, trade(x)) for m, x in zip(months, ("600", "600", "1", "1", "1"), strict=True)]
    step = replace(LOTS, method="retroactive", promotion="stepwise")
    assert amounts(many(banded(step), *trades)) == ["3000", "4200", "3", "3", "3"]
    grace = replace(LOTS, method="retroactive", grace=1)
    assert amounts(many(banded(grace), *trades)) == ["4200", "4200", "7", "3", "3"]


def test_own_and_network_volume() -> None:
    rates = [rate("1", level=2), rate("2", level=2, start="100")]
    for of, due in (("network", "240"), ("own", "120")):
        tier = replace(LOTS, of=of, method="retroactive")
        component = part("lot", *rates, tier=tier)
        result = many(component, trade("120"), cards=["a", "b"])
        assert amounts(result, 2) == [due]


def test_a_share_in_bands_of_a_months_value() -> None:
    component = part("commission", share("0.3"), share("0.45", start="20000"), per="month",
                     currency="USD", tier=Tier(1, "value"))  # fmt: skip
    trades = [on(f"2026-11-0{i}", trade(commission="-5000"), i) for i in range(1, 6)]
    assert total(many(component, *trades)) == "8250"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_a_fixed_amount_that_rises_with_the_count(count: int) -> None:
    rates = [rate("250"), rate("275", start="3"), rate("300", start="5")]
    tier = Tier(1, "trades", method="retroactive")
    component = part("fixed", *rates, event="trade", tier=tier)
    trades = [on(f"2026-11-0{i}", trade(), i) for i in range(1, count + 1)]
    due = ["250", "500", "825", "1100", "1500"][count - 1]
    assert total(many(component, *trades)) == due
    marginal = replace(component, tier=replace(tier, method="marginal"))
    each = ["250", "250", "275", "275", "300"][:count]
    assert amounts(many(marginal, *trades)) == each


def test_a_bonus_on_the_last_month_by_the_average_of_three() -> None:
    lots = part("lot", rate("1"), code="lots")
    tier = Tier(1, "earned", window="rolling", length=3, average=True, method="retroactive",
                of_component="lots")  # fmt: skip
    bonus = part("earned", share("0", of="lots"), share("0.08", of="lots", start="5000"),
                 code="bonus", per="month", tier=tier)  # fmt: skip
    trades = [on(day, trade(lots_)) for day, lots_ in (
        ("2026-09-02", "5500"), ("2026-10-02", "4800"), ("2026-11-02", "6800"))]  # fmt: skip
    result = many(plan(lots, bonus), *trades)
    november = [x for x in result.totals if str(x.window) == "2026-11-01"]
    assert 6800 * 10**8 + sum(x.payable_e8 for x in november) == 7344 * 10**8


def test_hedged_volume_counts_once() -> None:
    component = part("lot", rate("1"), conditions=Conditions(hedged=Hedged()))
    trades = [on("2026-11-02 10:00", trade("1.5", side=1)),
              on("2026-11-02 11:00", trade("0.4", side=-1)),
              on("2026-11-02 12:00", trade("0.6", side=-1))]  # fmt: skip
    assert amounts(many(component, *trades)) == ["1.5", "netted", "netted"]
    assert total(many(component, *trades[::-1])) == "1.5"
    early = [replace(x, close_utc_ms=utc("2026-11-02 09:00")) for x in trades[1:]]
    assert amounts(many(component, trades[0], *early)) == ["0.4", "0.6", "0.5"]
    other = replace(trades[1], symbol_name="GBPUSD")
    assert total(many(component, trades[0], other)) == "1.9"


def test_caps_per_order_and_per_day_and_client() -> None:
    caps = (Cap(1, Fraction(100), "order", currency="USD"),
            Cap(2, Fraction(1000), "client_day", currency="USD"))  # fmt: skip
    component = part("lot", rate("60"), caps=caps)
    day = [on("2026-11-02 10:00", trade("2"), i) for i in range(11)]
    day.append(on("2026-11-03 10:00", trade("2"), 20))
    day.append(on("2026-11-02 10:00", trade("2", client_id=2), 30))
    assert amounts(many(component, *day)) == [*["100"] * 10, "capped", "100", "100"]


def test_a_cap_in_lots_cuts_the_trade_that_crosses_it() -> None:
    cap = Cap(1, Fraction(5), "partner_month", unit="lots")
    component = part("lot", rate("10"), caps=(cap,))
    trades = [on(f"2026-11-0{i}", trade("2"), i) for i in range(1, 5)]
    assert amounts(many(component, *trades)) == ["20", "20", "10", "capped"]


@pytest.mark.parametrize(("negative", "due"), [("carry", "1500"), ("reset", "4500")])
def test_carry_over(negative: str, due: str) -> None:
    component = part("result", share("0.3"), per="month", carry=Carry(negative))
    months = [on("2026-10-05", trade(profit="10000")), on("2026-11-05", trade(profit="-15000"))]
    assert total(many(component, *months)) == due


def test_minimum_payout() -> None:
    least = Payout(Fraction(500), "USD")
    sums = [int(Fraction("499.99") * 10**8), 10**8]
    assert minimum(sums, least, "USD") == [(0, sums[0]), (50_099_000_000, 0)]


def test_an_advance_is_earned_back_first() -> None:
    first = part("fixed", rate("20"), code="cpa", event="trade",
                 conditions=Conditions(until_ms=utc("2026-11-03")))  # fmt: skip
    revenue = part("commission", share("0.3"), code="share", advance="cpa",
                   conditions=Conditions(from_ms=utc("2026-11-03")))  # fmt: skip
    result = many(plan(first, revenue), on("2026-11-02", trade(commission="0")),
                  on("2026-11-05", trade(commission="-70")))  # fmt: skip
    by_code = {x.component_id: x for x in result.totals}
    assert by_code[1].payable_e8 == 20 * 10**8
    assert (by_code[2].sum_e8, by_code[2].payable_e8) == (21 * 10**8, 10**8)


def test_the_words_of_a_band() -> None:
    result = many(banded(LOTS), on("2026-11-01", trade("90")), on("2026-11-02", trade("20")))
    steps = dict(result.lines[1].line.working)
    assert steps["tier"] == "110.00 lots in the month: 90.00 before this trade"
    assert steps["in words"] == (
        "110.00 lots in the month: 90.00 before this trade; "
        "10.00 lots x 3.00 USD and 10.00 lots x 5.00 USD = 80.00 USD"
    )
    later = part("lot", rate("3", start="100"), rate("5", start="500"), tier=LOTS)
    across = many(later, on("2026-11-01", trade("90")), on("2026-11-02", trade("20")))
    assert dict(across.lines[1].line.working)["rate"] == (
        "10.00 lots x 3.00 USD (the rest is below the first band)"
    )
    whole = many(banded(replace(LOTS, method="retroactive")), on("2026-11-01", trade("120")))
    assert dict(whole.lines[0].line.working)["in words"] == (
        "120.00 lots in the month: the band from 100 holds; 120.00 lots x 5.00 USD = 600.00 USD"
    )


def test_what_was_earned_is_what_is_left_after_an_advance() -> None:
    first = part("fixed", rate("20"), code="cpa", event="trade",
                 conditions=Conditions(until_ms=utc("2026-11-03")))  # fmt: skip
    revenue = part("commission", share("0.5"), code="share", advance="cpa",
                   conditions=Conditions(from_ms=utc("2026-11-03")))  # fmt: skip
    bonus = part("earned", share("0.1", of="share"), code="bonus", per="month")
    result = many(plan(first, revenue, bonus), on("2026-11-02", trade(commission="0")),
                  on("2026-11-05", trade(commission="-70")))  # fmt: skip
    by_code = {x.component_id: x for x in result.totals}
    assert (by_code[2].sum_e8, by_code[2].payable_e8) == (35 * 10**8, 15 * 10**8)
    assert by_code[3].sum_e8 == 150_000_000
