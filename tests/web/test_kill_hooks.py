"""The server is killed under load: every payload that was answered is stored, and settles once."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from benchmarks import crm_hooks, http_load
from test_kill_s2s import children, serving

from pipshare import db as pg
from pipshare import settings
from pipshare.pipeline import Run
from pipshare.pipeline.crm.settle import settle_payloads

ENOUGH = 300


def test_every_answered_payload_is_there_after_kill_9(db: Any) -> None:
    crm_hooks.prepared()
    asks = crm_hooks.calls(1, 5_000)
    keys = ",".join(settings.encryption_keys(settings.ENV))
    with serving(db.environment | {"PIPSHARE_ENCRYPTION_KEYS": keys}) as (process, port):
        load = http_load.start(
            http_load.Load(port, asks, seconds=60, mark='"id": "', until_gone=True)
        )
        _wait_for(ENOUGH)
        for pid in [*children(process.pid), process.pid]:
            os.kill(pid, signal.SIGKILL)
        told = http_load.finish(load)
    assert told.statuses.keys() == {"200"}
    assert len(told.ids) > ENOUGH * 0.8
    crm_hooks.hold(told.ids)
    # What was not answered is sent again: some of it was stored, none of it counts twice.
    environment = db.environment | {"PIPSHARE_ENCRYPTION_KEYS": keys}
    with serving(environment, "--workers", "1") as (_, port):
        again = http_load.run(http_load.Load(port, asks[:ENOUGH], seconds=2, rate=ENOUGH / 2))
    assert again.statuses.keys() == {"200"}
    with pg.connect() as conn:
        settle_payloads(Run(conn))
        events = conn.execute("SELECT count(*), count(DISTINCT event) FROM clients_event")
        found, different = events.fetchone() or (0, 0)
        due = conn.execute("SELECT count(*) FROM inbox_payload_due").fetchone()
        stored = conn.execute("SELECT count(*) FROM inbox_payload").fetchone()
    assert found == different == (stored or (0,))[0]
    assert due == (0,)


def _wait_for(count: int) -> None:
    """Wait until so many payloads came."""
    end = time.monotonic() + 50
    with pg.connect(autocommit=True) as conn:
        while time.monotonic() < end:
            row = conn.execute("SELECT count(*) FROM inbox_payload").fetchone()
            if row is not None and row[0] >= count:
                return
            time.sleep(0.05)
    raise AssertionError(f"not even {count} payloads came")
