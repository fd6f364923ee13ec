"""CRMs' webhooks beside the same server's empty response, and batches of lines until settled.

As with clicks: `pipshare serve` as shipped, the load in its own process, each answer durable; every
request is signed as Standard Webhooks says. Single ones bring a registration or a deposit each.
Batches bring a hundred events as lines; `pipshare work` as shipped settles them meanwhile, and the
clock stops when the last event is a client's. Afterwards every answered id is looked for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks import http_load
from benchmarks.clicks import EMPTY, environment, request, serving
from benchmarks.racing import Race, Result, beside, race
from pipshare import db, partners, settings
from pipshare.crm import preset
from pipshare.db import cluster, embedded
from pipshare.facts.reading import read_table
from pipshare.pipeline.crm.set_up import set_up

HOOK = "CRM webhook, durable"
CONNECTIONS = 16
A_SECOND = 4_000  # webhooks prepared for each second of a load: more than come through
LINES = 100  # events of a batch
WANTED_MS, WANTED_EVENTS = 50, 2_000
CODE, JSON, NDJSON = "crm", "application/json", "application/x-ndjson"
_SECRET = base64.b64encode(bytes(range(32))).decode()
_STORED = "SELECT count(*) FROM inbox_payload WHERE id = ANY(%s) AND verdict = 'accepted'"
_SETTLED = "SELECT count(*) FROM clients_event"
_DUE = "SELECT count(*) FROM inbox_payload_due"


def measure(
    rounds: int, seconds: float, batches: int, say: Callable[[str], None]
) -> tuple[list[Result], Race]:
    """Race single webhooks and the empty response, at half their load, too; then send batches."""
    with set_up_broker() as (port, environment_):
        loads = iter(range(1_000))
        ids: list[str] = []

        def hooks(rate: float = 0.0) -> http_load.Told:
            asks = calls(next(loads), int(seconds * (rate or A_SECOND)) + 100)
            told = http_load.run(
                http_load.Load(port, asks, CONNECTIONS, seconds, rate, mark='"id": "')
            )
            assert told.statuses.keys() == {"200"}, told.statuses
            ids.extend(told.ids)
            return told

        def empty(rate: float = 0.0) -> http_load.Told:
            asked = http_load.Load(port, [request("/empty")], CONNECTIONS, seconds, rate)
            return http_load.run(asked)

        hooks(), empty()  # the first ones of a process import and connect
        run = race({HOOK: lambda: hooks().rate, EMPTY: lambda: empty().rate}, rounds, say)
        halves = [(hooks(run.of(HOOK) / 2), empty(run.of(EMPTY) / 2)) for _ in range(rounds)]
        half, idle = (sorted(told, key=lambda one: one.p99_ms)[rounds // 2]
                      for told in zip(*halves, strict=True))  # fmt: skip
        say(f"  webhooks at {half.rate:,.0f}/s: p50 {half.p50_ms:.1f} ms, p99 {half.p99_ms:.1f} ms")
        hold(ids)
        say(f"  all {len(ids):,} answered webhooks are stored and accepted")
        taken, settled = _batches(port, environment_, next(loads), batches, say)
    limit = "only the empty one passes pages' middleware; a webhook is proven, judged, stored"
    return [
        beside(run, 0, HOOK, EMPTY, 0.4, unit="answers/s", limit=limit),
        Result(0, "CRM webhook at half its load, p99", "wanted", half.p99_ms, WANTED_MS,
               half.p99_ms / WANTED_MS, 1.0, "ms", True, f"median of {rounds}; an empty response's"
               f" at its own half is {idle.p99_ms:,.1f} ms", True),
        Result(0, "events in lines of a hundred, stored", "wanted", taken, WANTED_EVENTS,
               taken / WANTED_EVENTS, 1.0, "events/s", False),
        Result(0, "the same, until settled", "wanted", settled, WANTED_EVENTS,
               settled / WANTED_EVENTS, 1.0, "events/s", False),
    ], run  # fmt: skip


def _batches(
    port: int, given: dict[str, str], load: int, count: int, say: Callable[[str], None]
) -> tuple[float, float]:
    """Send batches while `pipshare work` settles; return events a second stored, and settled."""
    with db.connect(autocommit=True) as conn, working(given):
        _wait(conn, lambda: _one(conn, _DUE) == 0)
        before = _one(conn, _SETTLED)
        asks = batches_of(load, count)
        began = time.perf_counter()
        ids = _sent(port, asks)
        taken = time.perf_counter() - began
        _wait(conn, lambda: _one(conn, _SETTLED) - before >= count * LINES)
        settled = time.perf_counter() - began
    hold(ids)
    events = count * LINES
    say(f"  {events:,} events in {count} batches: stored in {taken:.1f} s, settled {settled:.1f} s")
    return events / taken, events / settled


def _sent(port: int, asks: list[str]) -> list[str]:
    """Send each request once, a few at a time over connections that stay open; return the ids."""

    def send(mine: list[str]) -> list[str]:
        conn = HTTPConnection("127.0.0.1", port, timeout=60)
        found = []
        for ask in mine:
            head, body = ask.split("\r\n\r\n", 1)
            headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
            conn.request("POST", f"/hooks/{CODE}", body.encode("latin-1"), headers)
            answer = conn.getresponse()
            told = json.loads(answer.read())
            assert answer.status == 200, told
            found.append(told["id"])
        conn.close()
        return found

    senders = 4
    with ThreadPoolExecutor(senders) as pool:
        return [id_ for some in pool.map(send, [asks[n::senders] for n in range(senders)])
                for id_ in some]  # fmt: skip


def _one(conn: Any, query: str) -> int:
    row = conn.execute(query).fetchone()
    return int(row[0])


def _wait(conn: Any, is_done: Callable[[], bool]) -> None:
    end = time.monotonic() + 900
    while not is_done():
        assert time.monotonic() < end, "payloads are not settled"
        time.sleep(0.1)


@contextmanager
def set_up_broker() -> Iterator[tuple[int, dict[str, str]]]:
    """Serve a broker with a partner and an endpoint; yield the port and the environment."""
    with tempfile.TemporaryDirectory(prefix="pipshare-crm-") as name:
        server = embedded.attach(Path(name) / "database")
        try:
            target = db.Target(*(server.conninfo(role, "pipshare")
                                 for role in (cluster.APP, cluster.OWNER)))  # fmt: skip
            with db.use(target):
                db.migrate()
                keys = ",".join(settings.encryption_keys(settings.ENV))  # that seal its secret
                given = environment(target) | {"PIPSHARE_DATA": name,
                                               "PIPSHARE_ENCRYPTION_KEYS": keys}  # fmt: skip
                prepared()
                with serving(given) as port:
                    yield port, given
        finally:
            embedded.destroy(Path(name) / "database")


def prepared() -> None:
    """Make a partner, and an endpoint by PheasanTech's preset: Standard Webhooks in plain words."""
    with db.transaction() as conn:
        frame, _ = read_table(b"partner\nP-1\n", "partners")
        partners.load_partners(conn, frame)
        set_up(conn, 1, CODE, preset=preset("pheasantech"), secret=f"whsec_{_SECRET}",
               by="benchmark")  # fmt: skip


@contextmanager
def working(given: dict[str, str]) -> Iterator[None]:
    """Run `pipshare work` as shipped."""
    command = [sys.executable, "-c", "from pipshare.cli import main; main()", "work", "--quiet"]
    child = subprocess.Popen(command, env=bare() | given)
    try:
        yield
    finally:
        child.terminate()
        child.wait()


def bare() -> dict[str, str]:
    """Return this process's environment without what is pipshare's own."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PIPSHARE_", "DATABASE"))}


def event(load: int, n: int) -> dict[str, Any]:
    """Return the n-th event of a load: a client's registration, then his deposit."""
    client = f"C-{load}-{n // 2}"
    data = {"id": f"{load}-{n}", "occurred_at": "2026-03-02T10:00:00Z", "client_id": client}
    if n % 2:
        more = {"amount": "250.00", "currency": "USD", "method": "card"}
        return {"type": "deposit.approved", "data": data | more}
    return {"type": "client.registered", "data": data | {"country": "CY", "partner_code": "P-1"}}


def calls(load: int, count: int) -> list[str]:
    """Return signed requests of one event each, no two the same."""
    return [_signed(f"{load}-{n}", json.dumps(event(load, n)), JSON) for n in range(count)]


def batches_of(load: int, count: int) -> list[str]:
    """Return signed requests of LINES events each."""
    return [
        _signed(f"b{load}-{n}", "\n".join(json.dumps(event(load, n * LINES + line))
                                          for line in range(LINES)), NDJSON)
        for n in range(count)
    ]  # fmt: skip


def _signed(id_: str, body: str, content_type: str) -> str:
    at = str(int(time.time()))
    key = base64.b64decode(_SECRET)
    digest = hmac.new(key, f"{id_}.{at}.{body}".encode(), hashlib.sha256).digest()
    headers = {
        "Host": "127.0.0.1", "User-Agent": "crm/1.0", "Content-Type": content_type,
        "webhook-id": id_, "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        "Content-Length": str(len(body)),
    }  # fmt: skip
    lines = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
    return f"POST /hooks/{CODE} HTTP/1.1\r\n{lines}\r\n\r\n{body}"


def hold(ids: list[str]) -> None:
    """Raise unless every answered payload is stored, once, and was accepted."""
    assert len(set(ids)) == len(ids) > 0
    with db.connect() as conn:
        found = 0
        for at in range(0, len(ids), 10_000):
            row = conn.execute(_STORED, (ids[at : at + 10_000],)).fetchone()
            found += row[0] if row else 0
    assert found == len(ids), f"{len(ids) - found} answered payloads are not stored"
