"""Deals through the inbox into trades: any order and any batching end in the same trades."""

from __future__ import annotations

import threading

import pytest
from deal_worlds import LOT, any_deals, closed_books, deal, frame
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trade_worlds import NOON, count, new_batch, new_server

from pipshare import inbox
from pipshare.facts import DEAL
from pipshare.trades import from_deals, legs, read, take_in
from pipshare.trades.from_deals import deals_of

MONDAY, TUESDAY = NOON, NOON + 86_400_000
SLOW = settings(max_examples=25, deadline=None,
                suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip


@pytest.fixture(scope="module")
def shared(module_db):
    with module_db.app() as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def conn(db):
    with db.app() as connection:
        yield connection


def bring(conn, server, deals, *, name="a.csv", as_of=None):
    """Bring one batch of deals as the pipeline does; return what both stages say."""
    batch = new_batch(conn, server, name, as_of)
    stored = inbox.store_deals(conn, server.id, frame(*deals), batch, as_of)
    trades = from_deals(conn, server.id, stored.positions)
    return stored, take_in(conn, server, trades, batch, as_of, judged=True)


def outcome(conn, server):
    """The current trades without what tells of their way, and what waits."""
    trades = read(conn, server.id).drop("revision", "server_id", "line")
    waiting = conn.execute(
        "SELECT ticket, reason, key FROM trades_waiting WHERE server_id = %s ORDER BY 1",
        (server.id,),
    )
    return trades.rows(), waiting.fetchall()


@given(st.one_of(closed_books(), any_deals()), st.data())
@SLOW
def test_any_order_and_batching_end_in_the_same_trades(shared, deals, data):
    whole, torn = (
        new_server(shared, f"w{data}{id(deals)}"),
        new_server(shared, f"t{data}{id(deals)}"),
    )
    bring(shared, whole, deals)
    left = data.draw(st.permutations(deals))
    while left:
        size = data.draw(st.integers(1, len(left)))
        bring(shared, torn, left[:size])
        left = left[size:]
    assert outcome(shared, torn) == outcome(shared, whole)
    shared.rollback()


@given(st.one_of(closed_books(), any_deals()))
@SLOW
def test_bringing_twice_is_bringing_once(shared, deals):
    server = new_server(shared, f"r{id(deals)}")
    bring(shared, server, deals)
    before = outcome(shared, server), count(shared, "trades_trade"), count(shared, "inbox_deal")
    stored, taken = bring(shared, server, deals, name="b.csv")
    assert (stored.new, stored.revised, stored.repeated) == (0, 0, len(deals))
    assert not len(stored.positions)
    assert not len(taken.settled)
    after = outcome(shared, server), count(shared, "trades_trade"), count(shared, "inbox_deal")
    assert after == before
    shared.rollback()


@given(closed_books(), st.data())
@SLOW
def test_only_trades_that_change_are_revised(shared, deals, data):
    server = new_server(shared, f"c{id(deals)}")
    bring(shared, server, deals, as_of=MONDAY)
    before = {row[0]: row for row in outcome(shared, server)[0]}
    changed = dict(data.draw(st.sampled_from(deals)))
    changed["profit_e8"] += 1
    stored, taken = bring(shared, server, [changed], name="b.csv", as_of=TUESDAY)
    after = {row[0]: row for row in outcome(shared, server)[0]}
    revised = {ticket for ticket in after if after[ticket] != before[ticket]}
    assert stored.revised == 1
    assert taken.revised == len(revised) == (1 if changed["entry"] else 0)
    shared.rollback()


# --- stories ------------------------------------------------------------------------------------


def test_a_late_opening_revises_what_it_opened(conn):
    server = new_server(conn)
    close = deal(2, action=1, entry=1, closed_e8=LOT)
    _, first = bring(conn, server, [close])
    assert (first.new, first.waiting, len(first.settled)) == (1, 1, 0)
    _, second = bring(conn, server, [deal(1, commission_e8=-700)])
    assert second.settled["revision"].to_list() == [2]
    assert second.settled["commission_e8"].to_list() == [-700]
    assert count(conn, "trades_waiting") == 0


def test_a_late_opening_in_between_moves_only_its_followers(conn):
    server = new_server(conn)
    first, second = deal(1, price_e8=10), deal(3, price_e8=30)
    closes = [deal(n, action=1, entry=1, closed_e8=LOT) for n in (4, 5)]
    bring(conn, server, [first, second, *closes])
    _, taken = bring(conn, server, [deal(2, price_e8=20)])
    assert taken.settled.select("ticket", "open_price_e8").rows() == [(5, 20)]


def test_a_cancelled_close_cancels_its_trade(conn):
    server = new_server(conn)
    closing = deal(2, action=1, entry=1, closed_e8=LOT, profit_e8=500)
    bring(conn, server, [deal(1), closing], as_of=MONDAY)
    cancelled = {**closing, "action": 14, "profit_e8": 0}
    stored, taken = bring(conn, server, [cancelled], name="b.csv", as_of=TUESDAY)
    assert stored.revised == 1
    assert taken.settled.select("ticket", "revision", "state").rows() == [(2, 2, 0)]


@pytest.mark.parametrize("now", [{"action": 2, "position": 0}, {"entry": 0}, {"action": 5}])
def test_a_deal_that_is_no_close_any_more_cancels_its_trade(conn, now):
    server = new_server(conn)
    closing = deal(2, action=1, entry=1, closed_e8=LOT)
    bring(conn, server, [deal(1), closing], as_of=MONDAY)
    stored, taken = bring(conn, server, [{**closing, **now}], name="b.csv", as_of=TUESDAY)
    assert 2 in stored.positions["undone"].to_list()
    assert taken.settled.select("ticket", "state").rows() == [(2, 0)]


def test_a_deal_moved_to_another_position_takes_its_trade_along(conn):
    server = new_server(conn)
    closing = deal(3, action=1, entry=1, closed_e8=LOT)
    opened = [deal(1, position=900, price_e8=10), deal(2, position=901, price_e8=20)]
    bring(conn, server, [*opened, closing], as_of=MONDAY)
    bring(conn, server, [{**closing, "position": 901}], name="b.csv", as_of=TUESDAY)
    trade = read(conn, server.id).row(0, named=True)
    assert (trade["position"], trade["open_price_e8"], trade["revision"]) == (901, 20, 2)


def test_absence_of_a_deal_cancels_nothing(conn):
    """A position is assembled again without a close that another door brought before."""
    server = new_server(conn)
    bring(conn, server, [deal(1, volume_e8=2 * LOT), deal(2, action=1, entry=1, closed_e8=LOT)])
    bring(conn, server, [deal(3, action=1, entry=1, closed_e8=LOT)])
    assert read(conn, server.id)["state"].to_list() == [1, 1]


def test_the_two_positions_of_a_close_by_are_two_trades(conn):
    server = new_server(conn)
    _, taken = bring(conn, server, [
        deal(1), deal(2, position=901, action=1),
        deal(3, action=1, entry=3, closed_e8=LOT), deal(4, position=901, entry=3, closed_e8=LOT),
    ])  # fmt: skip
    assert taken.settled["ticket"].to_list() == [3, 4]


def test_legs_can_be_asked_of_what_is_stored(conn):
    server = new_server(conn)
    bring(conn, server, [deal(1, commission_e8=-9), deal(2, action=1, entry=1, closed_e8=LOT)])
    deals = deals_of(conn, server.id, read(conn, server.id, tickets=[2]))
    assert deals.columns == list(DEAL)
    assert [(leg.deal, leg.commission_e8) for leg in legs(deals, 2)] == [(1, -9)]


def test_opening_and_close_brought_at_once_find_each_other(db):
    """Who comes second waits for the first, and sees its deals."""
    with db.app() as conn:
        server = new_server(conn)
    halves = ([deal(n, position=n) for n in range(1, 301)],
              [deal(n + 300, position=n, action=1, entry=1) for n in range(1, 301)])  # fmt: skip
    start = threading.Barrier(2)

    def run(deals):
        with db.app() as own:
            start.wait()
            bring(own, server, deals)

    threads = [threading.Thread(target=run, args=(half,)) for half in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.app() as conn:
        assert read(conn, server.id)["opening"].to_list() == [1] * 300
        assert count(conn, "trades_waiting") == 0


def test_the_same_deals_brought_at_once_are_stored_once(db):
    with db.app() as conn:
        server = new_server(conn)
    deals, start, found = [deal(n, position=n) for n in range(1, 501)], threading.Barrier(2), []

    def run():
        with db.app() as own:
            start.wait()
            stored, _ = bring(own, server, deals)
            found.append((stored.new, stored.repeated))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [(0, 500), (500, 0)]


def test_a_conflict_of_deals_touches_no_trade(conn):
    server = new_server(conn)
    closing = deal(2, action=1, entry=1, closed_e8=LOT)
    bring(conn, server, [deal(1), closing])
    stored, taken = bring(conn, server, [{**closing, "profit_e8": 9, "line": 6}], name="b.csv")
    (refusal,) = stored.conflicts
    assert (refusal.line, refusal.code) == (6, "conflict")
    for part in ("deal 2", "a.csv", "b.csv", "profit,", "--as-of"):
        assert part in refusal.reason
    assert not len(stored.positions)
    assert not len(taken.settled)
