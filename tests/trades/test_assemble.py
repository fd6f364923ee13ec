"""Closed trades from deals: the cases a dealer would name, each with its numbers."""

from __future__ import annotations

import polars as pl
import pytest
from deal_worlds import HOUR, LOT, deal, frame

from pipshare.errors import BadInput
from pipshare.facts import Kind, Opening, Side, State
from pipshare.trades.assemble import ASSEMBLED, assemble, legs

START = 1_790_000_000_000


def by_ticket(*deals: dict) -> dict[int, dict]:
    """Assemble and return the trades by ticket."""
    trades = assemble(frame(*deals))
    assert trades.schema == pl.Schema(ASSEMBLED)
    assert trades["ticket"].is_sorted()
    return {row["ticket"]: row for row in trades.to_dicts()}


def test_one_in_one_out_is_one_trade():
    trades = by_ticket(
        deal(1, price_e8=111, commission_e8=-350, fee_e8=-5, symbol="EURUSD.Z"),
        deal(2, action=1, entry=1, closed_e8=LOT, price_e8=222, commission_e8=-350, fee_e8=-6,
             profit_e8=1000, swap_e8=-7, reason=4, symbol="EURUSD.Z"),
    )  # fmt: skip
    assert trades == {2: {
        "ticket": 2, "login": 5001, "position": 900, "symbol": "EURUSD.Z", "side": Side.BUY,
        "kind": Kind.WHOLE, "reason": 4, "lots_e8": LOT, "open_ms": START + HOUR,
        "close_ms": START + 2 * HOUR, "open_price_e8": 111, "close_price_e8": 222,
        "commission_e8": -700, "fee_e8": -11, "swap_e8": -7, "profit_e8": 1000,
        "rate_profit_e8": 10**8, "contract_e8": 10**13, "opening": Opening.KNOWN, "line": 0,
        "state": State.CLOSED,
    }}  # fmt: skip


def test_an_open_position_is_no_trade():
    assert by_ticket(deal(1), deal(2)) == {}


def test_partial_closes_share_the_opening_commission_and_the_last_takes_the_rest():
    trades = by_ticket(
        deal(1, volume_e8=3, commission_e8=-10),
        deal(2, action=1, entry=1, volume_e8=1),
        deal(3, action=1, entry=1, volume_e8=1),
        deal(4, action=1, entry=1, volume_e8=1, commission_e8=-100),
    )
    assert [trades[t]["commission_e8"] for t in (2, 3, 4)] == [-3, -3, -104]
    assert {t["kind"] for t in trades.values()} == {Kind.PARTIAL}
    assert {t["open_ms"] for t in trades.values()} == {START + HOUR}


def test_netting_closes_the_oldest_first_at_a_weighted_price():
    trades = by_ticket(
        deal(1, volume_e8=2 * LOT, price_e8=100),
        deal(2, volume_e8=LOT, price_e8=107, commission_e8=-9),
        deal(3, action=1, entry=1, volume_e8=LOT),
        deal(4, action=1, entry=1, volume_e8=2 * LOT),
    )
    assert (trades[3]["open_price_e8"], trades[3]["open_ms"]) == (100, START + HOUR)
    # 1 lot at 100 and 1 at 107 = 103.5, half to even; the time is that of the oldest leg.
    assert (trades[4]["open_price_e8"], trades[4]["open_ms"]) == (104, START + HOUR)
    assert (trades[3]["commission_e8"], trades[4]["commission_e8"]) == (0, -9)


def test_a_reversal_closes_and_opens_the_other_way():
    trades = by_ticket(
        deal(1, volume_e8=LOT, commission_e8=-7),
        deal(2, action=1, entry=2, volume_e8=3 * LOT, closed_e8=LOT, commission_e8=-9, price_e8=55),
        deal(3, action=0, entry=1, volume_e8=2 * LOT),
    )
    assert (trades[2]["side"], trades[2]["kind"]) == (Side.BUY, Kind.REVERSAL)
    assert (trades[2]["lots_e8"], trades[2]["commission_e8"]) == (LOT, -7 - 3)
    assert (trades[3]["side"], trades[3]["lots_e8"]) == (Side.SELL, 2 * LOT)
    assert (trades[3]["open_price_e8"], trades[3]["commission_e8"]) == (55, -6)


def test_a_reversal_without_closed_volume_closes_what_was_open():
    trades = by_ticket(
        deal(1, volume_e8=LOT),
        deal(2, action=1, entry=2, volume_e8=3 * LOT),
        deal(3, action=0, entry=1, volume_e8=2 * LOT),
    )
    assert [t["lots_e8"] for t in trades.values()] == [LOT, 2 * LOT]


def test_a_reversal_of_unknown_volume_has_no_lots_and_opens_nothing():
    trades = by_ticket(
        deal(2, action=1, entry=2, volume_e8=3 * LOT),
        deal(3, action=0, entry=1, volume_e8=2 * LOT),
    )
    assert [(t["lots_e8"], t["opening"]) for t in trades.values()] == [
        (0, Opening.UNKNOWN), (2 * LOT, Opening.UNKNOWN)]  # fmt: skip


def test_close_by_closes_both_positions():
    trades = by_ticket(
        deal(1, position=900, commission_e8=-4),
        deal(2, position=901, action=1),
        deal(3, position=900, action=1, entry=3, closed_e8=LOT),
        deal(4, position=901, action=0, entry=3, closed_e8=LOT),
    )
    assert [(t["side"], t["kind"]) for t in trades.values()] == [
        (Side.BUY, Kind.CLOSE_BY), (Side.SELL, Kind.CLOSE_BY)]  # fmt: skip
    assert trades[3]["commission_e8"] == -4


@pytest.mark.parametrize("opened", [[], [deal(1, volume_e8=LOT // 2)]])
def test_a_close_without_its_opening_says_so(opened):
    trades = by_ticket(
        *opened, deal(2, action=1, entry=1, position_price_e8=77, commission_e8=-3, volume_e8=LOT)
    )
    trade = trades[2]
    assert (trade["opening"], trade["open_ms"]) == (Opening.UNKNOWN, 0)
    assert (trade["open_price_e8"], trade["commission_e8"], trade["lots_e8"]) == (77, -3, LOT)


def test_deals_without_a_position_are_not_joined():
    trades = by_ticket(deal(1, position=0), deal(2, position=0, action=1, entry=1))
    assert trades[2]["opening"] == Opening.UNKNOWN
    assert legs(frame(deal(1, position=0), deal(2, position=0, action=1, entry=1)), 2) == []


def test_a_cancelled_close_is_a_cancelled_trade_and_leaves_its_opening_to_the_next():
    trades = by_ticket(
        deal(1),
        deal(2, action=14, entry=1, closed_e8=LOT),
        deal(3, action=1, entry=1, closed_e8=LOT, profit_e8=5),
    )
    assert (trades[2]["state"], trades[2]["side"]) == (State.CANCELLED, Side.BUY)
    assert (trades[3]["state"], trades[3]["opening"]) == (State.CLOSED, Opening.KNOWN)


def test_a_cancelled_opening_opens_nothing():
    trades = by_ticket(deal(1, action=13), deal(2, action=1, entry=1))
    assert trades[2]["opening"] == Opening.UNKNOWN


def test_balance_and_unknown_actions_are_no_trades():
    assert by_ticket(deal(1, action=2, entry=1), deal(2, action=99, entry=1),
                     deal(3, action=0, entry=255)) == {}  # fmt: skip


def test_in_the_doubled_hour_the_ticket_tells_the_order():
    # Opened at 02:50 the first time round, closed at 02:10 the second time.
    trades = by_ticket(deal(1, at=50), deal(2, at=10, action=1, entry=1))
    assert (trades[2]["opening"], trades[2]["open_ms"]) == (Opening.KNOWN, START + 50 * HOUR)


def test_a_deal_that_came_late_with_an_older_time_keeps_its_place():
    # The opening was synchronised later: a higher ticket, an older time.
    trades = by_ticket(deal(9, at=1), deal(2, at=5, action=1, entry=1))
    assert trades[2]["opening"] == Opening.KNOWN


def test_time_orders_deals_before_their_tickets_do():
    # Two openings; the older one was synchronised last and has the highest ticket.
    trades = by_ticket(
        deal(9, at=1, price_e8=10),
        deal(2, at=2, price_e8=20),
        deal(3, at=3, action=1, entry=1, volume_e8=LOT),
        deal(4, at=4, action=1, entry=1, volume_e8=LOT),
    )
    assert [trades[t]["open_price_e8"] for t in (3, 4)] == [10, 20]


def test_a_close_in_the_direction_of_the_opening_does_not_close_it():
    assert by_ticket(deal(1), deal(2, action=0, entry=1))[2]["opening"] == Opening.UNKNOWN


def test_same_position_number_of_two_logins_is_two_positions():
    trades = by_ticket(deal(1, login=1), deal(2, login=2, action=1, entry=1))
    assert trades[2]["opening"] == Opening.UNKNOWN


def test_legs_name_what_was_closed():
    deals = frame(
        deal(1, volume_e8=2 * LOT, price_e8=100, commission_e8=-8),
        deal(2, volume_e8=LOT, price_e8=107, fee_e8=-2),
        deal(3, action=1, entry=1, volume_e8=LOT),
        deal(4, action=1, entry=1, volume_e8=2 * LOT),
    )
    assert [(leg.deal, leg.lots_e8, leg.price_e8, leg.commission_e8, leg.fee_e8)
            for leg in legs(deals, 4)] == [(1, LOT, 100, -4, 0), (2, LOT, 107, 0, -2)]  # fmt: skip
    assert legs(deals, 77) == []


def test_the_largest_amounts_are_exact():
    big = 2**63 - 1
    trades = by_ticket(
        deal(1, volume_e8=big, commission_e8=-(2**62), price_e8=big),
        deal(2, action=1, entry=1, volume_e8=big, commission_e8=-(2**62) + 1, profit_e8=-big),
    )
    assert trades[2]["commission_e8"] == -big
    assert (trades[2]["lots_e8"], trades[2]["open_price_e8"]) == (big, big)


def test_charges_that_leave_64_bits_are_refused_not_wrapped():
    with pytest.raises(BadInput, match=r"deal 2.*larger than an amount"):
        assemble(frame(deal(1, commission_e8=2**63 - 1),
                       deal(2, action=1, entry=1, commission_e8=1)))  # fmt: skip


def test_no_deals_no_trades():
    assert assemble(frame()).schema == pl.Schema(ASSEMBLED)
