"""Spread, markup and close-by from files into the books, by every source of quotes."""

from __future__ import annotations

import pytest
from small_broker import SmallBroker

from pipshare import ledger, statements
from pipshare.pipeline.loads import apply_plan

E8 = 10**8
PLAN = """[programme]
code = "std"
currency = "USD"
"""
SPREAD = (
    PLAN
    + """
[[component]]
code = "spread"
basis = "spread"
mode = "per_level"
[[component.rate]]
level = 1
share = "35%"
"""
)
MARKUP = (
    PLAN
    + """
[[component]]
code = "markup"
basis = "markup"
mode = "per_level"
[[component.rate]]
level = 1
share = "50%"
"""
)
TRADES = (
    "ticket,login,symbol,side,lots,open_time,close_time,open_price,close_price,open_bid,open_ask,"
    "close_bid,close_ask,gateway_open_price,gateway_close_price\n"
)
DEALS = "deal,login,position,action,entry,time,symbol,volume,price,bid,ask\n"


def plan(broker: SmallBroker, text: str) -> None:
    apply_plan(broker.run, broker.file("next.toml", text), by="anna")


def row(ticket: int, quotes: str = ",,,", gateways: str = ",") -> str:
    return (f"{ticket},1001,EURUSD,buy,3,2026-03-02 10:00:00,2026-03-02 11:00:00,1.17525,1.17612,"
            f"{quotes},{gateways}\n")  # fmt: skip


def sums(broker: SmallBroker) -> int:
    assert ledger.verify(broker.conn)[0] == []
    assert statements.check_lines(broker.conn) == []
    return broker.totals().get("P-2", 0)


def test_the_published_spread_example_is_booked_from_a_file(broker: SmallBroker) -> None:
    plan(broker, SPREAD)
    told = row(1, "1.17521,1.17525,1.17612,1.17616")
    broker.bring("a.csv", TRADES + told + row(2))
    assert sums(broker) == 42 * E8 // 10
    assert broker.waiting() == {"no_quote": 1}


def test_a_trade_that_waits_for_its_quote_is_taken_up_when_it_comes(broker: SmallBroker) -> None:
    plan(broker, SPREAD)
    broker.bring("a.csv", TRADES + row(1) + row(2) + row(3))
    assert sums(broker) == 0
    broker.bring("b.csv", TRADES + row(1, "1.17521,1.17525,1.17612,1.17616"))
    assert sums(broker) == 42 * E8 // 10
    broker.load("quotes", "server,symbol,time,bid,ask\n"
                "Live-4,EURUSD,2026.03.02 09:59:30,1.17521,1.17525\n"
                "Live-4,EURUSD,2026.03.02 11:00:00,1.17612,1.17616\n")  # fmt: skip
    broker.load("spreads", "symbol,points\nEURUSD,4\n")
    assert broker.waiting() == {}
    assert sums(broker) == 3 * 42 * E8 // 10


def test_deals_carry_their_own_quotes_leg_by_leg(broker: SmallBroker) -> None:
    plan(broker, SPREAD)
    broker.bring("a.csv", DEALS
                 + "1,5001,70,0,0,2026-03-02 10:00:00,EURUSD,1,1.17,1.17000,1.17004\n"
                 "2,5001,70,0,0,2026-03-02 10:30:00,EURUSD,2,1.17,1.17000,1.17010\n"
                 "3,5001,70,1,1,2026-03-02 11:00:00,EURUSD,3,1.18,1.18000,1.18006\n",
                 server="Live-5")  # fmt: skip
    # (4 + 2 x 10 points at the opening, 3 x 6 at the closing) / 2 = 21 points x lots = 21 USD
    assert sums(broker) == 735 * E8 // 100


def test_the_spread_of_three_openings_is_booked_exactly(broker: SmallBroker) -> None:
    plan(broker, SPREAD)
    legs = ((1, 4), (2, 4), (3, 5))
    broker.bring("a.csv", DEALS + "".join(
        f"{deal},5001,70,0,0,2026-03-02 10:0{deal}:00,EURUSD,1,1.17,1.17000,1.1700{points}\n"
        for deal, points in legs
    ) + "4,5001,70,1,1,2026-03-02 11:00:00,EURUSD,3,1.18,1.18000,1.18006\n",
        server="Live-5")  # fmt: skip
    # 13 USD at the opening, of which the mean of 13/3 points is no decimal; 18 at the closing.
    assert sums(broker) == E8 * 155 * 35 // 1000


def test_the_markup_is_that_of_the_provider_else_the_table(broker: SmallBroker) -> None:
    plan(broker, MARKUP)
    broker.load("markups", "symbol_group,points\nforex,6\n")
    broker.bring("a.csv", TRADES + row(1, gateways="1.17524,1.17615") + row(2))
    assert sums(broker) == (3 * 4 + 3 * 6) * E8 // 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_one_side_of_a_close_by_is_paid(broker: SmallBroker, order: tuple[int, int]) -> None:
    """The plan of the small broker pays 5 per lot; the side of two lots has the lower ticket."""
    deals = (
        DEALS + "1,5001,70,0,0,2026-03-02 10:00:00,EURUSD,2,1.17,,\n"
        "2,5001,71,1,0,2026-03-02 10:00:00,EURUSD,1,1.17,,\n"
    )
    closing = ("3,5001,70,1,3,2026-03-02 11:00:00,EURUSD,2,1.18,,\n",
               "4,5001,71,0,3,2026-03-02 11:00:00,EURUSD,1,1.18,,\n")  # fmt: skip
    broker.bring("a.csv", deals + closing[order[0]], server="Live-5")
    assert sums(broker) == (10, 5)[order[0]] * E8
    broker.bring("b.csv", DEALS + closing[order[1]], server="Live-5")
    assert sums(broker) == 10 * E8  # whichever came first
    assert broker.waiting() == {}
