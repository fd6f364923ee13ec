"""Goal 10: signed webhooks to a hundred receivers on loopback, beside procrastinate's jobs.

`pipshare deliver` runs as shipped, in a process of its own; the sink in another. Then one receiver
of the hundred hangs, and what is said evenly in time is looked up in the rows of attempts: how late
after its due moment each one to the others began.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.clicks import environment
from benchmarks.racing import Race, Result, beside, race
from pipshare import db, outbox, settings
from pipshare.db import cluster, embedded

RECEIVERS = 100
OURS = "signed webhooks, 100 receivers"
NOTHING, POSTS = "procrastinate, jobs that do nothing", "procrastinate, jobs that post, signed"
EVEN_RATE, EVEN_S = 100, 20  # messages a second while one receiver hangs
_LATE = """
SELECT extract(epoch FROM max(a.at - a.due_at)) * 1000,
       extract(epoch FROM percentile_cont(0.99) WITHIN GROUP (ORDER BY a.at - a.due_at)) * 1000,
       count(*)
  FROM outbox_attempt a JOIN outbox_delivery d ON d.id = a.delivery_id
  JOIN outbox_receiver r ON r.id = d.receiver_id
  JOIN outbox_message m ON m.id = d.message_id
 WHERE r.partner = ANY(%s) AND m.key LIKE 'even/%%'"""


def measure(
    rounds: int, count: int, say: Callable[[str], None], even_s: int = EVEN_S
) -> tuple[list[Result], Race]:
    """Race deliveries and jobs; then let a receiver hang while messages come for `even_s`."""
    with tempfile.TemporaryDirectory(prefix="pipshare-outgoing-") as name:
        server = embedded.attach(Path(name) / "database")
        try:
            target = db.Target(*(server.conninfo(role, "pipshare")
                                 for role in (cluster.APP, cluster.OWNER)))  # fmt: skip
            with db.use(target), sink() as port:
                db.migrate()
                given = environment(target) | {
                    "PIPSHARE_DATA": name, "PIPSHARE_EGRESS_ALLOW": "127.0.0.0/8",
                    # What opens the secrets that are sealed here.
                    "PIPSHARE_ENCRYPTION_KEYS": ",".join(settings.encryption_keys(settings.ENV)),
                }  # fmt: skip
                return _measure(target, port, given, rounds, count, say, even_s)
        finally:
            embedded.destroy(Path(name) / "database")


def _measure(
    target: db.Target, port: int, given: dict[str, str], rounds: int, count: int,
    say: Callable[[str], None], even_s: int,
) -> tuple[list[Result], Race]:  # fmt: skip
    _receivers(port)
    numbers = iter(range(1_000_000))
    runners = {
        OURS: lambda: _deliver(given, count, next(numbers)),
        NOTHING: lambda: _jobs(target.owner, count // 4),
        POSTS: lambda: _jobs(target.owner, count // 4, f"http://127.0.0.1:{port}/"),
    }
    run = race(runners, rounds, say)
    worst, p99 = _hang(given, port, even_s)
    say(f"  one of {RECEIVERS} hangs: the others' attempts begin {p99:.0f} ms (p99), {worst:.0f} ms"
        " (worst) after they are due")  # fmt: skip
    return [
        beside(run, 10, OURS, NOTHING, 2.0, unit="/s", percent=False),
        beside(run, 10, OURS, POSTS, 2.0, unit="/s", percent=False),
        Result(10, "latest attempt beside one that hangs", "its due second", worst, 1_000.0,
               worst / 1_000.0, 1.0, "ms", True, "", True),
    ], run  # fmt: skip


def _receivers(port: int) -> None:
    with db.connect() as conn:
        for n in range(RECEIVERS):
            one = outbox.add(
                conn, 1, "webhook", f"receiver {n}", {"url": f"http://127.0.0.1:{port}/r{n}"},
                partner_id=n + 1, partner=f"P-{n}", by="benchmark",
            )  # fmt: skip
            outbox.rotate_secret(conn, one, by="benchmark")


def _say_some(prefix: str, first: int, count: int) -> None:
    """Write messages, each for one of the receivers in turn."""
    now_ms = time.time_ns() // 1_000_000
    rows = [(1, "trade.closed", f"{prefix}/{n}", f"trade:Demo/{prefix}/{n}", now_ms, _data(n))
            for n in range(first, first + count)]  # fmt: skip
    with db.connect() as conn:
        for at in range(0, count, 5_000):
            outbox.say(conn, pl.DataFrame(rows[at : at + 5_000], schema=outbox.MESSAGES,
                                          orient="row"))  # fmt: skip
            conn.commit()


def _data(n: int) -> str:
    code = f"P-{n % RECEIVERS}"
    return json.dumps({
        "entity": "main", "client": f"C-{n}", "country": "DE", "partner": code, "chain": [code],
        "click_id": "x" * 26, "server": "Demo", "login": "1001", "ticket": str(n),
        "symbol": "EURUSD", "lots": "0.10", "open_time": "2026-11-20T10:00:00Z",
        "close_time": "2026-11-20T11:00:00Z", "txid": f"Demo-{n}", "revision": "1",
        "earned": {code: {"amount": "1.25", "currency": "USD"}},
    })  # fmt: skip


def _deliver(given: dict[str, str], count: int, number: int) -> float:
    """Say `count` messages, then let a process deliver them; return attempts a second."""
    _say_some(f"round-{number}", 0, count)
    sql = """SELECT count(*), extract(epoch FROM max(a.at) - min(a.at))
               FROM outbox_attempt a JOIN outbox_delivery d ON d.id = a.delivery_id
               JOIN outbox_message m ON m.id = d.message_id WHERE m.key LIKE %s"""
    with delivering(given):
        told = _until(sql, f"round-{number}/%", count)
    return count / float(told[1])


def _hang(given: dict[str, str], port: int, even_s: int) -> tuple[float, float]:
    """Say messages evenly while one receiver hangs; return the worst and p99 lateness in ms."""
    with db.connect() as conn:
        hanging = next(one for one in outbox.receivers(conn) if one.partner == "P-0")
        outbox.change(conn, hanging, {"url": f"http://127.0.0.1:{port}/hang"}, by="benchmark")
        conn.commit()
    with delivering(given):
        began = time.monotonic()
        for n in range(EVEN_RATE * even_s // 10):
            _say_some("even", n * 10, 10)
            time.sleep(max(0.0, began + n * 10 / EVEN_RATE - time.monotonic()))
        others = [f"P-{n}" for n in range(1, RECEIVERS)]
        wanted = EVEN_RATE * even_s * (RECEIVERS - 1) // RECEIVERS
        with db.connect(autocommit=True) as conn:
            while (row := conn.execute(_LATE, (others,)).fetchone()) and row[2] < wanted:
                time.sleep(0.5)
    assert row is not None
    return float(row[0]), float(row[1])


def _until(sql: str, like: str, count: int) -> tuple[Any, ...]:
    with db.connect(autocommit=True) as conn:
        while True:
            row = conn.execute(sql, (like,)).fetchone()
            assert row is not None
            if row[0] >= count:
                return tuple(row)
            time.sleep(0.5)


def _jobs(conninfo: str, count: int, url: str = "") -> float:
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "benchmarks.outgoing_jobs", conninfo, str(count), url]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    return float(done.stdout.split()[-1])


@contextmanager
def delivering(given: dict[str, str]) -> Iterator[None]:
    """Run `pipshare deliver`."""
    command = [sys.executable, "-c", "from pipshare.cli import main; main()", "deliver"]
    with subprocess.Popen(command, env={**os.environ, **given}, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as child:  # fmt: skip
        try:
            yield
        finally:
            child.kill()  # what is measured is written: nobody waits for one that hangs


@contextmanager
def sink() -> Iterator[int]:
    """Run the sink; yield its port."""
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "benchmarks.outgoing_sink"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as child:
        try:
            assert child.stdout
            yield int(child.stdout.readline())
        finally:
            child.kill()
