"""Goal 5: from the close on an MT5 server until the commission is durable, through the connector.

The sandbox server runs in a process of its own and shares the cores; `pipshare work` runs in
another, as shipped, and tells for each booked trade how long ago it was closed. After a time to
warm up its lags are collected; then a burst, and how long it takes until nothing is behind.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.racing import Race, Result
from pipshare import db, inbox
from pipshare.db import cluster, embedded
from pipshare.pipeline import Run
from pipshare.pipeline.loads import apply_plan, load
from pipshare.pipeline.work.set_up import set_up
from pipshare.sandbox import make_broker, write_demo
from pipshare.sandbox.cast import PARTNERS
from pipshare.sandbox.mt5.world import Size, World

SERVER, LOGINS, WARM_S = "Demo-MT5-Live", 3_000, 15
_START = [sys.executable, "-c", "from pipshare.cli import main; main()"]
_BEHIND = "SELECT count(*) FROM trades_trade WHERE revision = 1"
_NEWEST = "SELECT extract(epoch FROM clock_timestamp() - max(close_at))::int FROM trades_trade"
CAUGHT_UP_S = 3


def measure(
    rate: float, seconds: int, burst: tuple[int, int], say: Callable[[str], None]
) -> tuple[list[Result], Race]:
    """Run at `rate` closes a second for `seconds`, then a burst of (closes a second, seconds)."""
    with tempfile.TemporaryDirectory(prefix="pipshare-live-") as name:
        folder = Path(name)
        server = embedded.attach(folder / "database")
        try:
            target = db.Target(*(server.conninfo(role, "pipshare")
                                 for role in (cluster.APP, cluster.OWNER)))  # fmt: skip
            with db.use(target):
                db.migrate()
                return _measure(folder, target, rate, seconds, burst, say)
        finally:
            embedded.destroy(folder / "database")


def _measure(
    folder: Path, target: db.Target, rate: float, seconds: int, burst: tuple[int, int],
    say: Callable[[str], None],
) -> tuple[list[Result], Race]:  # fmt: skip
    with _sandbox(folder, rate) as told, db.connect() as conn:
        _introduce(Run(conn), folder, told, rate)
        with _worker(target) as worker:
            _wait_for_history(conn)
            time.sleep(WARM_S)
            worker.forget()
            time.sleep(seconds)
            lags = sorted(worker.lags())
            say(f"  {rate:g} closes/s for {seconds} s: {len(lags)} trades booked")
            run = Race({"close to posted": [len(lags) / seconds]})
            results = [
                _result(f"close to posted at {rate:g}/s, p50", _at(lags, 50), 1_000),
                _result(f"close to posted at {rate:g}/s, p99", _at(lags, 99), 2_000),
            ]
            if burst[1]:
                results.append(_burst(conn, told, burst, say))
    return results, run


def _wait_for_history(conn: psycopg.Connection[Any]) -> None:
    """Wait until what lay before the connection was read: openings of what closes now."""
    for _ in range(300):
        told = inbox.cursor(conn, inbox.sources(conn)[0].id)
        conn.commit()
        if told and told["history_s"] >= told["history_to_s"]:
            return
        time.sleep(1)
    raise AssertionError("history was not read in five minutes")


def _result(what: str, lag_ms: int, wanted_ms: int) -> Result:
    return Result(5, what, "wanted", lag_ms, wanted_ms, lag_ms / wanted_ms, 1.0, "ms", True,
                  "the poll interval of 1 s", True)  # fmt: skip


def _at(lags: list[int], percent: int) -> int:
    return lags[min(len(lags) - 1, len(lags) * percent // 100)] if lags else 10**6


def _burst(
    conn: psycopg.Connection[Any], told: dict[str, str], burst: tuple[int, int],
    say: Callable[[str], None],
) -> Result:  # fmt: skip
    """Let so many be closed a second for some time; return how long after it the last is booked."""
    rate, seconds = burst
    _admin(told, {"do": "burst", "rate": rate, "seconds": seconds})
    began = time.monotonic()
    before = conn.execute(_BEHIND).fetchone()[0]  # type: ignore[index]
    conn.commit()
    time.sleep(seconds)
    for _ in range(600):  # until what is newest was closed just now
        if conn.execute(_NEWEST).fetchone()[0] < CAUGHT_UP_S:  # type: ignore[index]
            break
        conn.commit()
        time.sleep(0.5)
    drained = time.monotonic() - began - seconds
    now = conn.execute(_BEHIND).fetchone()[0]  # type: ignore[index]
    conn.commit()
    assert now - before >= rate * seconds * 9 // 10, f"{now - before} trades are not all of them"
    what = f"burst of {rate}/s for {seconds} s"
    say(f"  {what}: {now - before} trades, drained {drained:.0f} s after")
    return Result(5, f"{what}: time to drain", "its length", drained * 1000, seconds * 1000,
                  drained / seconds, 0, "ms", True, "", True)  # fmt: skip


@contextmanager
def _sandbox(folder: Path, rate: float) -> Iterator[dict[str, str]]:
    command = [*_START, "sandbox", "mt5", "--folder", str(folder / "mt5"), "--rate", str(rate),
               "--logins", str(LOGINS), "--admin", "--with-parent"]  # fmt: skip
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout
        words = child.stdout.readline().split()
        yield {"url": words[2], "login": words[4], "password": words[6], "fingerprint": words[9],
               "ca": words[-1].rstrip(")")}  # fmt: skip
    finally:
        child.terminate()
        child.wait()


def _introduce(run: Run, folder: Path, told: dict[str, str], rate: float) -> None:
    """Load the demonstration's partners and programmes, and the sandbox's clients and accounts."""
    demo = write_demo(folder / "demo", make_broker(7, 10))
    for kind, path in demo.items():
        if kind.startswith("programme "):
            apply_plan(run, path, by="benchmark")
        elif kind not in ("mt4", "mt5"):
            load(run, kind, path, by="benchmark")
    partners = [partner.code for partner in PARTNERS if partner.parent]
    world = World(size=Size(logins=LOGINS, rate=rate, steady=True, history_days=1))
    for kind, path in world.write_loads(folder / "loads", partners).items():
        load(run, kind, path, by="benchmark")
    wanted = {name: told[name] for name in ("url", "login", "fingerprint")}
    wanted["from"] = "400d"
    set_up(run.conn, "mt5_web", SERVER, wanted, by="benchmark", secret=told["password"])
    run.conn.commit()


def _admin(told: dict[str, str], deed: dict[str, Any]) -> None:
    import http.client
    import ssl
    from urllib.parse import urlsplit

    place = urlsplit(told["url"])
    context = ssl.create_default_context(cafile=told["ca"])
    context.check_hostname = False
    link = http.client.HTTPSConnection(str(place.hostname), place.port, context=context)
    link.request("POST", "/sandbox/world", json.dumps(deed))
    answer = link.getresponse()
    assert answer.status == 200, answer.read()
    link.close()


class _Worker:
    """`work` in a process of its own, which writes the lags of each poll to a file."""

    def __init__(self, target: db.Target, told: Path) -> None:
        self._told = told
        self._from = 0
        job = json.dumps({"app": target.app, "owner": target.owner, "told": str(told)})
        self.process = subprocess.Popen([sys.executable, "-m", "benchmarks.worker", job])

    def forget(self) -> None:
        """Count from here on."""
        self._from = self._told.stat().st_size if self._told.exists() else 0

    def lags(self) -> list[int]:
        """Return the lags of what was booked since, in milliseconds."""
        with self._told.open() as file:
            file.seek(self._from)
            return [int(word) for line in file for word in line.split()]


@contextmanager
def _worker(target: db.Target) -> Iterator[_Worker]:
    with tempfile.TemporaryDirectory(prefix="pipshare-lags-") as name:
        worker = _Worker(target, Path(name) / "lags")
        try:
            yield worker
        finally:
            worker.process.terminate()
            worker.process.wait()
