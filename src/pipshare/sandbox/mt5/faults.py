"""Faults on request: what the sandbox does wrong when a test, or the command line, asks for it."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from pipshare.sandbox.mt5.retcodes import TEXTS
from pipshare.sandbox.mt5.wire import Reply

# kind -> what happens. `value` is a number or a word where the text says so.
KINDS = {
    "drop": "the connection ends without an answer, and nothing was done",
    "lost": "the connection ends without an answer, after all was done",
    "delay": "the answer comes `value` seconds late",
    "403": "the session is forgotten: HTTP 403 until the client signs in again",
    "half": "the connection ends after half of the answer",
    "truncated": "the JSON breaks off, though the HTTP answer is whole",
    "html": "an HTML page of some proxy instead of JSON",
    "numbers": "numbers as numbers, not as text",
    "same": "the same answer again and again, whatever page is asked for",
    "empty": "an empty list, whatever is asked for",
    "retcode": "return code `value`",
    "mutual": "a wrong cli_rand_answer: the server does not know the password",
    "clock": "the clock that the server shows is off by `value` seconds (deals' times are not)",
    "refuse": "new connections end before the TLS handshake",
    "certificate": 'new connections see another certificate: `value` "other", "expired", "name"',
}
ON_CONNECTION = ("refuse", "certificate")
SHOWS_CLOCK = ("/api/time/server", "/api/common/get")
DEFAULT_PATH = {"mutual": "/api/auth/answer"}
BLOCKED = b"<html><head><title>403 Forbidden</title></head><body>Forbidden</body></html>"
PAGE = (
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad"
    b" Gateway</h1><p>The upstream server is under maintenance.</p></body></html>"
)
# A number in quotes as the value of a field; texts stay texts, even if they are all digits.
_NUMBER = re.compile(
    rb'("(?!(?:ExternalID|Comment|Gateway|Name|Phone|ZipCode|ID)")\w+"\s*:\s*)'
    rb'"(-?(?:0|[1-9]\d*)(?:\.\d+)?)"(?=\s*[,}])'
)


@dataclass
class Fault:
    """One fault: on requests for `path` (None: any), `times` times (None: until removed)."""

    kind: str
    path: str | None = None
    times: int | None = 1
    value: str = ""
    kept: bytes | None = field(default=None, repr=False)  # of "same": the first answer

    def number(self) -> float:
        """The value as a number; 0 when there is none."""
        return float(self.value or 0)


class Faults:
    """The faults that are asked for, shared by all connections. `fired` counts per kind."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[Fault] = []
        self.fired: Counter[str] = Counter()

    def add(
        self,
        kind: str,
        path: str | None = None,
        times: int | None = 1,
        value: str | float = "",
    ) -> Fault:
        """Ask for a fault (see KINDS). Raises ValueError for a kind that does not exist."""
        if kind not in KINDS:
            raise ValueError(f"no fault {kind!r}; there are {', '.join(KINDS)}")
        fault = Fault(kind, path or DEFAULT_PATH.get(kind), times, str(value))
        if kind in ("delay", "clock", "retcode"):
            fault.number()
        if kind == "certificate" and fault.value not in ("", "other", "expired", "name"):
            raise ValueError(f"no certificate {fault.value!r}; there are other, expired and name")
        with self._lock:
            self._open.append(fault)
        return fault

    def remove(self, kind: str) -> None:
        """End all faults of a kind."""
        with self._lock:
            self._open = [fault for fault in self._open if fault.kind != kind]

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._open = []

    def take(self, path: str) -> list[Fault]:
        """Return what goes wrong with this request, in the order in which it was asked for."""
        if not self._open:
            return []

        def fits(fault: Fault) -> bool:
            if fault.kind in ON_CONNECTION or (fault.kind == "clock" and path not in SHOWS_CLOCK):
                return False
            return fault.path in (None, path)

        return self._take(fits)

    def take_on_connection(self) -> list[Fault]:
        """Return what goes wrong with this new connection."""
        return self._take(lambda fault: fault.kind in ON_CONNECTION)

    def _take(self, fits: Callable[[Fault], bool]) -> list[Fault]:
        with self._lock:
            found = [fault for fault in self._open if fits(fault)]
            for fault in found:
                self.fired[fault.kind] += 1
                if fault.times is not None:
                    fault.times -= 1
            self._open = [fault for fault in self._open if fault.times is None or fault.times > 0]
        return found


def instead(faults: list[Fault]) -> Reply | None:
    """Return what is answered without asking the world, if a fault says so."""
    for fault in faults:
        if fault.kind == "drop":
            return Reply(b"", send=0, close=True)
        if fault.kind == "403":
            return Reply(BLOCKED, 403, "text/html")
        if fault.kind == "html":
            return Reply(PAGE, 200, "text/html")
        if fault.kind == "retcode":
            code = int(fault.number())
            return Reply(b'{"retcode":"%d %s"}' % (code, TEXTS.get(code, "Error").encode()))
    return None


def spoil(faults: list[Fault], reply: Reply) -> Reply:
    """Change a good answer as the faults say."""
    for fault in faults:
        if fault.kind == "lost":
            reply.send, reply.close = 0, True
        elif fault.kind == "half":
            reply.send, reply.close = 200 + len(reply.body) // 2, True
        elif fault.kind == "truncated":
            reply.body = reply.body[: len(reply.body) * 2 // 3]
        elif fault.kind == "numbers":
            reply.body = _NUMBER.sub(rb"\1\2", reply.body)
        elif fault.kind == "same":
            fault.kept = fault.kept or reply.body
            reply.body = fault.kept
        elif fault.kind == "empty":
            reply.body = b'{"retcode":"0 Done","answer":[]}'
        elif fault.kind == "mutual":
            reply.body = re.sub(
                rb'(?<="cli_rand_answer":")\w+',
                lambda found: found[0][::-1],
                reply.body,
            )
    return reply
