"""Published examples of what a rate multiplies, by hand and by the kernel."""

from __future__ import annotations

from fractions import Fraction

import pytest
from twin_stories import paid, part, plan, rate, share, trade, utc

from pipshare.plans.terms import Component, Rounding, Spread

SPREAD = {"open_quote_at": "1.17521/1.17525", "close_quote_at": "1.17612/1.17616"}


def test_lots() -> None:
    assert paid(part("lot", rate("2")), trade("10")) == ["20"]


def test_symbol_before_symbol_group() -> None:
    both = part("lot", rate("4", symbol_group="forex"), rate("6", symbol="EURUSD"))
    assert paid(both, trade()) == ["6"]


def test_lot_modifier_and_cent_lots() -> None:
    assert paid(part("lot", rate("1")), trade("100", lot_factor=Fraction("0.4"))) == ["40"]
    assert paid(part("lot", rate("4")), trade("250", lot_factor=Fraction(1, 100))) == ["10"]


@pytest.mark.parametrize(("lots", "amount"), [("1", "0.1"), ("0.1", "0.01")])
def test_ten_points_of_a_cent_contract(lots: str, amount: str) -> None:
    assert paid(part("points", share("10")), trade(lots, contract="1000")) == [amount]


def test_ten_points_of_an_account_in_cents_are_hundredths() -> None:
    cents = trade("1", currency="USC")
    assert paid(part("points", share("10")), cents) == ["0.1"]
    assert paid(part("points", share("10")), cents, currency="USC",
                rates={("USD/USC", "mid"): "100"}) == ["10"]  # fmt: skip


def test_points_of_a_future_go_by_its_tick() -> None:
    future = trade("2", calc="futures", digits=2, tick_size="0.25", tick_value="12.5")
    # One point is 0.01; a quarter is worth 12.50: 10 points of 2 lots are 10 x 0.5 x 2.
    assert paid(part("points", share("10")), future) == ["10"]


def test_basis_points_of_the_notional_rounded_to_four_places() -> None:
    crypto = trade("1", contract="0.01", close_price="110843.27", digits=2)
    notional = part("notional", share("0.002"), rounding=Rounding(amount=4))
    assert paid(notional, crypto) == ["2.2169"]
    assert paid(part("notional", share("0.002")), crypto) == ["2.2168654"]


def test_two_rates_by_symbol_group() -> None:
    rates = part("lot", rate("3.50", symbol_group="indices"), rate("4"))
    assert paid(rates, trade("2")) == ["8"]
    assert paid(rates, trade("1", symbol_name="US30", symbol_group="indices")) == ["3.5"]


def test_a_pip_of_spread_per_lot() -> None:
    quoted = trade("0.1", open_quote_at="1.10000/1.10015")
    pips = part("spread", rate("1"), unit="pips", spread=Spread(measured="open"))
    assert paid(pips, quoted) == ["0.15"]


def test_spread_half_at_open_and_half_at_close() -> None:
    for measured in ("half", "average"):
        component = part("spread", share("0.35"), spread=Spread(measured=measured))
        assert paid(component, trade("3", **SPREAD)) == ["4.2"]


def test_a_share_of_a_spread() -> None:
    # 13.6 USD of spread per lot: 13.6 points of a symbol of five digits and 100,000.
    typical = trade("5", typical_points=Fraction("13.6"))
    assert paid(part("spread", share("0.3")), typical) == ["20.4"]


@pytest.mark.parametrize(
    ("spread", "due"),
    [
        (Spread("open"), "13"),  # the pair that stands for the deals would give 12.999
        (Spread("half"), "12.5"),
        (Spread("open", cap_points=Fraction(4)), "12"),
        (Spread("open", quotes=("typical", "deal")), "6"),
        (Spread("open", guard=True), "6"),
    ],
)
def test_the_spread_of_three_openings_is_exact(spread: Spread, due: str) -> None:
    # One lot each at 4, 4 and 5 points: 13 USD in all, 13/3 points on average.
    legs = (4 + 4 + 5) * 1000 * 10**8
    one = trade("3", open_quote_at="1.17521000/1.17525333", close_quote_at="1.17612/1.17616",
                open_spread_e16=legs, typical_points=Fraction(2))  # fmt: skip
    assert paid(part("spread", share("1"), spread=spread), one) == [due]


def test_a_spread_capped_in_points() -> None:
    wide = trade("1", open_quote_at="1.10000/1.10046")
    component = part("spread", share("0.45"), spread=Spread("open", cap_points=Fraction(35)))
    assert paid(component, wide) == ["15.75"]


def test_the_spread_of_gold() -> None:
    gold = trade("1", digits=2, contract="100", open_quote_at="4581.23/4581.39")
    assert paid(part("spread", share("0.5"), spread=Spread("open")), gold) == ["8"]


def test_a_spread_above_its_average_pays_in_proportion() -> None:
    wide = trade("1", open_quote_at="1.10000/1.10020", typical_points=Fraction(10))
    guarded = part("spread", share("0.5"), spread=Spread("open", guard=True))
    assert paid(guarded, wide) == ["5"]


def test_a_spread_without_a_good_quote_waits() -> None:
    component = part("spread", share("0.5"), spread=Spread("open"))
    assert paid(component, trade()) == ["no_quote"]
    assert paid(component, trade(open_quote_at="1.2/1.1")) == ["no_quote"]
    only = part("spread", share("0.5"), spread=Spread("open", quotes=("imported",)))
    assert paid(only, trade(open_quote_at="1.1/1.2")) == ["no_quote"]


def test_markup_by_the_feed_before_the_table() -> None:
    component = part("markup", share("0.5"))
    assert paid(component, trade(markup_points=Fraction(8))) == ["4"]
    assert paid(component, trade(markup_points=Fraction(8), gateway_points=Fraction(6))) == ["3"]
    assert paid(component, trade()) == ["no_markup"]


def test_a_share_of_the_commission() -> None:
    component = part("commission", share("0.1"))
    assert paid(component, trade(commission="-70")) == ["7"]
    assert paid(component, trade(commission="5")) == ["no_result"]
    assert paid(component, trade()) == ["no_money"]


def test_profit_and_loss_of_the_client() -> None:
    lost, won = trade(profit="-120"), trade(profit="80")
    assert paid(part("profit", share("0.2")), won) == ["16"]
    assert paid(part("profit", share("0.2")), lost) == ["no_result"]
    assert paid(part("loss", share("0.25")), lost) == ["30"]
    assert paid(part("loss", share("0.25"), counts=("profit", "swap")),
                trade(profit="-120", swap="-8")) == ["32"]  # fmt: skip


def test_per_million_of_both_sides() -> None:
    pound = trade("10", symbol_name="GBPUSD", open_price="1.30000", close_price="1.31000")
    assert paid(part("notional", share("0.00003"), sides="both"), pound) == ["78.3"]
    assert paid(part("notional", share("0.00003")), trade()) == ["no_price"]


@pytest.mark.parametrize(
    ("rounding", "amount"),
    [(Rounding(2, 2, 2), "3.44"), (Rounding(None, None, 2), "3.43")],
)
def test_a_conversion_rounded_at_every_stage(rounding: Rounding, amount: str) -> None:
    rates = {("EUR/USD", "bid"): "1.27151", ("EUR/USD", "ask"): "1.33333"}
    component = part("commission", share("0.15"), currency="USD", value_fx="bid", wallet_fx="ask",
                     rounding=rounding)  # fmt: skip
    charged = trade(commission="-24", currency="EUR")
    assert paid(component, charged, currency="EUR", rates=rates) == [amount]


def test_hold_points_and_pips() -> None:
    from pipshare.plans.conditions import Conditions

    moved = {"open_price": "1.10000", "close_price": "1.10030"}
    component = part("lot", rate("1"), min_hold_s=180, conditions=Conditions(Fraction(30)))
    assert paid(component, trade(hold_ms=179_000, **moved)) == ["too_short"]
    assert paid(component, trade(hold_ms=180_000, **moved)) == ["1"]
    less = {"open_price": "1.10000", "close_price": "1.10029"}
    assert paid(component, trade(hold_ms=180_000, **less)) == ["too_few_points"]
    pips = part("lot", rate("1"), conditions=Conditions(min_pips=Fraction(5)))
    assert paid(pips, trade(open_price="1.1015", close_price="1.1010")) == ["1"]
    assert paid(pips, trade(open_price="1.1015", close_price="1.1010", pip_points=0)) == [
        "no_pip_size"
    ]
    assert paid(pips, trade(pip_points=10)) == ["no_price"]


def test_revenue_by_the_book_is_never_both() -> None:
    component = part("revenue", share("0.3"), per="month")
    assert component.builds_up
    made = trade(book="made", profit="-100", swap="-3", commission="-7", fee="0")
    from twin_stories import many, total

    assert total(many(plan(component), made)) == "33"
    kept = trade(book="passed", swap="-3", commission="-7", typical_points=Fraction(10))
    # Spread 10 x 1 USD, and what was charged: 7 + 3.
    assert total(many(plan(component), kept)) == "6"
    assert utc("1970-01-02") == 86_400_000


def test_a_basis_without_contract_waits() -> None:
    component: Component = part("points", share("10"))
    assert paid(component, trade(contract="0")) == ["no_contract"]
    assert paid(component, trade(profit_currency="")) == ["no_profit_currency"]
