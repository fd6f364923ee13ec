"""The tracker's HTTP server on loopback: a thread per connection, kept alive as senders like it."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from pipshare.sandbox.loopback import LoopbackServer
from pipshare.sandbox.tracker.dialects import DIALECTS, read
from pipshare.sandbox.tracker.faults import Fault, Faults, commit
from pipshare.sandbox.tracker.pages import page
from pipshare.sandbox.tracker.received import Log
from pipshare.sandbox.tracker.signatures import verify

MOST_BODY = 1 << 20
_SHOWN = 2_000


class TrackerServer:
    """Serves until `stop`; a context manager. `secrets` are those of webhooks, as whsec_ texts.

    `log` holds what came, `faults` what goes wrong next. See KINDS for the faults, and the page at
    `url` for everything else.
    """

    def __init__(self, port: int = 0, secrets: tuple[str, ...] = ()) -> None:
        self.log, self.faults, self.secrets = Log(), Faults[Fault](), secrets
        self.stopping = threading.Event()
        handler = type("Handler", (_Handler,), {"tracker": self})
        self._http = LoopbackServer(("127.0.0.1", port), handler)
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where the tracker is, e.g. http://127.0.0.1:8700."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> Self:
        """Serve in a thread."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End; connections that hang on a fault are cut."""
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Handler(BaseHTTPRequestHandler):
    tracker: TrackerServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._take()

    def do_POST(self) -> None:
        self._take()

    def _take(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > MOST_BODY:
            self.close_connection = True
            self._answer(413, "too long\n")
            return
        body = self.rfile.read(length)
        where = urlsplit(self.path)
        first = where.path.strip("/").partition("/")[0]
        if first in ("", "received", "control") and "fail" not in dict(parse_qsl(where.query)):
            self._show(first, dict(parse_qsl(where.query)), body)
        else:
            self._receive(first, where.query, body)

    def _receive(self, dialect: str, query: str, body: bytes) -> None:
        told = dict(parse_qsl(query, keep_blank_values=True))
        told |= _fields(self.headers.get("content-type", ""), body)
        fault = self.tracker.faults.take(self.path)
        if told.get("fail"):
            kind, _, value = told["fail"].partition(":")
            try:
                fault = Fault(kind, value=value)
            except ValueError as error:
                self._answer(400, f"{error}\n")
                return
        said, wrong, identity, verified = self._read(dialect, told, body)
        answered = f"fault {fault.kind}" if fault else "400" if wrong else "200"
        self.tracker.log.add(
            dialect, identity, at=_now(), method=self.command, path=self.path[:_SHOWN], said=said,
            wrong=wrong, answered=answered, verified=verified, told=told,
            body=body[:_SHOWN].decode("utf-8", "replace"),
        )  # fmt: skip
        if fault is not None and commit(fault, self.connection, self.tracker.stopping):
            self.close_connection = True
            return
        self._answer(400 if wrong else 200, "; ".join(wrong) + "\n" if wrong else "OK\n")

    def _read(
        self, dialect: str, told: dict[str, str], body: bytes
    ) -> tuple[dict[str, str], list[str], str, bool | None]:
        """Return what a request says, what is wrong with it, its identity, and if it is signed."""
        if dialect in DIALECTS:
            said, wrong = read(DIALECTS[dialect], told)
            identity = said.get("txid") or ""
            return said, wrong, f"{identity} {said.get('status', '')}" if identity else "", None
        headers = {name.lower(): value for name, value in self.headers.items()}
        name = headers.get("webhook-id", "")
        said = {"id": name, "type": told.get("type", ""), "sequence": told.get("sequence", "")}
        if not self.tracker.secrets:
            return said, [], name, None
        fits, why = verify(self.tracker.secrets, headers, body, time.time())
        return said, [] if fits else [why], name, fits

    def _show(self, first: str, asked: dict[str, str], body: bytes) -> None:
        """Answer those who look, and those who make faults."""
        if first == "control" and self.command == "POST":
            self._control(body)
            return
        rows = self.tracker.log.newest(
            int(asked.get("limit", 200)), asked.get("dialect", ""), int(asked.get("after", 0))
        )
        if first == "received":
            told = {"count": self.tracker.log.count, "received": rows}
            self._answer(200, json.dumps(told) + "\n", "application/json")
        else:
            shown = page(rows, self.tracker.log.count, list(DIALECTS))
            self._answer(200, shown, "text/html; charset=utf-8")

    def _control(self, body: bytes) -> None:
        """POST /control/fault {"kind","path","times","value"}, /control/clear, /control/forget."""
        what = urlsplit(self.path).path.removeprefix("/control/")
        try:
            if what == "fault":
                self.tracker.faults.add(Fault(**json.loads(body)))
            elif what == "clear":
                self.tracker.faults.clear()
            elif what == "forget":
                self.tracker.log.clear()
            else:
                raise ValueError(f"nothing is at /control/{what}")
        except (TypeError, ValueError) as error:
            self._answer(400, json.dumps({"error": str(error)}) + "\n", "application/json")
        else:
            self._answer(200, '{"done": true}\n', "application/json")

    def _answer(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        sent = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no line per request; the page has them."""


def _fields(kind: str, body: bytes) -> dict[str, str]:
    if not body:
        return {}
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in told.items()} if isinstance(told, dict) else {}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
