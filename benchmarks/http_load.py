"""A load of HTTP requests from a process of its own: keep-alive connections, one loop, no library.

Its work per request is a few microseconds, so that it does not measure itself. Run as a program it
reads a Load as JSON from its input and prints what came of it as JSON.

With a rate it is an open load: each request has its moment, and what it waits for a free connection
counts as the server's time. Without one each connection asks again when it is answered.
"""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Load:
    """What to ask: `requests` by turns (whole, as sent), `rate` a second, 0 = as fast as it goes.

    `mark` is the text before an answer's 26 characters of id; every id found is told. `until_gone`:
    the server is going to be killed, and connections that break end quietly.
    """

    port: int
    requests: list[str]
    connections: int = 16
    seconds: float = 5.0
    rate: float = 0.0
    mark: str = ""
    until_gone: bool = False


@dataclass(frozen=True)
class Told:
    """What came of it: answers a second, their times in ms, how many had which status."""

    rate: float
    p50_ms: float
    p99_ms: float
    statuses: dict[str, int]
    ids: list[str]


def start(load: Load) -> subprocess.Popen[str]:
    """Start a load in a process of its own."""
    root = Path(__file__).resolve().parents[1]
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.http_load"], cwd=root, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdin
    child.stdin.write(json.dumps(asdict(load)))
    child.stdin.close()
    return child


def finish(child: subprocess.Popen[str]) -> Told:
    """Wait for a load to end; return what came of it."""
    assert child.stdout
    told = child.stdout.read()
    assert child.wait() == 0, "the load failed: see above"
    return Told(**json.loads(told))


def run(load: Load) -> Told:
    """Run a load in a process of its own and wait for it."""
    return finish(start(load))


class _Loop:
    def __init__(self, load: Load) -> None:
        self.load = load
        self.requests = [one.encode("latin-1") for one in load.requests]
        self.mark = load.mark.encode()
        self.selector = selectors.DefaultSelector()
        self.idle: deque[socket.socket] = deque()
        self.asked: dict[socket.socket, float] = {}
        self.times: list[float] = []
        self.statuses: dict[str, int] = {}
        self.ids: list[str] = []
        self.sent = 0
        for _ in range(load.connections):
            self._connect()

    def _connect(self) -> None:
        one = socket.create_connection(("127.0.0.1", self.load.port), timeout=20)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(one, selectors.EVENT_READ, bytearray())
        self.idle.append(one)

    def run(self) -> Told:
        begin = time.perf_counter()
        end, rate = begin + self.load.seconds, self.load.rate
        while (now := time.perf_counter()) < end or self.asked:
            if now > end + 20:
                raise SystemExit("the server does not answer")
            due = int((min(now, end) - begin) * rate) if rate else self.sent + len(self.idle)
            while self.idle and self.sent < due and now < end:
                self._ask(begin + (self.sent + 1) / rate if rate else now)
            wait = 0.0005 if rate else 0.05
            for key, _ in self.selector.select(wait):
                self._hear(key.fileobj, key.data)  # type: ignore[arg-type]
            if not self.selector.get_map():
                break
        took = time.perf_counter() - begin
        times = sorted(self.times) or [0.0]
        return Told(len(self.times) / took, _at(times, 0.5), _at(times, 0.99), self.statuses,
                    self.ids)  # fmt: skip

    def _ask(self, moment: float) -> None:
        one = self.idle.popleft()
        try:
            one.sendall(self.requests[self.sent % len(self.requests)])
        except OSError:
            self._lose(one)
            return
        self.sent += 1
        self.asked[one] = moment

    def _hear(self, one: socket.socket, buffer: bytearray) -> None:
        try:
            piece = one.recv(65536)
        except OSError:
            piece = b""
        if not piece:
            self._lose(one)
            return
        buffer += piece
        head = buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = buffer.lower().find(b"\r\ncontent-length:", 0, head + 2)
        length = int(buffer[at + 17 : buffer.index(b"\r", at + 2)]) if at >= 0 else 0
        if len(buffer) < head + 4 + length:
            return
        self.times.append(time.perf_counter() - self.asked.pop(one))
        status = buffer[9:12].decode()
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if self.mark and (found := buffer.find(self.mark)) >= 0:
            found += len(self.mark)
            self.ids.append(buffer[found : found + 26].decode())
        closes = b"\r\nconnection: close" in buffer[:head].lower()
        buffer.clear()
        if closes:
            self._lose(one, again=True)
        else:
            self.idle.append(one)

    def _lose(self, one: socket.socket, again: bool = False) -> None:
        self.selector.unregister(one)
        one.close()
        self.asked.pop(one, None)
        if again:
            self._connect()
        elif not self.load.until_gone:
            raise SystemExit("the server closed a connection")


def _at(times: list[float], part: float) -> float:
    return times[min(len(times) - 1, int(len(times) * part))] * 1000


if __name__ == "__main__":
    print(json.dumps(asdict(_Loop(Load(**json.loads(sys.stdin.read()))).run())))
