"""The server is killed under load: every postback that was answered is in the log, and settles."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import http_load, postbacks

from pipshare import db as pg
from pipshare import inbox
from pipshare.pipeline import Run
from pipshare.pipeline.claims import settle_claims

PIPSHARE = str(Path(sys.executable).with_name("pipshare"))


def test_every_answered_postback_is_there_after_kill_9(db: Any) -> None:
    token, clicks = postbacks.prepared()
    asks = postbacks.calls(token, clicks, 1, 10_000)
    with serving(db.environment) as (process, port):
        load = http_load.start(
            http_load.Load(port, asks, seconds=60, mark='"id": "', until_gone=True)
        )
        _wait_for(500)
        for pid in [*children(process.pid), process.pid]:
            os.kill(pid, signal.SIGKILL)
        told = http_load.finish(load)
    assert told.statuses.keys() == {"200"}
    assert len(told.ids) > 400
    postbacks.hold(told.ids)
    with pg.connect() as conn:
        settle_claims(Run(conn))
        waiting = conn.execute("SELECT DISTINCT reason FROM inbox_postback_due").fetchall()
        # A deposit whose registration did not come any more waits for it, and nothing else.
        assert set(waiting) <= {("unknown_client",)}
        logged = inbox.postbacks(conn, limit=1000, verdict="accepted", event="registration")
        assert {one.outcome for one in logged} == {"attributed"}


def _wait_for(count: int) -> None:
    """Wait until so many postbacks came."""
    end = time.monotonic() + 50
    with pg.connect(autocommit=True) as conn:
        while time.monotonic() < end:
            row = conn.execute("SELECT count(*) FROM inbox_postback").fetchone()
            if row is not None and row[0] >= count:
                return
            time.sleep(0.05)
    raise AssertionError(f"not even {count} postbacks came")


@contextmanager
def serving(environment: dict[str, str], *more: str) -> Iterator[tuple[Any, int]]:
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PIPSHARE_", "DATABASE"))}
    process = subprocess.Popen([PIPSHARE, "serve", "--port", "0", *more], env=bare | environment,
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
    try:
        assert process.stdout
        found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found
        yield process, int(found[1])
    finally:
        process.kill()
        process.wait()


def children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
