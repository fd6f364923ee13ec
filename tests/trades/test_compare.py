"""A document beside what is booked: what matches, what differs and how, what is not here."""

from __future__ import annotations

import pytest
from trade_worlds import LOT, NOON, count, new_batch, new_server, trade, trades

from pipshare.trades import compare, take_in


@pytest.fixture
def conn(db):
    with db.app() as connection:
        yield connection


@pytest.fixture
def server(conn):
    made = new_server(conn)
    rows = [trade(t, reason=4) for t in range(1, 101)]
    take_in(conn, made, trades(*rows), new_batch(conn, made), None)
    return made


def test_what_a_commission_depends_on_is_compared(conn, server):
    told = compare(conn, server, trades(
        trade(1, symbol="eurusd", close_ms=NOON + 999, rate_profit_e8=0),
        trade(2, lots_e8=2 * LOT, commission_e8=0, line=12),
        trade(3, reason=5),
        trade(500), trade(501),
    ))  # fmt: skip
    assert (told.matching, told.differing, told.missing) == (1, 2, 2)
    assert told.missing_tickets == [500, 501]
    first, second = told.differences
    assert (first.ticket, first.line) == (2, 12)
    assert first.fields == {"lots_e8": (2 * LOT, LOT), "commission_e8": (0, -7 * LOT)}
    assert second.fields == {"reason": (5, 4)}
    assert count(conn, "trades_trade") == 100


def test_an_unknown_opening_is_no_difference(conn, server):
    row = trade(1, opening=0, open_ms=0, open_price_e8=0, commission_e8=0)
    assert compare(conn, server, trades(row)).matching == 1
    assert compare(conn, server, trades({**row, "swap_e8": 1})).differing == 1


def test_a_cancelled_trade_differs_in_its_state(conn, server):
    gone = trades(trade(1, reason=4, state=0))
    take_in(conn, server, gone, new_batch(conn, server), None, judged=True)
    (difference,) = compare(conn, server, trades(trade(1))).differences
    assert difference.fields == {"state": (1, 0)}


def test_only_the_first_differences_are_listed(conn, server):
    told = compare(conn, server, trades(*[trade(t, swap_e8=1) for t in range(1, 101)]))
    assert (told.differing, len(told.differences)) == (100, 20)


def test_nothing_to_compare(conn, server):
    told = compare(conn, server, trades())
    assert (told.matching, told.differing, told.missing) == (0, 0, 0)
