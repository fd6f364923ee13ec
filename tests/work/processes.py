"""Real `pipshare work` processes for tests, and waiting for what they do."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.work.kill_points import Point

KILLER = str(Path(__file__).with_name("kill_points.py"))
PIPSHARE = str(Path(sys.executable).with_name("pipshare"))


def until(what: Callable[[], object], seconds: float = 20.0, every_s: float = 0.02) -> bool:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True


@dataclass
class Workers:
    """Real `pipshare work` processes on one database; all ended with the test."""

    environment: dict[str, str]
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [PIPSHARE, "work", "--every", "0", *options], env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.running.append(process)
        return process

    def end(self, process: subprocess.Popen[str]) -> str:
        """End one safely; return what it said."""
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 0, said
        return said


def kill(point: Point, environment: dict[str, str], *options: str) -> None:
    """Start a worker that is killed at a point, and wait until it is."""
    command = [sys.executable, KILLER, *point.words, "work", *options]
    process = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)  # fmt: skip
    try:
        said, _ = process.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"{point} was not reached: {process.communicate()[0]}") from None
    assert process.returncode == -9, f"{point}: {said}"
