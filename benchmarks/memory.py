"""Goal 7: the most memory that a process needs to import the files, at one and ten million trades.

The import runs in a process of its own, `python -m benchmarks.memory` with a job on its input.
Told are the kernel's own mark for the importing process, and the largest sample of its database
process's private memory; shared buffers, which all database processes have in common, are not in
that.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.databases import LIVE, Databases, import_trades
from benchmarks.exports import Files, write_files
from benchmarks.racing import Result
from benchmarks.world import SERVERS, make_world
from pipshare import db
from pipshare.pipeline import Run

MIB = 1024 * 1024
LIMIT_MIB = 1024
OURS, BACKEND = "peak memory: import", "peak memory: its database process"


def measure(databases: Databases, long: bool, say: Callable[[str], None]) -> list[Result]:
    """Import once, and with `long` a second time ten times as much."""
    results = _told(databases, databases.files, databases.broker.size.trades, say)
    if long:
        size = replace(databases.broker.size, trades=10 * databases.broker.size.trades)
        files = write_files(make_world(size), databases.files.folder.parent)
        more = _told(databases, files, size.trades, say)
        for small, big in zip(results.copy(), more, strict=True):
            results += [big, Result(7, big.what, small.what, big.rate, small.rate,
                                    big.rate / small.rate, 1.1, "MiB", False,
                                    "flat: ten times the trades", True)]  # fmt: skip
    return results


def _told(
    databases: Databases, files: Files, trades: int, say: Callable[[str], None]
) -> list[Result]:
    with databases.fresh(LIVE) as name:
        where = databases.target(name)
        job = {"app": where.app, "owner": where.owner, "folder": str(files.folder)}
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks.memory"],
            input=json.dumps(job), text=True, check=True, stdout=subprocess.PIPE,
        )  # fmt: skip
    told = json.loads(ran.stdout)
    assert told["trades"] == trades, f"{told['trades']} of {trades} trades booked"
    results = []
    for what, peak in ((OURS, told["peak_mib"]), (BACKEND, told["backend_mib"])):
        say(f"  {what}, {trades:,} trades: {peak} MiB")
        results.append(Result(7, f"{what}, {trades:,} trades", "1 GiB", peak, LIMIT_MIB,
                              peak / LIMIT_MIB, 1.0, "MiB", True, "", True))  # fmt: skip
    return results


def _import(job: dict[str, str]) -> dict[str, int]:
    """Do the work in this process and tell what it took."""
    files = Files(Path(job["folder"]))
    with db.use(db.Target(job["app"], job["owner"])), db.connect() as conn:
        watch = _Watch(conn.info.backend_pid)
        run = Run(conn)
        booked = sum(import_trades(run, files, s).result.trades for s in SERVERS)
        return {
            "trades": booked,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "backend_mib": watch.end() // MIB,
        }


class _Watch:
    """Samples a process's private memory until told to end."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._over = threading.Event()
        self._most = 0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> int:
        """Stop, and return the most bytes seen."""
        self._over.set()
        self._thread.join()
        return self._most

    def _look(self) -> None:
        while True:
            self._most = max(self._most, self._private())
            if self._over.wait(0.05):
                return

    def _private(self) -> int:
        for line in self._status.read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        return 0


def main() -> None:
    """Be the importing process."""
    job: dict[str, Any] = json.loads(sys.stdin.read())
    print(json.dumps(_import(job)))


if __name__ == "__main__":
    main()
