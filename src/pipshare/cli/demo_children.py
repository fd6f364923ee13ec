"""The demonstration's own processes: they end with it, however it ends."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from pipshare import settings
from pipshare.errors import Unavailable

_START = [sys.executable, "-c", "from pipshare.cli import main; main()"]
_SANDBOX = re.compile(
    r"sandbox mt5: (?P<url>\S+) manager (?P<login>\d+) password (?P<password>\S+)"
    r" certificate sha256 (?P<fingerprint>\S+) \(file (?P<certificate>.+)\)"
)
_TRACKER = re.compile(r"sandbox tracker on (?P<url>\S+)/ ")
_CRM = re.compile(r"sandbox crm on (?P<url>\S+)/ ")
_LOOPBACK = {"PIPSHARE_EGRESS_ALLOW": "127.0.0.0/8"}  # where the sandbox tracker and CRM are
_SERVES = re.compile(r"pipshare serves on (?P<url>\S+)")


@dataclass(frozen=True)
class Told:
    """What a child said when it was ready: the parts of its line by name."""

    parts: dict[str, str]


class Children:
    """Starts processes of this program, and ends them all."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[str]] = {}  # by name, in order of starting
        logs.mkdir(parents=True, exist_ok=True)

    def sandbox(self, rate: float, port: int = 0) -> Told:
        """Start an invented broker's MT5 server; return url, login, password, fingerprint
        and certificate."""
        folder = settings.ENV.data / "sandbox-mt5"
        options = ["mt5", "--folder", str(folder), "--rate", str(rate), "--port", str(port),
                   "--admin", "--with-parent"]  # fmt: skip
        return self._start("sandbox", options, _SANDBOX)

    def tracker(self, port: int, secret: str) -> Told:
        """Start the tracker that receivers lead to; `secret` signs webhooks. Return its url."""
        options = ["tracker", "--port", str(port), "--secret", secret, "--with-parent"]
        return self._start("sandbox", options, _TRACKER, name="tracker")

    def crm(self, options: Sequence[str]) -> Told:
        """Start a CRM with invented clients; return its url."""
        asked = ["crm", *options, "--with-parent"]
        return self._start("sandbox", asked, _CRM, name="crm")

    def work(self) -> None:
        """Start the loop that polls and books."""
        self._start("work", ["--quiet", "--with-parent", str(os.getpid())])

    def serve(self, port: int) -> Told:
        """Start the console; return its url."""
        options = ["--port", str(port), "--workers", "1", "--with-parent"]
        return self._start("serve", options, _SERVES)

    def lost(self) -> str | None:
        """Return the name of a child that has ended by itself, with where to look; else None."""
        for name, one in self._running.items():
            if one.poll() is not None:
                return f"{name} ended: see {self._logs / name}.log"
        return None

    def end(self) -> None:
        """End all, the last started first; what does not end by itself is killed."""
        for one in reversed(self._running.values()):
            with contextlib.suppress(ProcessLookupError):
                one.terminate()
        for one in reversed(self._running.values()):
            try:
                one.wait(20)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
        self._running.clear()

    def _start(
        self, command: str, options: Sequence[str], ready: re.Pattern[str] | None = None,
        name: str = "",
    ) -> Told:  # fmt: skip
        name = name or command
        log = self._logs / f"{name}.log"
        with log.open("w", encoding="utf-8") as errors:
            child = subprocess.Popen(
                [*_START, command, *options], stdin=subprocess.DEVNULL, stderr=errors, text=True,
                stdout=subprocess.PIPE if ready else errors, env=os.environ | _LOOPBACK,
            )  # fmt: skip
        self._running[name] = child
        if ready is None:
            return Told({})
        assert child.stdout
        for line in child.stdout:
            if found := ready.search(line):
                Thread(target=_forget, args=(child,), daemon=True).start()
                return Told(found.groupdict())
        last = log.read_text(encoding="utf-8").strip().rpartition("\n")[2]
        raise Unavailable("no_child", f"{name} did not start: {last or 'it said nothing'}")


def _forget(child: subprocess.Popen[str]) -> None:
    """Read what a child says later: a full pipe would stop it."""
    assert child.stdout
    with contextlib.suppress(ValueError):
        for _ in child.stdout:
            pass
