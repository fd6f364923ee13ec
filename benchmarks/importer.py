"""Import in a process of its own: `python -m benchmarks.importer`, with a job on its input.

It says when it is ready, begins when told to, and tells what it booked and how much memory it took:
the kernel's own mark for itself, and the largest sample of its database process's private memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.databases import BY, Databases, import_trades
from benchmarks.exports import Files
from pipshare import db, plans
from pipshare.cli.pools import one_pool
from pipshare.pipeline import Run, to_rest

MIB = 1024 * 1024


@dataclass(frozen=True)
class Told:
    """What an importing process told of itself."""

    trades: int
    peak_mib: int
    backend_mib: int


def import_apart(
    databases: Databases, name: str, files: Files, groups: Sequence[Sequence[str]], plan: str = ""
) -> tuple[list[Told], float]:
    """Import several servers' files in as many processes as there are groups, all at once.

    `plan`: what every programme says instead ("{code}" is its code), "" = as it is.
    Returns what each told, and the seconds from the word go until the last one was done.
    """
    where = databases.target(name)
    children = [_start({"app": where.app, "owner": where.owner, "folder": str(files.folder),
                        "servers": list(group), "plan": plan}) for group in groups]  # fmt: skip
    try:
        for child in children:
            assert child.stdout
            assert child.stdout.readline() == "ready\n"
        databases.settle()
        begin = perf_counter()
        for child in children:
            assert child.stdin
            child.stdin.write("go\n")
            child.stdin.flush()
        told = [json.loads(child.stdout.readline()) for child in children if child.stdout]
        seconds = perf_counter() - begin
    finally:
        for child in children:
            child.communicate()
    return [Told(**one) for one in told], seconds


def _start(job: dict[str, Any]) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.importer"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdin
    child.stdin.write(json.dumps(job) + "\n")
    child.stdin.flush()
    return child


def _import(job: dict[str, Any]) -> dict[str, int]:
    """Do the work in this process and tell what it took."""
    files = Files(Path(job["folder"]))
    with db.use(db.Target(job["app"], job["owner"])), db.connect() as conn:
        for (code,) in conn.execute("SELECT code FROM plans_programme").fetchall():
            if job["plan"]:
                plans.apply(conn, job["plan"].format(code=code), f"{code}.toml", BY)
        conn.commit()
        print("ready", flush=True)
        sys.stdin.readline()
        watch = _Watch(conn.info.backend_pid)
        run = Run(conn)
        booked = sum(import_trades(run, files, s).result.trades for s in job["servers"])
        to_rest(run)
        return {
            "trades": booked,
            "peak_mib": status("self", "VmHWM") // MIB,
            "backend_mib": watch.end() // MIB,
        }


class _Watch:
    """Samples a process's private memory until told to end."""

    def __init__(self, pid: int) -> None:
        self._pid = str(pid)
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
            self._most = max(self._most, status(self._pid, "RssAnon"))
            if self._over.wait(0.05):
                return


def status(pid: str, name: str) -> int:
    """Return a figure of /proc/PID/status, in bytes. VmHWM is the most this program ever held;
    getrusage's figure would count what its parent held, too, when it was started.
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> None:
    """Be the importing process."""
    one_pool()
    print(json.dumps(_import(json.loads(sys.stdin.readline()))), flush=True)


if __name__ == "__main__":
    main()
