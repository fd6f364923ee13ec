"""How tests call the sandbox CRM, and take what it sends: plain HTTP, kept digits."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from pipshare.crm import read_payload
from pipshare.sandbox.crm import CrmServer

Start = Callable[..., CrmServer]
BASIC = "Basic " + base64.b64encode(b"partner,Password1").decode()


def ask(url: str, path: str, told: Any = None, **headers: str) -> tuple[int, str]:
    """GET, or POST what is told as JSON; return status and text."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)) as wire:
        body = None if told is None else json.dumps(told)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        wire.request("GET" if told is None else "POST", path, body, named)
        answer = wire.getresponse()
        return answer.status, answer.read().decode()


def records(url: str, api: str, first: str, last: str) -> Any:
    """Return what the partner API answers for days, with numbers as our own reader keeps them."""
    status, text = ask(url, f"/api/{api}?startDate={first}&endDate={last}", authorization=BASIC)
    assert status == 200, text
    return read_payload(text.encode())


def until(true: Callable[[], Any], seconds: float = 10) -> Any:
    """Return what `true` returns as soon as it is something."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return found


class Sink:
    """A door that takes webhooks; `got` has (headers, body) of each, `answers` what comes next."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                sink.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(sink.answers.pop(0) if sink.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Write nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/hooks/sandbox?x=1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
