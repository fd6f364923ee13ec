"""What the tracker does wrong on request, and how it looks on the wire."""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass
from typing import Generic, TypeVar

# Kind -> what it does with its value.
KINDS = {
    "500": "answers with this status; any from 400 to 599 may be named",
    "time-out": "says nothing, for VALUE seconds (300), then closes",
    "late": "answers well after VALUE seconds (3)",
    "slow": "answers a byte a second, for VALUE seconds (300)",
    "garbage": "answers with bytes that are no HTTP",
    "close": "closes without an answer",
    "redirect": "redirects to VALUE (http://169.254.169.254/latest/meta-data/)",
    "retry-after": "503 with Retry-After VALUE (2)",
    "gone": "410: wants nothing any more",
    "huge": "answers 200 with VALUE megabytes (50)",
}
METADATA = "http://169.254.169.254/latest/meta-data/"


@dataclass
class Fault:
    """A fault for requests whose path begins with `path`, so many `times` (-1 = ever)."""

    kind: str
    path: str = "/"
    times: int = 1
    value: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS and not (self.kind.isdecimal() and 400 <= int(self.kind) <= 599):
            raise ValueError(f"no fault {self.kind!r}; there are {', '.join(KINDS)}")


AnyFault = TypeVar("AnyFault", bound=Fault)


class Faults(Generic[AnyFault]):
    """The faults that are set, used up in their order. Any thread may use it."""

    def __init__(self) -> None:
        self._set: list[AnyFault] = []
        self._lock = threading.Lock()

    def add(self, fault: AnyFault) -> None:
        """Set a fault."""
        with self._lock:
            self._set.append(fault)

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._set.clear()

    def take(self, path: str) -> AnyFault | None:
        """Return the fault of a path (or what else faults are set for), and count it."""
        with self._lock:
            for fault in self._set:
                if path.startswith(fault.path):
                    fault.times -= 1 if fault.times > 0 else 0
                    if fault.times == 0:
                        self._set.remove(fault)
                    return fault
        return None


def commit(fault: Fault, wire: socket.socket, stopping: threading.Event) -> bool:
    """Do a fault on a connection; return False when the request is to be answered all the same."""
    kind, value = fault.kind, fault.value
    if kind == "late":
        stopping.wait(float(value or 3))
        return False
    if kind == "time-out":
        stopping.wait(float(value or 300))
    elif kind == "slow":
        _drip(wire, float(value or 300), stopping)
    elif kind == "garbage":
        wire.sendall(os.urandom(400).replace(b"HTTP", b"ptth"))
    elif kind == "huge":
        _flood(wire, int(value or 50))
    elif kind != "close":
        wire.sendall(_answer(kind, value))
    return True


def _answer(kind: str, value: str) -> bytes:
    extra = {
        "redirect": f"Location: {value or METADATA}\r\n",
        "retry-after": f"Retry-After: {value or 2}\r\n",
    }.get(kind, "")
    status = {"redirect": "302 Found", "retry-after": "503 Busy", "gone": "410 Gone"}.get(
        kind, kind
    )
    if status.isdecimal():
        status += " On Request"
    return (f"HTTP/1.1 {status}\r\n{extra}Content-Length: 0\r\nConnection: close\r\n\r\n").encode()


def _drip(wire: socket.socket, seconds: float, stopping: threading.Event) -> None:
    wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stopping.wait(1.0):
        wire.sendall(b".")


def _flood(wire: socket.socket, megabytes: int) -> None:
    wire.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {megabytes << 20}\r\n\r\n".encode())
    for _ in range(megabytes):
        wire.sendall(b"x" * (1 << 20))
