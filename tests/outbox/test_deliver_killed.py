"""Dispatchers as processes: killed in mid-flight nothing is lost; one works, another takes over."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from tests.outbox.conftest import settled
from tests.outbox.outbox_world import entity, said, say
from tests.outbox.sink import Sink

from pipshare import outbox

PIPSHARE = str(Path(sys.executable).with_name("pipshare"))
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(db: Any) -> Iterator[Start]:
    """Start `pipshare` processes on the test's database; they end with the test."""
    made: list[subprocess.Popen[bytes]] = []

    def one(*words: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **db.environment, "PIPSHARE_EGRESS_ALLOW": "127.0.0.0/8"}
        command = [PIPSHARE, *(words or ("deliver",))]
        made.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE))
        return made[-1]

    yield one
    for process in made:
        process.kill()
        process.wait(10)
        assert process.stdout
        process.stdout.close()


def dispatched(conn: Any) -> bool:
    found = outbox.is_dispatched(conn)
    conn.commit()
    return found


def wait(true: Callable[[], Any], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_killed_in_mid_flight_every_message_arrives_and_repeats_carry_their_id(
    db: Any, sinks: Callable[..., Sink], start: Start
) -> None:
    sink = sinks()
    messages = 3_000
    with db.app() as conn:
        to = outbox.add(conn, entity(conn), "webhook", "a", {"url": sink.url()}, by="ann")
        secret = outbox.rotate_secret(conn, to, by="ann")
        for at in range(0, messages, 500):
            say(conn, *[said(n, f"client:{n % 300}") for n in range(at, at + 500)])
        conn.commit()
        luck = random.Random(7)
        for kill in range(4):
            process = start()
            wait(lambda: dispatched(conn))
            came = len(sink.got)
            wait(lambda n=came: len(sink.got) >= min(n + 100, messages))  # type: ignore[misc]
            time.sleep(luck.uniform(0.0, 0.2))
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            assert kill or len(sink.got) < messages, "killed before it was done"
        start()
        assert settled(conn, 60) == {"delivered": messages}
        ids = {
            row[0]: f"msg_{row[1]}" for row in conn.execute("SELECT key, id FROM outbox_message")
        }
    bodies: dict[str, set[str]] = {}
    order: dict[int, list[int]] = {}
    for got in sink.got:
        told = Webhook(secret).verify(got.body, got.headers)
        number = int(told["data"]["n"])
        bodies.setdefault(f"k{number}", set()).add(got.headers["webhook-id"])
        mine = order.setdefault(number % 300, [])
        if number not in mine:
            mine.append(number)
    assert bodies == {key: {name} for key, name in ids.items()}
    assert all(numbers == sorted(numbers) for numbers in order.values())
    repeats = Counter(got.headers["webhook-id"] for got in sink.got)
    assert max(repeats.values()) <= 5
    assert len(sink.got) - messages <= 4 * 400, "only what was in hand"


def test_one_works_and_the_other_takes_over(
    db: Any, sinks: Callable[..., Sink], start: Start
) -> None:
    sink = sinks()
    with db.app() as conn:
        outbox.add(conn, entity(conn), "webhook", "a", {"url": sink.url()}, by="ann")
        conn.commit()
        first = start()
        wait(lambda: dispatched(conn))
        second = start()
        assert second.stdout
        assert second.stdout.readline().startswith(b"deliver: 1 receiver")
        say(conn, *[said(n, "client:1") for n in range(50)])
        conn.commit()
        assert settled(conn) == {"delivered": 50}
        time.sleep(1.0)
        assert len(sink.got) == 50, "nobody sends beside him"
        first.kill()
        first.wait(10)
        began = time.monotonic()
        say(conn, said(50, "client:1"))
        conn.commit()
        assert settled(conn) == {"delivered": 51}
        assert time.monotonic() - began < 10
        assert second.poll() is None
        second.terminate()
        assert second.wait(15) == 0, "told to end, it ends well"
    assert len(sink.got) == 51


def test_work_delivers_as_well(db: Any, sinks: Callable[..., Sink], start: Start) -> None:
    sink = sinks()
    with db.app() as conn:
        outbox.add(conn, entity(conn), "webhook", "a", {"url": sink.url()}, by="ann")
        conn.commit()
        process = start("work", "--quiet")
        say(conn, said(1))
        conn.commit()
        sink.wait(1, 30)
        settled(conn)
        process.terminate()
        assert process.wait(30) == 0
