"""Receivers that hang, fail for days, are gone, or ask for time; limits, pauses, switching off."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.outbox.conftest import QUICK, settled
from tests.outbox.outbox_world import hook, said, say
from tests.outbox.sink import OK, Sink, reply

from pipshare import inbox, outbox

Make = Callable[..., Any]


def until(true: Callable[[], Any], seconds: float = 15.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found


async def _hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


def test_one_that_hangs_delays_no_other(db: Any, sinks: Make, dispatching: Make) -> None:
    sink: Sink = sinks(lambda got: _hang if got.path == "/0" else OK)
    with db.app() as conn:
        for n in range(20):
            hook(
                conn,
                f"r{n}",
                sink.url(f"/{n}"),
                timeout_s=1,
                events=[f"t.n{'abcdefghijklmnopqrst'[n]}"],
            )
        rows = [said(n, type=f"t.n{'abcdefghijklmnopqrst'[n % 20]}") for n in range(400)]
        conn.commit()
        dispatching(pace=replace(QUICK, waits_s=(30,)))
        for at in range(0, 400, 40):
            say(conn, *rows[at : at + 40])
            conn.commit()
            time.sleep(0.1)
        query = """SELECT count(*), max(a.at - a.due_at) < interval '1 s' FROM outbox_attempt a
                     JOIN outbox_delivery d ON d.id = a.delivery_id
                     JOIN outbox_receiver r ON r.id = d.receiver_id WHERE r.name <> 'r0'"""

        def done() -> Any:
            row = conn.execute(query).fetchone()
            conn.commit()
            return row if row[0] == 380 else None

        assert until(done)[1] is True
    assert len([got for got in sink.got if got.path == "/0"]) <= 8, "four at a time"


def test_the_breaker_rests_and_a_probe_finds_it_well(
    db: Any, sinks: Make, dispatching: Make
) -> None:
    well: list[bool] = []
    sink: Sink = sinks(lambda got: OK if well else reply(500))
    with db.app() as conn:
        one = hook(conn, "a", sink.url(), concurrency=1)
        say(conn, *[said(n) for n in range(50)])
        conn.commit()
        dispatching(pace=replace(QUICK, waits_s=(60, 60), breaker_rest_s=0.4))
        sink.wait(5)
        time.sleep(0.9)
        tried = len(sink.got)
        assert 5 <= tried <= 8, "five in a row, then one each rest"
        assert outbox.fares(conn, one.id)[one.id].fails == tried
        untried = conn.execute("SELECT count(*) FROM outbox_delivery WHERE attempts = 0")
        assert untried.fetchone()[0] >= 42, "what waits is not used up"
        conn.commit()
        well.append(True)
        until(lambda: len(sink.got) >= 50)
        time.sleep(0.3)
        fare = outbox.fares(conn, one.id)[one.id]
        assert (fare.fails, fare.failing_since_ms) == (0, None)


def test_retry_after_rests_the_receiver(db: Any, sinks: Make, dispatching: Make) -> None:
    sink: Sink = sinks(lambda got: reply(429, Retry_After="1") if len(sink.got) == 1 else OK)
    with db.app() as conn:
        hook(conn, "a", sink.url(), concurrency=1)
        say(conn, *[said(n) for n in range(5)])
        conn.commit()
        dispatching()
        assert settled(conn) == {"delivered": 5}
    assert len(sink.got) == 6, "the others were not tried meanwhile"
    assert sink.got[1].at - sink.got[0].at > 0.9


def test_switched_off_after_days_with_notice_and_back(
    db: Any, sinks: Make, dispatching: Make
) -> None:
    from pipshare.pipeline.delivering.notices import resume

    well: list[bool] = []
    sink: Sink = sinks(lambda got: OK if well or got.path == "/crm" else reply(500, b"oh no"))
    with db.app() as conn:
        one = hook(conn, "broken", sink.url("/x"))
        hook(conn, "crm", sink.url("/crm"), events=["receiver.switched_off"])
        say(conn, *[said(n, "client:1") for n in range(3)], *[said(n) for n in range(10, 20)])
        conn.commit()
        dispatching(pace=replace(QUICK, off_after_ms=500, waits_s=(0.3,) * 5))
        until(lambda: outbox.receiver(conn, "broken").state == "off" or conn.rollback())
        conn.rollback()
        assert settled(conn) == {"dead": 13, "delivered": 1}
        assert "answered 500" in outbox.receiver(conn, "broken").off_reason
        [alert] = [a for a in inbox.alerts(conn) if a.code == "receiver_off"]
        assert alert.subject == "broken"
        assert "pipshare receiver resume" in alert.message
        [news] = [json.loads(got.body) for got in sink.got if got.path == "/crm"]
        assert news["type"] == "receiver.switched_off"
        assert news["data"]["receiver"] == "broken"
        assert news["data"]["entity"] == "main"

        tried = len(sink.got)
        say(conn, said(30, "client:1"))
        conn.commit()
        assert settled(conn) == {"dead": 14, "delivered": 1}, "kept for a replay"
        assert len(sink.got) == tried
        well.append(True)
        resume(conn, outbox.receiver(conn, "broken"), by="ann")
        assert outbox.replay(conn, one, by="ann") == 14
        conn.commit()
        until(lambda: len([g for g in sink.got[tried:] if g.path == "/x"]) == 14)
        settled(conn)
        assert not [a for a in inbox.alerts(conn) if a.code == "receiver_off"]
        mine = [json.loads(g.body)["data"]["n"] for g in sink.got[tried:]
                if json.loads(g.body)["data"]["n"] in ("0", "1", "2", "30")]  # fmt: skip
    assert mine == ["0", "1", "2", "30"]


def test_410_switches_a_webhook_off(db: Any, sinks: Make, dispatching: Make) -> None:
    sink: Sink = sinks(lambda got: reply(410))
    with db.app() as conn:
        hook(conn, "a", sink.url())
        say(conn, said(1), *[said(n, "client:1") for n in range(2, 9)])
        conn.commit()
        dispatching()
        assert settled(conn) == {"dead": 8}
        until(lambda: outbox.receiver(conn, "a").state == "off" or conn.rollback())
    assert len(sink.got) <= 4


def test_a_pause_stops_and_a_resume_goes_on_where_it_was(
    db: Any, sinks: Make, dispatching: Make
) -> None:
    sink: Sink = sinks()
    with db.app() as conn:
        one = hook(conn, "a", sink.url(), per_minute=600, concurrency=1)
        say(conn, *[said(n, "client:1") for n in range(3)], *[said(n) for n in range(10, 40)])
        conn.commit()
        dispatching()
        sink.wait(3)
        outbox.pause(conn, one, by="ann")
        conn.commit()
        time.sleep(1.0)
        held = len(sink.got)
        assert held < 25
        time.sleep(0.5)
        assert len(sink.got) == held
        outbox.change(conn, one, {"url": sink.url("/b")}, by="ann")
        outbox.resume(conn, one, by="ann")
        conn.commit()
        assert settled(conn) == {"delivered": 33}
    assert len(sink.got) == 33
    assert sink.got[-1].path == "/b"


def test_the_rate_limit_and_the_concurrency_hold(db: Any, sinks: Make, dispatching: Make) -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        state["now"] += 1
        state["most"] = max(state["most"], state["now"])
        await asyncio.sleep(0.2)
        state["now"] -= 1
        writer.write(OK)

    state = {"now": 0, "most": 0}
    busy: Sink = sinks(lambda got: slow)
    limited: Sink = sinks()
    with db.app() as conn:
        hook(conn, "busy", busy.url(), concurrency=3, events=["t.a"])
        hook(conn, "limited", limited.url(), per_minute=600, events=["t.b"])
        say(conn, *[said(n, type="t.a") for n in range(12)])
        say(conn, *[said(n, type="t.b") for n in range(11)])
        conn.commit()
        dispatching()
        assert settled(conn) == {"delivered": 23}
    assert state["most"] == 3
    times = [got.at for got in limited.got]
    assert 0.85 < times[-1] - times[0] < 3, "eleven at ten a second"


def test_a_removed_receiver_gets_nothing_more(db: Any, sinks: Make, dispatching: Make) -> None:
    sink: Sink = sinks()
    with db.app() as conn:
        one = hook(conn, "a", sink.url())
        outbox.pause(conn, one, by="ann")
        say(conn, said(1, "client:1"), said(2, "client:1"))
        conn.commit()
        dispatching()
        count = "SELECT count(*) FROM outbox_delivery"
        until(lambda: conn.execute(count).fetchone()[0] == 2 or conn.rollback())
        outbox.remove(conn, one, by="ann")
        say(conn, said(3, "client:1"))
        conn.commit()
        assert settled(conn) == {"cancelled": 2}
    assert not sink.got


def test_a_connection_that_was_closed_meanwhile_costs_no_attempt(
    db: Any, sinks: Make, dispatching: Make
) -> None:
    async def answer_and_close(writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await writer.drain()
        writer.close()

    sink: Sink = sinks(lambda got: answer_and_close)
    with db.app() as conn:
        hook(conn, "a", sink.url(), concurrency=1)
        dispatching()
        for n in range(30):
            say(conn, said(n))
        conn.commit()
        assert settled(conn) == {"delivered": 30}
        rows = conn.execute("SELECT DISTINCT outcome FROM outbox_attempt").fetchall()
    assert rows == [("ok",)]
    assert len(sink.got) == len({got.headers["webhook-id"] for got in sink.got})
