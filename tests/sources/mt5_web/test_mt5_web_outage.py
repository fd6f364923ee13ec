"""Outages: one line when it begins, one when it ends, and longer pauses in between."""

from __future__ import annotations

import pytest
from mt5_web_talk import Talking
from scripted_tls import Broker, done

from pipshare.errors import Unavailable
from pipshare.sources.mt5_web.outage import Outage

TIME = "/api/time/server"


def _outage(log: list[str], now: list[int]) -> Outage:
    return Outage("mt5.example:443", log.append, lambda: now[0])


def test_pauses_double_to_two_minutes_with_jitter() -> None:
    log: list[str] = []
    now = [0]
    one = _outage(log, now)
    pauses = []
    for _ in range(12):
        one.failed("time", Unavailable("x", "nobody listens"))
        pauses.append(one.wait_s())
        with pytest.raises(Unavailable, match="nobody listens"):
            one.check()
        now[0] += 200
        one.check()
    for pause, plain in zip(pauses, [1, 2, 4, 8, 16, 32, 64, 120, 120, 120, 120, 120], strict=True):
        assert 0.8 * plain - 0.01 <= pause <= 1.2 * plain + 0.01
    assert (
        len({round(pause / plain, 6) for pause, plain in zip(pauses[7:], [120] * 5, strict=True)})
        > 1
    )
    one.works("deals")
    assert len(log) == 1
    one.works("time")
    assert log == [
        "MT5 server mt5.example:443 fails: nobody listens",
        "MT5 server mt5.example:443 works again after 2400 s (12 failed attempts)",
    ]
    assert one.wait_s() == 0


def test_an_error_told_twice_is_one_attempt() -> None:
    log: list[str] = []
    one = _outage(log, [0])
    error = Unavailable("x", "y")
    for _ in range(5):
        one.failed("time", error)
    assert one.wait_s() <= 1.2


def test_a_clock_that_was_set_back_does_not_wait_for_ever() -> None:
    now = [1_000_000]
    one = _outage([], now)
    one.failed("time", Unavailable("x", "y"))
    now[0] = 0
    assert one.wait_s() <= 144


def test_one_line_per_outage_however_long(talk: Talking) -> None:
    broker = Broker(says={TIME: done(retcode="10 No connection")})
    one = talk(broker)
    for _ in range(20):
        one.now += 200
        with pytest.raises(Unavailable, match="lost its trade server"):
            one.web.server_time()
        with pytest.raises(Unavailable, match="lost its trade server"):
            one.web.server_time()
    assert broker.count(TIME) == 20
    assert len(one.log) == 1
    one.now += 200
    broker.says[TIME] = done({"Time": f"{round(one.now)} x"[:10]})
    one.web.server_time()
    assert len(one.log) == 2
    assert "works again after 4000 s (20 failed attempts)" in one.log[1]
    assert one.web.wait_s() == 0


def test_a_dead_server_is_one_outage_until_it_signs_in(talk: Talking) -> None:
    one = talk(Broker())
    one.server.__exit__()
    for _ in range(3):
        one.now += 200
        with pytest.raises(Unavailable):
            one.web.logins("*")
    assert len(one.log) == 1
