"""`pipshare work` is killed while it polls: nothing is lost, and nothing is there twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.crm_contract import fake_systems as fakes
from tests.crm_contract.fake_systems import KEY

from pipshare import inbox
from pipshare.crm import preset

PIPSHARE = str(Path(sys.executable).with_name("pipshare"))
CLIENTS, PAGE = 80, 2


def _work(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PIPSHARE_", "DATABASE"))}
    more = {"PIPSHARE_DATA": os.environ["PIPSHARE_DATA"], "PIPSHARE_EGRESS_ALLOW": "127.0.0.0/8"}
    return subprocess.Popen([PIPSHARE, "work"], env={**bare, **environment, **more},
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip


def _wait(until: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_poller_that_is_killed_goes_on_where_it_was(db: Any, fake: Any) -> None:

    system = fake(fakes.B2Core)
    system.lists["clients"] = [
        {"clientId": number, "country": "CY", "createTime": f"2026-03-01T09:{number % 60:02}:00Z"}
        for number in range(CLIENTS)
    ]
    good = system.good

    def slowly(got: Any) -> Any:
        time.sleep(0.05)  # so that there is something to kill
        return good(got)

    system.good = slowly
    with db.app() as conn:
        settings = {"url": system.base, "lists": "clients", "page": PAGE, "poll_s": 1, "overlap": 0}
        endpoint = inbox.add_endpoint(conn, 1, "b2", "b2core", settings=settings, by="anna")
        inbox.set_endpoint_secret(conn, endpoint, KEY, by="anna")
        mapping = preset("b2core").mapping_with({"server": "Live-5"})
        inbox.publish_mapping(conn, endpoint, mapping, by="anna")
        conn.commit()

        def count(query: str) -> int:
            found = conn.execute(query).fetchone()[0]
            conn.commit()
            return int(found)

        def payloads() -> int:
            return count("SELECT count(*) FROM inbox_payload")

        for _ in range(3):
            before = payloads()
            process = _work(db.environment)
            try:
                _wait(lambda before=before: payloads() > before)
            finally:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
        assert payloads() < CLIENTS // PAGE, "killed in the middle"
        process = _work(db.environment)
        try:
            _wait(lambda: count("SELECT count(*) FROM clients_client") == CLIENTS)
            _wait(lambda: not inbox.any_payload_due(conn))
        finally:
            process.terminate()
            process.wait(30)
        assert count("SELECT count(*) FROM clients_event") == CLIENTS
        assert payloads() == CLIENTS // PAGE
        rows = conn.execute("SELECT id FROM inbox_payload").fetchall()
        bodies = [json.loads(inbox.payload_body(conn, id_)[0])["data"] for (id_,) in rows]
        told = [row["clientId"] for body in bodies for row in body]
        assert sorted(told) == list(range(CLIENTS))
