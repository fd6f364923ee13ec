"""Kill the web server under load: every click that was answered is stored."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks import http_load
from benchmarks.clicks import request

from pipshare import inbox, partners
from pipshare.facts.reading import read_table

PIPSHARE = str(Path(sys.executable).with_name("pipshare"))


def test_every_answered_click_outlives_its_server(module_db: Any) -> None:
    with module_db.app() as conn:
        partners.load_partners(conn, read_table(b"partner\nP-1", "partners")[0])
        partners.add_landing(conn, 1, "home", "https://broker.example/", by="Ana")
        partners.add_link(conn, partners.partner(conn, "P-1"), by="Ana", code="asia")
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PIPSHARE_", "DATABASE"))}
    server = subprocess.Popen(
        [PIPSHARE, "serve", "--port", "0"], env=bare | module_db.environment,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout
        found = re.search(r"http://127\.0\.0\.1:(\d+)", server.stdout.readline())
        assert found
        workers = _children(server.pid)
        load = http_load.start(
            http_load.Load(int(found[1]), [request("/c/asia?sub1=x")], connections=12,
                           seconds=60, mark="click_id=", until_gone=True)
        )  # fmt: skip
        _wait_for_clicks(module_db)
    finally:
        for pid in [server.pid, *_children(server.pid)]:
            os.kill(pid, signal.SIGKILL)
        server.wait()
    told = http_load.finish(load)
    assert workers
    assert told.statuses.keys() == {"302"}
    assert len(told.ids) > 50
    with module_db.app() as conn:
        assert inbox.clicks_of(conn, told.ids).keys() == set(told.ids)


def _children(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children")
    if not listed.exists():
        pytest.skip("no /proc here to see processes in")
    return [int(pid) for pid in listed.read_text().split()]


def _wait_for_clicks(database: Any) -> None:
    """Wait until the load is well under way."""
    with database.app(autocommit=True) as conn:
        for _ in range(400):
            (count,) = conn.execute("SELECT count(*) FROM inbox_click").fetchone()
            if count > 100:
                return
            time.sleep(0.05)
    raise AssertionError("no clicks in 20 s")
