"""Polling an MT5 server: what closes is booked once, whatever breaks on the way."""

from __future__ import annotations

import time

import pytest
from hand_world import DAY, HOUR, MINUTE

from pipshare import inbox, market
from pipshare.errors import PipshareError, Unavailable
from pipshare.pipeline import Run, feeds
from pipshare.pipeline.feeds.mt5_feed import utc_now_ms


def test_a_close_is_booked_by_the_next_poll_with_its_lag(broker, hand):
    b = broker()
    b.poll()
    opened = hand.put(ago=2)
    assert b.poll()[0].new == 1
    closed = hand.close(opened, ago=0.4)
    polled = b.poll(1)[0]
    assert (polled.new, polled.revised, polled.trades) == (1, 0, 1)
    assert polled.lags_ms == [1400]
    b.assert_paid(1)
    assert b.trade(closed)["open_ms"] == int(hand.records[opened]["TimeMsc"])
    assert f'"Deal": "{closed}"' in inbox.raw_record(b.conn, b.id, closed)


def test_what_closed_while_nobody_polled_is_caught_up_with_and_is_no_lag(broker, hand):
    b = broker()
    b.poll()
    hand.forward(MINUTE)
    for login in (101, 102, 103):
        hand.trade(login)
    assert len(b.poll()[0].lags_ms) == 3
    hand.forward(20 * MINUTE)
    for ago in (10 * MINUTE, MINUTE, 2):
        hand.trade(ago=ago)
    b.connect()  # a restarted worker
    polled = b.poll(0)[0]
    assert (polled.trades, polled.lags_ms) == (3, [])
    assert (polled.gap.trades, polled.gap.end_ms) == (3, hand.now_ms)
    assert polled.gap.lasted_ms == 20 * MINUTE * 1000
    hand.forward(2)
    hand.trade()
    later = b.poll()[0]
    assert (len(later.lags_ms), later.gap) == (1, None)
    b.connect()  # at once again: nothing was missed, and lags count
    hand.trade()
    assert (len(b.poll()[0].lags_ms), b.poll()[0].gap) == (1, None)


def test_a_failed_poll_is_no_gap_and_an_outage_is_one(broker, hand, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise Unavailable("away", "the server is away")

    b = broker()
    b.poll()
    opened = hand.put(ago=2)
    b.poll()
    hand.close(opened, ago=0.4)
    with monkeypatch.context() as patch:
        patch.setattr(b.feed.web, "deals", fail)
        with pytest.raises(Unavailable):
            b.poll()
    assert b.poll(2)[0].lags_ms == [3400]
    with monkeypatch.context() as patch:
        patch.setattr(b.feed.web, "deals", fail)
        with pytest.raises(Unavailable):
            b.poll()
    hand.trade(ago=-30)
    polled = b.poll(60)[0]
    assert (polled.lags_ms, polled.gap.trades) == ([], 1)


def test_history_comes_behind_and_the_newest_first(broker, hand):
    for days in range(3):
        hand.trade(ago=days * DAY + HOUR)
    b = broker()
    hand.trade(ago=1)
    first = b.feed.poll()
    assert first.more
    b.poll()
    b.assert_paid(4)
    assert not b.feed.progress.in_history


def test_the_start_is_a_setting(broker, hand):
    hand.trade(ago=20 * DAY)
    hand.trade(ago=5 * DAY)
    b = broker(settings={"from": "2026-11-10"})
    b.poll()
    b.assert_paid(1)


def test_two_years_before_go_live_post_nothing(broker, hand):
    for month in range(24):
        hand.trade(login=101 + month % 4, ago=(month * 30 + 1) * DAY, held=9 * DAY)
    b = broker(go_live="2026-11-23T10:00:00Z", settings={"from": "730d"})
    b.poll()
    assert b.count("trades_trade") == 24
    assert b.count("ledger_transfer") == 0
    assert {row[0] for row in b.rows("SELECT DISTINCT standing FROM rating_entry")} == {4}
    hand.trade()
    b.poll()
    b.assert_paid(1)


def test_an_opening_older_than_what_was_read_is_fetched(broker, hand):
    b = broker()
    b.poll()
    opened = [hand.put(login, ago=200 * DAY) for login in (101, 102)]
    hand.put(101, ago=199 * DAY)  # another position stays out
    for login, position in zip((101, 102), opened, strict=True):
        hand.close(position, login)
    polled = b.poll()[0]
    assert polled.new == 4
    b.assert_paid(2)
    assert b.rows("SELECT count(*) FROM trades_waiting") == [(0,)]


def test_an_opening_that_is_nowhere_is_asked_for_once(broker, hand, monkeypatch):
    b = broker()
    b.poll()
    hand.close(77)
    b.poll()
    assert b.rows("SELECT reason FROM trades_waiting") == [("opening_unknown",)]
    asked = b.server.requests["/api/deal/get_batch"]
    hand.close(77, ago=0.5)
    b.poll()
    assert b.server.requests["/api/deal/get_batch"] - asked <= 2
    hand.put(ticket=77, ago=DAY)
    b.poll(DAY)  # the night asks again for what waits
    assert b.rows("SELECT count(*) FROM trades_waiting") == [(1,)]  # one lot opened, two closed


def test_a_position_closed_in_parts_over_polls(broker, hand):
    b = broker()
    opened = hand.put(ago=HOUR, Commission="-4.00")
    part = {"VolumeExt": 25_000_000, "VolumeClosedExt": 25_000_000, "Volume": 2_500,
            "VolumeClosed": 2_500}  # fmt: skip
    tickets = []
    for _ in range(4):
        b.poll(5)
        tickets.append(hand.close(opened, **part))
    b.poll()
    b.assert_paid(1)
    assert [b.trade(t)["commission_e8"] for t in tickets] == [-100_000_000] * 4


@pytest.mark.parametrize("kind", ["drop", "lost", "half", "truncated", "html", "403"])
def test_a_poll_that_fails_loses_nothing_and_doubles_nothing(broker, hand, kind):
    b = broker()
    b.poll()
    for _ in range(3):
        hand.trade(held=30)
    b.server.faults.add(kind, path="/api/deal/get_batch", times=4)
    failed = 0
    for _ in range(30):
        try:
            b.poll(150)
        except PipshareError:
            failed += 1
        if not b.server.faults._open:
            break
    b.server.faults.clear()
    b.poll(150)
    b.assert_paid(3)
    assert b.count("trades_trade") == 3


def test_a_poll_that_fails_between_taking_and_committing_is_taken_again(broker, hand, monkeypatch):
    b = broker()
    b.poll()
    before = inbox.cursor(b.conn, b.source.id)
    hand.trade()

    def broken(*_args):
        raise RuntimeError("the lights went out")

    with monkeypatch.context() as patch:
        patch.setattr(inbox, "save_cursor", broken)
        with pytest.raises(RuntimeError):
            b.poll()
    assert b.count("inbox_deal") == 0
    assert inbox.cursor(b.conn, b.source.id) == before
    b.poll()
    b.assert_paid(1)


def test_a_restart_doubles_nothing_and_remembers_no_repeats(broker, hand):
    b = broker()
    for _ in range(5):
        hand.trade(held=5)
        b.poll(10)
    for _ in range(2):
        b.feed.close()
        b.connect()
        b.poll()
    b.assert_paid(5)
    assert b.count("inbox_deal") == 10
    assert b.count("inbox_seen") == 0


def test_a_deal_a_little_late_is_found_within_a_minute_and_an_old_one_at_night(broker, hand):
    b = broker()
    b.poll()
    b.poll(30)
    hand.trade(ago=20, held=10)
    assert b.poll(1)[0].trades == 0
    b.poll(MINUTE)
    b.assert_paid(1)
    hand.trade(ago=2 * HOUR)
    b.poll(2 * MINUTE)
    b.assert_paid(1)
    b.poll(DAY)
    b.assert_paid(2)


def test_an_edited_deal_is_a_revision_and_books_the_difference(broker, hand):
    b = broker()
    opened, closed = hand.trade(held=30)
    b.poll()
    b.assert_paid(1)
    half = {"VolumeExt": 50_000_000, "Volume": 5_000}
    hand.edit(closed, **half, VolumeClosedExt=50_000_000, VolumeClosed=5_000)
    polled = b.poll(MINUTE + 1)
    assert sum(one.revised for one in polled) == 1
    assert b.totals() == {"P-1": 50_000_000, "P-2": 250_000_000}
    assert b.trade(closed)["revision"] == 2
    hand.edit(opened, Price="1.09000")
    b.poll(MINUTE + 1)
    assert b.trade(closed)["open_price_e8"] == 109_000_000


def test_a_cancelled_deal_is_taken_back(broker, hand):
    b = broker()
    _, closed = hand.trade()
    b.poll()
    hand.cancel(closed)
    b.poll(MINUTE + 1)
    assert b.trade(closed)["state"] == 0
    b.assert_paid(0)
    assert b.rows("SELECT kind, amount_e8 FROM inbox_cash") == [("balance", -1_250_000_000)]


def test_balance_rows_and_unknown_numbers_are_kept_and_are_no_trades(broker, hand):
    b = broker()
    for action, comment in ((2, "Deposit by card"), (3, ""), (5, ""), (2, "IT From 102"), (77, "")):
        hand.put(Action=action, Profit="100.00", PositionID=0, Symbol="", Comment=comment)
    opened, _ = hand.trade()
    hand.edit(opened, Reason=42)
    b.poll()
    kinds = [row[0] for row in b.rows("SELECT kind FROM inbox_cash ORDER BY ticket")]
    assert kinds == ["deposit", "credit", "correction", "transfer"]
    assert b.count("inbox_deal") == 7
    b.assert_paid(1)


def test_a_bad_deal_is_named_and_costs_nobody_else(broker, hand):
    b = broker()
    hand.put(Price="garbage")
    hand.trade()
    b.poll()
    b.poll(MINUTE)
    b.assert_paid(1)
    assert b.count("inbox_refused") == 1
    assert "1000" in b.alerts()["deals_refused"]


def test_a_ticket_beyond_what_a_float_holds_stays_exact(broker, hand):
    b = broker()
    opened = hand.put(ticket=2**53 + 1, ago=30)
    closed = hand.close(opened)
    b.poll()
    assert b.trade(closed)["position"] == 2**53 + 1
    b.assert_paid(1)


def test_numbers_as_numbers_are_read_alike(broker, hand):
    b = broker()
    b.server.faults.add("numbers", path="/api/deal/get_batch", times=None)
    hand.trade()
    b.poll()
    b.server.faults.clear()
    b.poll(MINUTE)  # the same deals as texts: other bytes, the same content
    b.assert_paid(1)
    assert b.rows("SELECT max(revision) FROM inbox_deal") == [(1,)]


def test_what_came_from_elsewhere_decides_who_books(broker, hand):
    b = broker()
    for authority, booked in (("files", 0), ("mt5_web", 2)):
        market.record_authority(b.conn, b.run.servers[b.id], authority, "anna")
        b.conn.commit()
        hand.trade()
        b.poll()
        assert b.count("trades_trade") == booked
        b.assert_paid(booked)


def test_several_windows_after_a_night_without_connection(broker, hand):
    b = broker()
    b.poll()
    for hour in range(12):
        hand.trade(login=101 + hour % 4, ago=-hour * HOUR - 1, held=60)
    b.poll(12 * HOUR)
    b.assert_paid(12)


def test_only_the_groups_of_the_source(broker, hand):
    b = broker(settings={"groups": "real\\*,!real\\other"})
    hand.trade(login=101)
    hand.trade(login=105)
    b.poll()
    b.assert_paid(1)


def test_an_account_whose_agent_the_platform_pays_is_not_booked(broker, hand):
    b = broker()
    _, closed = hand.trade(101)
    hand.trade(102)
    hand.put(104, Action=18, Profit="2.00", PositionID=0, Symbol="",
             Comment=f"agent '101' - #{closed}")  # fmt: skip
    b.poll()
    b.assert_paid(1)
    assert "native_agent" in b.alerts()


def test_without_the_right_to_accounts_trades_come_all_the_same(broker, hand):
    b = broker()
    manager = b.server.manager()
    manager.rights = manager.rights - {"accounts"}
    hand.trade()
    try:
        b.poll()
        _, closed = hand.trade()
        b.poll()
        b.assert_paid(2)
        assert "state_not_allowed" in b.alerts()
        hand.delete(closed)
        b.poll(MINUTE)
        b.assert_paid(1)
    finally:
        manager.rights = manager.rights | {"accounts"}


def test_the_registry_makes_it_and_it_runs_by_the_real_clock(broker, hand):
    b = broker()
    hand.now_ms = utc_now_ms()
    feed = feeds.make(Run(b.conn), b.source)
    feed.poll()
    time.sleep(1.1)
    hand.now_ms = utc_now_ms()
    hand.trade(ago=0.1)
    polled = feed.poll()
    feed.close()
    assert polled.trades == 1
    assert 0 < polled.lags_ms[0] < 30_000
