"""The published examples of what a rate multiplies, by columns."""

from __future__ import annotations

from fractions import Fraction

import pytest
from deal_stories import Deal, paid, total
from twin_stories import part, rate, share

from pipshare.market.fx import FxRow
from pipshare.plans.terms import Rounding, Spread

HALF = Deal("3", quote_open="1.17521/1.17525", quote_close="1.17612/1.17616")


def test_lots() -> None:
    assert paid(part("lot", rate("2")), Deal("10")) == ["20"]
    assert paid(part("lot", rate("1")), Deal("100", group="mod")) == ["40"]
    assert paid(part("lot", rate("4")), Deal("250", group="cents")) == ["10"]


def test_a_symbols_rate_goes_before_its_groups() -> None:
    rates = part("lot", rate("4", symbol_group="forex"), rate("6", symbol="EURUSD"))
    assert paid(rates, Deal()) == ["6"]
    mixed = part("lot", rate("3.50", symbol_group="indices"), rate("4"))
    assert total(mixed, Deal("2"), Deal("1", symbol="US30")) == "11.5"


def test_opening_and_closing_priced_apart_are_added() -> None:
    both = part("lot", rate("2", side="open"), rate("3", side="close"))
    assert paid(both, Deal("2")) == ["10"]
    assert paid(part("lot", rate("2", side="open")), Deal("2")) == ["4"]


@pytest.mark.parametrize(("lots", "amount"), [("1.00", "0.1"), ("0.10", "0.01")])
def test_ten_points_of_a_cent_contract(lots: str, amount: str) -> None:
    assert paid(part("points", share("10")), Deal(lots, symbol="EURUSDc")) == [amount]


def test_basis_points_of_the_notional() -> None:
    deal = Deal("1", symbol="BTCUSD", close_price="110843.27")
    assert paid(part("notional", share("0.002")), deal) == ["2.2168654"]
    rounded = part("notional", share("0.002"), rounding=Rounding(amount=4))
    assert paid(rounded, deal) == ["2.2169"]


def test_thirty_per_million_of_both_sides() -> None:
    deal = Deal("10", open_price="1.30000", close_price="1.31000")
    assert paid(part("notional", share("30/1000000"), sides="both"), deal) == ["78.3"]


def test_a_share_of_the_spread_half_at_both_ends() -> None:
    assert paid(part("spread", share("0.35")), HALF) == ["4.2"]
    average = part("spread", share("0.35"), spread=Spread("average"))
    assert paid(average, HALF) == ["4.2"]


def test_a_share_of_a_spread_in_points_that_is_capped() -> None:
    capped = part("spread", rate("0.45"), unit="points", spread=Spread(cap_points=Fraction(35)))
    assert paid(capped, Deal("1", quote_open="1.10000/1.10046", quote_close="1.1/1.10046")) == [
        "15.75"
    ]


def test_pips_of_spread_per_lot() -> None:
    pips = part("spread", rate("1"), unit="pips", spread=Spread("open"))
    assert paid(pips, Deal("0.1", quote_open="1.10000/1.10015")) == ["0.15"]


def test_gold_goes_by_its_own_contract() -> None:
    gold = Deal("1", symbol="XAUUSD", quote_close="4581.23/4581.39")
    assert paid(part("spread", share("0.5"), spread=Spread("close")), gold) == ["8"]


def test_money_of_the_client() -> None:
    assert paid(part("commission", share("0.1")), Deal(commission="-70")) == ["7"]
    assert paid(part("commission", share("1/3")), Deal(commission="-3")) == ["1"]
    assert paid(part("profit", share("0.1")), Deal(profit="50"), Deal(profit="-50")) == [
        "5", "no_result",
    ]  # fmt: skip
    assert paid(part("loss", share("0.1")), Deal(profit="50"), Deal(profit="-50")) == [
        "no_result", "5",
    ]  # fmt: skip


def test_revenue_goes_by_the_book_of_the_account() -> None:
    deals = [
        Deal("1", quote_open="1.1/1.10010", quote_close="1.1/1.10010", commission="-7",
             profit="-100", made=made)
        for made in (False, True)
    ]  # fmt: skip
    # Passed through: 10 points of spread are 10, and 7 were charged. Made: 100 and 7.
    assert paid(part("revenue", share("0.5")), *deals) == ["8.5", "53.5"]


def test_money_in_a_cent_account_is_in_hundredths() -> None:
    deal = Deal("1", group="cents", quote_close="1.10000/1.10010")
    assert paid(part("spread", share("1"), spread=Spread("close")), deal) == ["0.1"]


def test_every_stage_may_be_rounded() -> None:
    fx = [FxRow(1, "EUR", "USD", 0, Fraction("1.3"), Fraction("1.27151"), Fraction("1.33333"))]
    fx = [row._replace(at_ms=Deal().close) for row in fx]
    deal = Deal("1", symbol="EURUSDe", quote_close="1.00000/1.00024")
    known = {"spread": Spread("close"), "currency": "USD", "value_fx": "bid", "wallet_fx": "ask"}
    rounded = part("spread", share("0.15"), rounding=Rounding(2, 2, 2, "up"), **known)
    assert paid(rounded, deal, wallet="EUR", fx=fx) == ["3.44"]
    whole = part("spread", share("0.15"), rounding=Rounding(wallet=2), **known)
    assert paid(whole, deal, wallet="EUR", fx=fx) == ["3.43"]


def test_what_is_missing_waits_with_its_word() -> None:
    assert paid(part("spread", share("1")), Deal()) == ["no_quote"]
    assert paid(part("spread", share("1")), Deal(quote_open="1.2/1.1", quote_close="1/1.1")) == [
        "no_quote"
    ]
    assert paid(part("markup", share("1")), Deal()) == ["no_markup"]
    assert paid(part("notional", share("1")), Deal()) == ["no_price"]
    gold = Deal(symbol="XAUUSD", quote_open="1/2", quote_close="1/2")
    assert paid(part("spread", rate("1"), unit="pips"), gold) == ["no_pip_size"]
