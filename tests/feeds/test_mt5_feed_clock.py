"""The server's clock: watched, told about, never followed into a jump."""

from __future__ import annotations

import pytest
from hand_world import CLOCK, DAY, HOUR, MINUTE
from psycopg.types.json import Jsonb

from pipshare.errors import BadInput
from pipshare.pipeline.feeds.mt5_state import begin


@pytest.mark.parametrize("hours", [3, -3, 40])
def test_a_jump_is_told_and_the_cursor_stays_where_it_was(broker, hand, hours):
    b = broker()
    b.poll()
    hand.trade()
    b.poll(20)
    before = b.feed.progress.live_s
    hand.skew_ms = hours * HOUR * 1000
    b.poll(20)
    assert "clock_jump" in b.alerts()
    opened = hand.put(ago=2)  # stamped by the clock that jumped
    hand.close(opened, ago=1)
    b.poll(20)
    if hours < 24:
        b.assert_paid(2)
    assert b.feed.progress.live_s == before + 40
    hand.skew_ms = 0
    hand.trade()
    b.poll(20)
    assert b.alerts() == {}
    b.assert_paid(3 if hours < 24 else 2)
    assert b.feed.progress.live_s == before + 60


def test_a_restart_does_not_take_a_jump_for_the_time(broker, hand):
    b = broker()
    b.poll()
    hand.trade()
    b.poll(20)
    before = b.feed.progress.live_s
    hand.skew_ms = 2 * HOUR * 1000
    b.connect()
    b.poll(20)
    assert "clock_jump" in b.alerts()
    assert b.feed.progress.live_s == before + 20


def test_what_lasts_is_the_servers_time(broker, hand):
    b = broker()
    b.poll()
    hand.skew_ms = HOUR * 1000
    b.poll(MINUTE)
    for _ in range(12):
        b.poll(MINUTE)
    assert set(b.alerts()) == {"clock_offset"}
    assert b.feed.progress.live_s == hand.now_s
    assert b.feed.progress.drift_ms == HOUR * 1000


def test_a_wrong_setting_is_told_at_once_and_used(broker, hand):
    hand.skew_ms = -2 * HOUR * 1000
    b = broker()
    hand.trade()
    b.poll()
    assert "2 h behind" in b.alerts()["clock_offset"]
    assert "America/New_York+7h" in b.alerts()["clock_offset"]
    assert b.count("trades_trade") == 1


def test_summer_time_is_no_jump(db, broker, hand):
    hand.now_ms = 1_804_908_600_000  # 2027-03-13T03:30Z, the day before New York changes
    b = broker()
    for _ in range(30):
        b.poll(HOUR)
    assert b.alerts() == {}
    assert b.feed.progress.live_s == int(CLOCK.from_utc([hand.now_ms])[0]) // 1000


def test_a_cursor_of_a_later_version_is_read(broker, hand):
    b = broker()
    b.poll()
    b.conn.execute("UPDATE inbox_cursor SET cursor = cursor || %s", (Jsonb({"later": 1}),))
    b.conn.commit()
    b.connect()
    b.poll()
    assert b.feed.progress.live_s == hand.now_s


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "d", "-3d", "10 d"])
def test_a_start_that_is_none_is_named(broker, hand, text):
    server = broker().run.servers
    with pytest.raises(BadInput, match="setting from"):
        begin({"from": text}, next(iter(server.values())), 10**9, 0, books=True)


def test_without_a_start_history_reaches_before_go_live(broker):
    server = next(iter(broker().run.servers.values()))
    now_s = server.go_live_ms // 1000 + 100 * DAY
    progress = begin({}, server, now_s, 0, books=True)
    assert 40 * DAY <= server.go_live_ms // 1000 - progress.start_s <= 41 * DAY
    assert progress.live_s == progress.history_to_s == now_s
