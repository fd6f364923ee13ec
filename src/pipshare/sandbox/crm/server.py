"""The CRM's HTTP server on loopback: partner API, door for introducers, page and controls."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from pipshare.sandbox.crm.books import APIS, Books, Cast
from pipshare.sandbox.crm.clock import Clock, now_utc
from pipshare.sandbox.crm.controls import control
from pipshare.sandbox.crm.courier import Courier
from pipshare.sandbox.crm.currentdesk import WRONG, Partner, answer
from pipshare.sandbox.crm.faults import Fault
from pipshare.sandbox.crm.introducers import Introducers
from pipshare.sandbox.crm.pages import page
from pipshare.sandbox.loopback import LoopbackServer
from pipshare.sandbox.tracker.faults import Fault as WireFault
from pipshare.sandbox.tracker.faults import Faults, commit
from pipshare.sandbox.tracker.received import Log
from pipshare.sandbox.tracker.signatures import verify

MOST_BODY = 1 << 20
_STEP_S = 0.1
_SHOWN = 2_000


@dataclass(frozen=True)
class Options:
    """What the CRM is started with. A day of a story takes `day_s` real seconds; what happens
    first is dated `days_ago` days back. `hooks`: where webhooks go, `secret` signs them; `secrets`
    are those of webhooks that come to /ib (none = not verified)."""

    cast: Cast = field(default_factory=Cast)
    day_s: float = 1.0
    days_ago: float = 0.0
    zone: str = "UTC"
    partner: Partner = field(default_factory=Partner)
    hooks: str = ""
    secret: str = ""
    secrets: tuple[str, ...] = ()
    started: datetime = field(default_factory=now_utc)


class CrmServer:
    """Serves, and lets stories go on, until `stop`; a context manager.

    `books` holds what happened, `courier` the webhooks, `log` what came, `faults` what goes wrong
    next in answers. Raises ValueError for a bad address, secret or zone, OSError for a taken port.
    """

    def __init__(self, port: int = 0, options: Options | None = None) -> None:
        told = options or Options()
        zone = UTC if told.zone == "UTC" else ZoneInfo(told.zone)
        began = told.started - timedelta(days=told.days_ago)
        self.books = Books(told.cast, Clock(told.started, told.day_s, began), zone)
        self.partner, self.secrets = told.partner, told.secrets
        self.log, self.faults, self.introducers = Log(), Faults[Fault](), Introducers()
        self.stopping = threading.Event()
        self.courier = Courier(self.stopping)
        self.courier.send_to(told.hooks, told.secret)
        handler = type("Handler", (_Handler,), {"crm": self})
        self._http = LoopbackServer(("127.0.0.1", port), handler)
        self._threads = [threading.Thread(target=one, daemon=True) for one in
                         (self._http.serve_forever, self._go_on, self.courier.run)]  # fmt: skip

    @property
    def url(self) -> str:
        """Where the CRM is, e.g. http://127.0.0.1:8750."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> Self:
        """Serve in threads."""
        for one in self._threads:
            one.start()
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

    def _go_on(self) -> None:
        while not self.stopping.wait(_STEP_S):
            for hook in self.books.advance(now_utc()):
                self.courier.add(hook)


class _Handler(BaseHTTPRequestHandler):
    crm: CrmServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        asked = dict(parse_qsl(where.query, keep_blank_values=True))
        if where.path.startswith("/api/"):
            self._records(where.path.removeprefix("/api/"), asked)
        else:
            self._show(where.path.strip("/"), asked)

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > MOST_BODY:
            self.close_connection = True
            self._answer(413, '{"error": "too long"}')
            return
        body = self.rfile.read(length)
        path = urlsplit(self.path).path
        if path == "/ib":
            self._introducer(body)
        elif path.startswith("/control/"):
            try:
                told = control(self.crm, path.removeprefix("/control/"), body)
            except (KeyError, TypeError, ValueError) as error:
                self._answer(400, json.dumps({"error": str(error)}))
            else:
                self._answer(200, json.dumps(told))
        else:
            self._answer(404, '{"error": "nothing takes a POST here: /ib does"}')

    def _records(self, name: str, asked: dict[str, str]) -> None:
        crm = self.crm
        fault = crm.faults.take(f"/api/{name}")
        admitted = crm.partner.admits(self.headers.get("authorization", ""))
        status, text = 200, answer(crm.books, crm.partner, name, asked)
        if not admitted:
            status, text = 401, '"Authorization is missing or wrong"'
        elif name not in APIS:
            status = 404
        self._log(
            name, f"{asked.get('startDate', '')} to {asked.get('endDate', '')}", status, fault
        )
        if fault and fault.kind == "200-error":
            text = json.dumps(WRONG)
        elif fault and fault.kind == "empty":
            text = "[]"
        elif fault and self._commits(fault, text):
            return
        self._answer(status, text)

    def _introducer(self, body: bytes) -> None:
        crm = self.crm
        told = _json(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        fits, why = True, ""
        if crm.secrets:
            fits, why = verify(crm.secrets, headers, body, time.time())
        fault = crm.faults.take("/ib")
        judged = crm.introducers.judge(told, body) if fits else (401, {"error": why})
        status, answered = judged or (0, {})
        self._log(
            "ib", str(told.get("type", "")), status, fault,
            verified=fits if crm.secrets else None, body=body[:_SHOWN].decode("utf-8", "replace"),
            said={"id": headers.get("webhook-id", ""), **answered},
        )  # fmt: skip
        if judged is None:
            fault = Fault("time-out")
        if fault is None or not self._commits(fault, json.dumps(answered)):
            self._answer(status, json.dumps(answered))

    def _commits(self, fault: Fault, text: str) -> bool:
        """Do a fault; return False when the request is to be answered all the same."""
        self.close_connection = True
        if fault.kind != "half":
            wire = WireFault(fault.kind, value=fault.value)
            return commit(wire, self.connection, self.crm.stopping)
        self._answer(200, text, cut=len(text) // 2)
        return True

    def _log(self, what: str, about: str, status: int, fault: Fault | None, **more: Any) -> None:
        answered = f"fault {fault.kind}" if fault else str(status or "nothing")
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        told = {"said": {"asked": about}, "wrong": [], "path": self.path[:_SHOWN]} | more
        self.crm.log.add(what, "", at=at, method=self.command, answered=answered, **told)

    def _show(self, what: str, asked: dict[str, str]) -> None:
        crm, limit = self.crm, int(asked.get("limit", "200"))
        rooms = {
            "happened": lambda: {"count": len(crm.books.happened),
                                 "happened": crm.books.newest(limit)},
            "sent": lambda: {**crm.courier.counts(),
                             "sent": crm.courier.newest(limit, asked.get("state", ""))},
            "received": lambda: {"count": crm.log.count,
                                 "received": crm.log.newest(limit, asked.get("what", ""))},
        }  # fmt: skip
        if what in rooms:
            self._answer(200, json.dumps(rooms[what]()))
        elif what:
            self._answer(404, '{"error": "there are /, /happened, /sent, /received and /api/..."}')
        else:
            self._answer(200, page(crm), "text/html; charset=utf-8")

    def _answer(self, status: int, text: str, kind: str = "application/json",
                cut: int | None = None) -> None:  # fmt: skip
        sent = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent[:cut])

    def log_message(self, format: str, *args: Any) -> None:
        """Write no line per request; the page has them."""


def _json(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
