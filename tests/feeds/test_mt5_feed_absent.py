"""Deals that an MT5 server does not show any more: absence is not deletion."""

from __future__ import annotations

import pytest
from hand_world import DAY, GROUP, HOUR, MINUTE

from pipshare import inbox
from pipshare.errors import BadInput
from pipshare.pipeline.feeds import mt5_drift
from pipshare.pipeline.feeds.mt5_deletions import decide_deletions


@pytest.fixture
def settled(broker, hand):
    """A broker whose accounts 101 to 103 have traded before today, all of it read."""
    b = broker()
    for login in (101, 102, 103):
        hand.trade(login, ago=DAY)
    b.poll()
    b.assert_paid(3)
    return b


def test_a_deleted_close_is_reversed_and_comes_back_when_restored(settled, hand):
    b = settled
    _, closed = hand.trade()
    b.poll()
    b.assert_paid(4)
    gone = hand.delete(closed)
    polled = b.poll(MINUTE)
    assert sum(one.revised for one in polled) == 1
    b.assert_paid(3)
    assert b.unseen() == {closed: "deleted"}
    assert b.trade(closed)["state"] == 0
    assert '"retcode": "13 Not found"' in inbox.raw_record(b.conn, b.id, closed)
    b.poll(MINUTE)
    b.assert_paid(3)
    hand.records.update(gone)
    b.poll(MINUTE)
    b.assert_paid(4)
    assert b.unseen() == {}
    assert b.trade(closed)["revision"] == 3


def test_a_deleted_whole_position_is_reversed(settled, hand):
    b = settled
    both = hand.trade(held=30)
    b.poll()
    hand.delete(*both)
    b.poll(MINUTE)
    b.assert_paid(3)
    assert set(b.unseen().values()) == {"deleted"}


def test_a_deleted_opening_lets_its_close_wait(settled, hand):
    b = settled
    opened, _ = hand.trade(held=60)
    b.poll()
    b.assert_paid(4)
    hand.delete(opened)
    b.poll(MINUTE)
    b.assert_paid(3)
    assert b.rows("SELECT reason FROM trades_waiting") == [("opening_unknown",)]


@pytest.mark.parametrize("how", ["archived", "group moved", "compacted"])
def test_what_only_vanished_keeps_its_money(settled, hand, how):
    b = settled
    tickets = hand.trade(101, held=60)
    b.poll()
    if how == "archived":
        hand.hidden.add(101)
    elif how == "group moved":
        b.feed.close()
        b.source.settings["groups"] = GROUP
        b.connect()
        hand.accounts[101] = "archive\\2026"
    else:
        old = [t for t, record in hand.records.items() if record["Login"] == "101"]
        hand.delete(*old)
        hand.put(101, ago=2 * DAY, Action=2, Profit="7.00", PositionID=0, Symbol="")
    b.poll(MINUTE)
    b.assert_paid(4)
    assert b.unseen() == dict.fromkeys(tickets, "unseen")
    b.poll(MINUTE)
    assert len(b.unseen()) == 2


def test_a_deal_that_moved_in_time_is_revised_and_not_missed(settled, hand):
    b = settled
    opened, closed = hand.trade(held=30)
    b.poll()
    ms = int(hand.records[closed]["TimeMsc"]) - 8 * HOUR * 1000
    hand.edit(closed, Time=ms // 1000, TimeMsc=ms)
    hand.edit(opened, Time=ms // 1000 - 60, TimeMsc=ms - 60_000)
    b.poll(MINUTE)
    assert b.unseen() == {}
    assert b.trade(closed)["close_ms"] == ms
    assert b.trade(closed)["opening"] == 1
    b.assert_paid(4)


def test_an_archived_account_that_comes_back_is_seen_again(settled, hand):
    b = settled
    hand.trade(101, held=60)
    b.poll()
    hand.hidden.add(101)
    b.poll(MINUTE)
    assert set(b.unseen().values()) == {"unseen"}
    hand.hidden.clear()
    b.poll(MINUTE)
    assert b.unseen() == {}
    b.assert_paid(4)


def test_an_account_without_an_older_trade_keeps_its_money(settled, hand):
    b = settled
    both = hand.trade(104, held=30)
    b.poll()
    hand.delete(*both)
    b.poll(MINUTE)
    b.assert_paid(4)
    assert set(b.unseen().values()) == {"unseen"}


def deleted_many(b, hand, count):
    tickets = [hand.trade(101 + at % 3, ago=1 + at / 10)[1] for at in range(count)]
    b.poll()
    b.assert_paid(3 + count)
    hand.delete(*tickets)
    b.poll(MINUTE)
    return tickets


def test_many_at_once_wait_for_a_person(settled, hand):
    b = settled
    tickets = deleted_many(b, hand, 21)
    b.assert_paid(24)
    assert b.unseen() == dict.fromkeys(tickets, "held")
    message = b.alerts()["deletions_held"]
    for part in ("21 deals", "live", "approve-deletions", str(min(tickets))):
        assert part in message
    # Until he decided, nothing of this source is reversed.
    _, one = hand.trade()
    b.poll()
    hand.delete(one)
    b.poll(MINUTE)
    assert b.unseen()[one] == "held"
    with pytest.raises(BadInput, match="--reason"):
        decide_deletions(b.conn, "live", by="anna", reason=" ")
    assert decide_deletions(b.conn, "live", by="anna", reason="test accounts") == 22
    b.conn.commit()
    assert "deletions_held" not in b.alerts()
    b.poll(MINUTE)
    b.assert_paid(3)
    assert set(b.unseen().values()) == {"deleted"}
    with pytest.raises(BadInput, match="nothing"):
        decide_deletions(b.conn, "live", by="anna", reason="again")
    told = b.rows("SELECT actor, subject, reason FROM audit_event WHERE action = "
                  "'source.deletions_approved'")  # fmt: skip
    assert told == [("anna", "live", "test accounts")]


def test_a_person_may_keep_the_money_and_the_source_goes_on(settled, hand):
    b = settled
    tickets = deleted_many(b, hand, 8)
    assert set(b.unseen().values()) == {"held"}
    assert decide_deletions(b.conn, "live", by="anna", reason="keep", approve=False) == 8
    b.conn.commit()
    _, one = hand.trade()
    b.poll()
    hand.delete(one)
    b.poll(MINUTE)
    assert b.unseen() == {**dict.fromkeys(tickets, "unseen"), one: "deleted"}
    b.assert_paid(11)


def test_what_was_approved_and_is_there_again_is_not_reversed(settled, hand):
    b = settled
    tickets = [hand.trade(101)[1] for _ in range(6)]
    b.poll()
    gone = hand.delete(*tickets)
    b.poll(MINUTE)
    hand.records.update(dict(list(gone.items())[:2]))
    decide_deletions(b.conn, "live", by="anna", reason="yes")
    b.conn.commit()
    b.poll(MINUTE)
    b.assert_paid(5)


def test_no_more_than_twenty_a_day(settled, hand):
    b = settled
    for at in range(5):
        tickets = [hand.trade(101)[1] for _ in range(5)]
        b.poll()
        hand.delete(*tickets)
        b.poll(MINUTE)
        assert set(b.unseen().values()) == ({"deleted"} if at < 4 else {"deleted", "held"})


def test_the_night_finds_what_was_deleted_edited_and_added_long_ago(settled, hand):
    b = settled
    old = [hand.trade(101 + at % 3, ago=(1 + at) * HOUR)[1] for at in range(3)]
    b.poll(DAY)  # the night takes them in
    b.assert_paid(6)
    hand.delete(old[0])
    hand.edit(old[1], Profit="99.00")
    hand.trade(102, ago=26 * HOUR)
    b.poll(2 * MINUTE)
    b.assert_paid(6)
    b.poll(DAY)
    b.assert_paid(6)  # one more, one less
    assert b.unseen() == {old[0]: "deleted"}
    assert b.trade(old[1])["profit_e8"] == 9_900_000_000
    assert b.count("inbox_seen") == 0


def test_a_night_that_was_cut_short_goes_on(settled, hand):
    b = settled
    _, closed = hand.trade(101, ago=5 * HOUR)
    b.poll(DAY)
    hand.delete(closed)
    b.world.forward(DAY)
    for _ in range(3):
        b.feed.poll()
        b.feed.close()
        b.connect()
    b.poll()
    assert b.unseen() == {closed: "deleted"}
    b.assert_paid(3)


def test_counts_find_what_the_night_does_not_reach(settled, hand, monkeypatch):
    monkeypatch.setattr(mt5_drift, "PARTS", 1)  # every account every night
    b = settled
    b.poll(45 * DAY)
    hand.trade(101, ago=40 * DAY, held=HOUR)
    b.poll(DAY)
    b.assert_paid(4)
    gone = hand.trade(102, ago=42 * DAY, held=HOUR)
    b.poll(DAY)
    b.assert_paid(5)
    hand.delete(*gone)
    b.poll(DAY)
    assert b.unseen() == dict.fromkeys(gone, "deleted")
    b.assert_paid(4)
