"""Sources, their cursors and status, alerts, leases and raw records, on real PostgreSQL."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from tests.scenarios.small_broker import SmallBroker, manager, manager_row
from tests.work.processes import until

from pipshare import inbox
from pipshare.errors import BadInput, Conflict, Missing

SETTINGS = {"url": "https://127.0.0.1:1", "login": "1000"}


def add(conn: Any, code: str = "live", **options: Any) -> inbox.Source:
    server = conn.execute("SELECT id FROM market_server WHERE code = 'Live-5'").fetchone()[0]
    return inbox.add_source(conn, code, server, "mt5_web", SETTINGS, by="anna", **options)


def test_a_source_is_set_up_found_paused_and_removed(broker: SmallBroker) -> None:
    conn = broker.conn
    made = add(conn, secret="Password1")
    assert inbox.source(conn, "live") == made
    assert made.settings == SETTINGS
    assert inbox.secret_of(conn, made) == "Password1"
    stored = conn.execute("SELECT secret FROM inbox_source").fetchone()[0]
    assert b"Password1" not in stored
    inbox.set_state(conn, made, "paused", by="anna", reason="weekend")
    assert inbox.source(conn, "live").state == "paused"
    with pytest.raises(Conflict, match="already"):
        add(conn)
    inbox.set_state(conn, made, "removed", by="anna")
    assert inbox.sources(conn) == []
    assert conn.execute("SELECT secret FROM inbox_source").fetchone()[0] is None
    add(conn)
    assert broker.audited("source.added")[0][3]["settings"] == SETTINGS
    assert broker.audited("source.paused")[0][2] == "weekend"


def test_a_wrong_code_is_told_with_what_there_is(broker: SmallBroker) -> None:
    with pytest.raises(Missing, match="there is none"):
        inbox.source(broker.conn, "live")
    add(broker.conn)
    with pytest.raises(Missing, match="did you mean live"):
        inbox.source(broker.conn, "lvie")
    with pytest.raises(BadInput, match="small letters"):
        add(broker.conn, "Live 5")


def test_a_cursor_is_saved_with_what_it_covers(broker: SmallBroker) -> None:
    conn, made = broker.conn, add(broker.conn)
    conn.commit()
    assert inbox.cursor(conn, made.id) == {}
    inbox.save_cursor(conn, made.id, {"until": 2**60})
    conn.rollback()
    assert inbox.cursor(conn, made.id) == {}
    inbox.save_cursor(conn, made.id, {"until": 1})
    inbox.save_cursor(conn, made.id, {"until": 2**60})
    conn.commit()
    assert inbox.cursor(conn, made.id) == {"until": 2**60}


def test_the_status_tells_of_polls_outages_and_lags(broker: SmallBroker) -> None:
    conn, made = broker.conn, add(broker.conn)
    (fresh,) = inbox.statuses(conn)
    assert (fresh.last_ok_ms, fresh.lag_p50_ms, fresh.worked) == (None, None, False)
    inbox.note_ok(conn, made.id, deals=3, trades=2, lags_ms=[*range(1, 1501)])
    inbox.note_ok(conn, made.id, deals=30_000, trades=30_000)  # a burst's poll; small ints overflow
    (good,) = inbox.statuses(conn)
    assert (good.deals, good.trades, good.lag_p50_ms, good.lag_p99_ms) == (
        30_003,
        30_002,
        1000,
        1490,
    )
    conn.commit()
    assert inbox.note_fault(conn, made.id, "the password is wrong") == 1
    conn.commit()
    assert inbox.note_fault(conn, made.id, "the password is wrong") == 2
    (bad,) = inbox.statuses(conn)
    assert (bad.fails, bad.error) == (2, "the password is wrong")
    assert bad.last_ok_ms == good.last_ok_ms
    assert bad.outage_since_ms is not None
    assert bad.last_try_ms is not None
    assert bad.outage_since_ms <= bad.last_try_ms
    conn.commit()
    inbox.note_ok(conn, made.id, lags_ms=[5])
    (again,) = inbox.statuses(conn)
    assert (again.fails, again.error, again.outage_since_ms) == (0, "", None)
    assert again.last_news_ms == good.last_news_ms, "a poll without news is none"
    assert conn.execute("SELECT cardinality(lags) FROM inbox_source_lag").fetchone() == (1000,)


def test_what_was_caught_up_with_after_a_gap_is_counted_apart(broker: SmallBroker) -> None:
    conn, made = broker.conn, add(broker.conn)
    gap = inbox.Gap(end_ms=1_795_428_000_123, lasted_ms=840_000, trades=3)
    inbox.note_ok(conn, made.id, trades=3, gap=gap)
    (one,) = inbox.statuses(conn)
    assert (one.gap_end_ms, one.gap_ms, one.caught_up) == (gap.end_ms, 840_000, 3)
    assert (one.trades, one.lag_p50_ms) == (3, None)
    inbox.note_ok(conn, made.id, trades=5, lags_ms=[70], gap=replace(gap, trades=4))
    (one,) = inbox.statuses(conn)
    assert (one.caught_up, one.lag_p50_ms) == (7, 70), "the same gap goes on"
    inbox.note_ok(conn, made.id, trades=1, gap=replace(gap, end_ms=gap.end_ms + 9, trades=1))
    (one,) = inbox.statuses(conn)
    assert (one.caught_up, one.lag_p50_ms) == (1, 70), "a gap of its own"


def test_an_alert_is_one_however_often_it_is_raised(broker: SmallBroker) -> None:
    conn, made = broker.conn, add(broker.conn)
    assert inbox.raise_alert(conn, "down", "live", "first", source_id=made.id)
    assert not inbox.raise_alert(conn, "down", "live", "second", source_id=made.id)
    assert inbox.raise_alert(conn, "down", "live", "of no source")
    assert inbox.raise_alert(conn, "file", "a\0b", "third", source_id=made.id)
    found = {(one.code, one.source): one for one in inbox.alerts(conn)}
    assert len(found) == 3
    assert (found["down", "live"].message, found["down", "live"].count) == ("second", 2)
    assert found["down", "live"].server == "Live-5"
    assert inbox.resolve_alert(conn, "down", source_id=made.id) == 1
    assert ("down", None) in {(one.code, one.source) for one in inbox.alerts(conn)}
    assert len(inbox.alerts(conn, resolved=True)) == 3
    assert inbox.raise_alert(conn, "down", "live", "again", source_id=made.id), "it opens anew"
    newest = inbox.alerts(conn)[0]
    assert inbox.close_alert(conn, newest.id, by="anna", reason="mended")
    assert not inbox.close_alert(conn, newest.id, by="anna")
    assert broker.audited("alert.closed")[0][:3] == ("anna", str(newest.id), "mended")


def test_two_that_raise_one_alert_at_once_do_not_collide(db: Any, broker: SmallBroker) -> None:
    broker.conn.commit()

    def raise_it() -> None:
        with db.app() as conn:
            inbox.raise_alert(conn, "down", "x", "one")

    threads = [threading.Thread(target=raise_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.count for one in inbox.alerts(broker.conn)] == [4]


def test_a_lease_is_one_connections_and_ends_with_it(db: Any, broker: SmallBroker) -> None:
    made = add(broker.conn)
    broker.conn.commit()
    with db.app() as first, db.app() as second:
        assert inbox.lease(first, made.id)
        first.rollback()
        assert not inbox.lease(second, made.id)
        assert inbox.held(broker.conn) == {made.id}
        assert inbox.statuses(broker.conn)[0].worked
        first.close()
        assert until(lambda: inbox.lease(second, made.id)), "a server ends a connection by and by"
        inbox.release(second, made.id)
        assert inbox.held(broker.conn) == set()


DEAL = b'{"Deal": "77", "Order": "78",\n "PositionID": "79", "Comment": "caf\\u00e9"}'


def test_a_raw_record_is_found_by_its_own_number_only(broker: SmallBroker) -> None:
    conn, made = broker.conn, add(broker.conn)
    batch = inbox.open_batch(conn, made.server_id, "deals", 1, source_id=made.id)
    inbox.keep_raw(conn, batch, [b'{"Deal":"76","Order":"77"}', DEAL, b'{"Deal":80}'])
    inbox.keep_raw(conn, inbox.open_batch(conn, made.server_id, "deals", 0), [])
    found = inbox.raw_record(conn, made.server_id, 77, batch)
    assert found is not None
    assert json.loads(found) == json.loads(DEAL)
    assert inbox.raw_record(conn, made.server_id, 80, batch) == '{"Deal":80}'
    assert inbox.raw_record(conn, made.server_id, 78, batch) is None
    assert inbox.raw_record(conn, made.server_id, 77) is None, "no deal of that number is stored"
    named = conn.execute("SELECT name FROM inbox_batch_source WHERE id = %s", (batch,)).fetchone()
    assert named == (f"live batch {batch}",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_raw_record_of_a_files_trade_is_its_line(broker: SmallBroker, encoding: str) -> None:
    rows = [manager_row(7000 + number, Comment=f"seen 70{number + 1:02}") for number in range(3)]
    report = broker.bring("m.csv", manager(*rows).encode(encoding))
    assert report.new == 3, report.refused
    server, batch = broker.conn.execute(
        "SELECT server_id, batch_id FROM trades_trade WHERE ticket = 7001"
    ).fetchone()
    line = inbox.raw_record(broker.conn, server, 7001, batch)
    assert line is not None
    assert line.startswith("7001,1001,")
    assert inbox.raw_record(broker.conn, server, 6999, batch) is None
