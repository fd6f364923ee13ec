"""Quotes at both ends: of one leg and several, told beside trades; and close-by pairs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from deal_worlds import LOT, any_deals, closed_books, deal, frame
from hypothesis import given, settings
from hypothesis import strategies as st
from trade_worlds import NOON, count, new_batch, new_server, trade, trades

from pipshare import inbox
from pipshare.facts import QUOTED
from pipshare.trades import (
    QUOTES,
    SETTLED,
    all_legs,
    assemble,
    close_by_of,
    close_by_sides,
    from_deals,
    gateway_points,
    legs,
    quotes_of,
    take_in,
)
from pipshare.trades.quotes import quotes_of_deals

POINT = 1000  # of EURUSD with five digits, in 1e-8


@pytest.fixture
def conn(db):
    with db.app() as conn:
        yield conn


@pytest.fixture
def server(conn):
    return new_server(conn)


def quoted(number: int, bid: int = 110_000_000, points: int = 4, **fields):
    """A deal with a quote of so many points."""
    ask = bid + points * POINT if bid else 0
    return deal(number, bid_e8=bid, ask_e8=ask, **fields)


def bring(conn, server, *deals):
    batch = new_batch(conn, server)
    stored = inbox.store_deals(conn, server.id, frame(*deals), batch, None)
    closed = from_deals(conn, server.id, stored.positions)
    return take_in(conn, server, closed, batch, None, judged=True)


def beside(*rows: dict[str, int]) -> pl.DataFrame:
    """A TRADE frame with QUOTED columns: each row a ticket, fields of the trade and of quotes."""
    plain = trades(*(trade(**{k: v for k, v in row.items() if k not in QUOTED}) for row in rows))
    columns = {name: [row.get(name, 0) for row in rows] for name in QUOTED}
    return plain.with_columns(pl.Series(name, told) for name, told in columns.items())


def test_a_trade_of_two_deals_has_their_quotes(conn, server):
    bring(
        conn, server,
        quoted(1, points=4, gateway_price_e8=109_999_000, volume_e8=3 * LOT),
        quoted(2, 111_000_000, 6, entry=1, action=1, volume_e8=3 * LOT, closed_e8=3 * LOT,
               gateway_price_e8=111_001_000),
    )  # fmt: skip
    found = quotes_of(conn, server.id, [2, 99, 2])
    assert found.schema == pl.Schema(QUOTES)
    assert found["ticket"].to_list() == [2, 99, 2]
    assert found.row(0, named=True) == {
        "ticket": 2, "open_bid_e8": 110_000_000, "open_ask_e8": 110_004_000,
        "close_bid_e8": 111_000_000, "close_ask_e8": 111_006_000, "open_gateway_e8": 109_999_000,
        "close_gateway_e8": 111_001_000, "open_spread_e16": 3 * LOT * 4000,
        "close_spread_e16": 3 * LOT * 6000,
    }  # fmt: skip
    assert found.row(1) == (99, *[0] * 8)
    assert found.row(2) == found.row(0)


def test_the_spread_of_several_legs_is_kept_exactly(conn, server):
    bring(
        conn, server,
        quoted(1, 110_000_000, 4, volume_e8=LOT),
        quoted(2, 120_000_000, 7, volume_e8=2 * LOT),
        quoted(3, 130_000_000, 5, entry=1, action=1, volume_e8=2 * LOT, closed_e8=2 * LOT),
        quoted(4, 130_000_000, 5, entry=1, action=1, volume_e8=LOT, closed_e8=LOT),
    )  # fmt: skip
    third, fourth = quotes_of(conn, server.id, [3, 4]).iter_rows(named=True)
    assert third["open_spread_e16"] == LOT * 4000 + LOT * 7000
    assert (third["open_bid_e8"], third["open_ask_e8"]) == (115_000_000, 115_005_500)
    assert fourth["open_spread_e16"] == LOT * 7000
    assert fourth["open_bid_e8"] == 120_000_000


def test_what_is_no_quote_is_none(conn, server):
    bring(
        conn, server, quoted(1, 0), quoted(2, points=-1, entry=1, action=1, closed_e8=LOT),
        quoted(3, position=901), quoted(4, 0, position=901),
        quoted(5, position=901, entry=1, action=1, volume_e8=2 * LOT, closed_e8=2 * LOT),
        quoted(6, position=902, entry=1, action=1, closed_e8=LOT),
    )  # fmt: skip
    none, half, orphan = quotes_of(conn, server.id, [2, 5, 6]).iter_rows(named=True)
    assert not any(value for name, value in none.items() if name != "ticket")
    assert (half["open_bid_e8"], half["open_spread_e16"]) == (0, 0)  # one leg has no quote
    assert half["close_spread_e16"] == 2 * LOT * 4000
    assert (orphan["open_bid_e8"], orphan["close_bid_e8"]) == (0, 110_000_000)


@given(st.one_of(closed_books(), any_deals()), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_legs_in_columns_are_those_of_each_closing(deals, dice):
    told = [row | {"bid_e8": 10**8, "ask_e8": 10**8 + dice.randrange(5000),
                   "gateway_price_e8": dice.randrange(2) * 10**8}
            for row in deals if row["volume_e8"] > 0]  # fmt: skip
    whole = frame(*told)
    found = all_legs(whole)
    quotes = {row["deal"]: row for row in told}
    closings = assemble(whole)
    held = {row["ticket"]: row for row in quotes_of_deals(whole, closings).to_dicts()}
    for ticket, state in closings.select("ticket", "state").iter_rows():
        mine = legs(whole, ticket) if state else []
        rows = found.filter(ticket=ticket)
        assert rows.select("deal", "lots_e8").rows() == [(leg.deal, leg.lots_e8) for leg in mine]
        if len(mine) < 2:
            continue
        lots = sum(leg.lots_e8 for leg in mine)
        money = sum(leg.lots_e8 * (quotes[leg.deal]["ask_e8"] - 10**8) for leg in mine)
        assert held[ticket]["open_spread_e16"] == money
        spread = held[ticket]["open_ask_e8"] - held[ticket]["open_bid_e8"]
        assert abs(spread - Fraction(money, lots)) <= Fraction(1, 2)


def test_the_providers_prices_give_the_markup_of_both_ends():
    told = [(110_000_000, 109_998_000, 111_000_000, 111_001_000, 5), (1, 0, 1, 1, 5),
            (1, 1, 1, 1, -1), (2, 1, 5, 1, 8), (10**18, 1, 1, 1, 8)]  # fmt: skip
    names = ("open_price_e8", "open_gateway_e8", "close_price_e8", "close_gateway_e8", "digits")
    rows = pl.DataFrame(told, schema=names, orient="row")
    points = gateway_points(rows, rows, rows["digits"].to_numpy())
    assert points.tolist() == [3 * LOT, -1, -1, 5 * LOT, -1]


def test_quotes_told_beside_a_trade_are_kept_with_it(conn, server):
    row = {"ticket": 1, "open_bid_e8": 117_521_000, "open_ask_e8": 117_525_000,
           "close_bid_e8": 117_612_000, "close_ask_e8": 117_611_000,
           "close_gateway_e8": 117_600_000}  # fmt: skip
    intake = take_in(conn, server, beside(row, {"ticket": 2}), new_batch(conn, server), None)
    assert (intake.new, intake.again) == (2, None)
    assert count(conn, "trades_quote") == 1  # nothing is written for a trade without quotes
    one, two = quotes_of(conn, server.id, [1, 2]).iter_rows(named=True)
    assert (one["open_bid_e8"], one["open_spread_e16"]) == (117_521_000, LOT * 4000)
    assert (one["close_bid_e8"], one["close_spread_e16"]) == (0, 0)  # ask below bid is bad data
    assert one["close_gateway_e8"] == 117_600_000
    assert not two["open_bid_e8"]


def test_quotes_that_come_later_are_added_and_told_of_once(conn, server):
    take_in(conn, server, beside({"ticket": 1}), new_batch(conn, server), None)
    row = {"ticket": 1, "open_bid_e8": 10**8, "open_ask_e8": 10**8 + 5}
    later = take_in(conn, server, beside(row), new_batch(conn, server, "b.csv"), None)
    assert (later.repeated, later.revised) == (1, 0)
    assert later.again.schema == pl.Schema(SETTLED)
    assert later.again["ticket"].to_list() == [1]
    for other in (row, row | {"open_ask_e8": 10**8 + 9}, {"ticket": 1}):
        again = take_in(conn, server, beside(other), new_batch(conn, server, "c.csv"), None)
        assert again.again is None
    assert quotes_of(conn, server.id, [1])["open_ask_e8"].to_list() == [10**8 + 5]
    # A revision that tells quotes of its own replaces them, one that tells none keeps them.
    for commission, ask, wanted in ((-8 * LOT, 0, 5), (-9 * LOT, 10**8 + 7, 7)):
        new = {"ticket": 1, "commission_e8": commission,
               "open_bid_e8": 10**8 * bool(ask), "open_ask_e8": ask}  # fmt: skip
        moment = 2 * NOON - commission
        batch = new_batch(conn, server, f"{commission}.csv", moment)
        assert take_in(conn, server, beside(new), batch, moment).revised == 1
        assert quotes_of(conn, server.id, [1])["open_ask_e8"].to_list() == [10**8 + wanted]


def test_the_lower_ticket_of_a_pair_that_closed_each_other_counts(conn, server):
    both = {"kind": 2, "close_ms": NOON}
    rows = [
        trade(10, side=1, **both), trade(11, side=-1, symbol="eurusd", **both),  # a pair
        trade(12, side=-1, **both), trade(13, side=1, **both),  # another of the same moment
        trade(14, side=1, **both),  # alone
        trade(15, side=-1, **(both | {"close_ms": NOON + 1})),  # another moment
        trade(16, side=-1, login=9, **both),  # another account
        trade(17, side=1, kind=0), trade(18, side=-1, symbol="GBPUSD", **both),
    ]  # fmt: skip
    wanted = [1, 2, 1, 2, 1, 1, 1, 0, 1]
    assert close_by_sides(trades(*rows)).tolist() == wanted
    take_in(conn, server, trades(*rows), new_batch(conn, server), None)
    tickets = np.arange(10, 19)
    assert close_by_of(conn, server.id, tickets).tolist() == wanted
    late = take_in(conn, server, trades(trade(9, side=-1, login=9, **both)),
                   new_batch(conn, server, "b.csv"), None)  # fmt: skip
    assert late.again["ticket"].to_list() == [16]  # no pair of it, but of the same moment
    assert close_by_of(conn, server.id, [11, 17, 99]).tolist() == [2, 0, 0]  # beside its pair
    assert close_by_of(conn, server.id, []).tolist() == []
    assert close_by_sides(trades()).tolist() == []
