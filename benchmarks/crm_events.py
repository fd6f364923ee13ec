"""Events of clients from a file, by `pipshare load events`, until they are settled."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.clicks import environment
from benchmarks.crm_hooks import bare
from benchmarks.racing import Result
from pipshare import clients, db
from pipshare.db import cluster, embedded
from pipshare.facts.reading import read_table

A_CLIENT = 10  # events
WANTED = 10_000
_COUNT = "SELECT count(*) FROM clients_event_current"


def measure(count: int, say: Callable[[str], None]) -> list[Result]:
    """Load `count` events of a tenth as many clients, who are known, in one file."""
    with tempfile.TemporaryDirectory(prefix="pipshare-events-") as name:
        server = embedded.attach(Path(name) / "database")
        try:
            target = db.Target(*(server.conninfo(role, "pipshare")
                                 for role in (cluster.APP, cluster.OWNER)))  # fmt: skip
            with db.use(target):
                db.migrate()
                file = Path(name) / "events.csv"
                _prepare(file, count)
                given = bare() | environment(target) | {"PIPSHARE_DATA": name}
                command = [sys.executable, "-c", "from pipshare.cli import main; main()", "load",
                           "events", str(file)]  # fmt: skip
                began = time.perf_counter()
                subprocess.run(command, env=given, check=True, stdout=subprocess.DEVNULL)
                took = time.perf_counter() - began
                with db.connect() as conn:
                    row = conn.execute(_COUNT).fetchone()
                assert row == (count,), row
        finally:
            embedded.destroy(Path(name) / "database")
    rate = count / took
    say(f"  {count:,} events from a file in {took:.1f} s, {rate:,.0f}/s")
    return [Result(0, f"{count:,} events from a file", "wanted", rate, WANTED, rate / WANTED, 1.0,
                   "events/s", False)]  # fmt: skip


def _prepare(file: Path, count: int) -> None:
    people = max(count // A_CLIENT, 1)
    with db.transaction() as conn:
        text = "\n".join(["client", *(f"C-{n}" for n in range(people))])
        clients.load_clients(conn, read_table(text.encode(), "clients")[0])
    with file.open("w", encoding="utf-8") as lines:
        lines.write("event,kind,at,client,source,amount,currency\n")
        for n in range(count):
            at = f"2026-0{1 + n % 6}-0{1 + n % 9}T10:00:00Z"
            lines.write(f"tx-{n},deposit,{at},C-{n % people},crm,{100 + n % 900}.00,USD\n")
