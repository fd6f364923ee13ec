"""A client of the Web API for the tests: the documentation's rules on http.client, nothing more."""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from pipshare.sandbox.mt5 import Mt5Server

NOW = 1_795_000_000_000  # the tests' stopped clock: a Wednesday, 2026-11-18 11:06:40 UTC
CLI_RAND = "4db98fec17aab4dc5a240bdc659e8395"


def answer_for(password: str, rand: str) -> str:
    inner = hashlib.md5(password.encode("utf-16-le")).digest()
    return hashlib.md5(hashlib.md5(inner + b"WebAPI").digest() + bytes.fromhex(rand)).hexdigest()


@dataclass
class Got:
    """An answer: HTTP status, headers, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> int:
        return int(self.json["retcode"].split(" ")[0])

    @property
    def answer(self) -> Any:
        assert self.code == 0, self.body
        return self.json["answer"]


@dataclass
class Client:
    """One TCP connection, which http.client keeps or loses but never opens again unasked."""

    server: Mt5Server
    connection: http.client.HTTPSConnection = field(init=False)

    def __post_init__(self) -> None:
        context = ssl.create_default_context(cafile=str(self.server.cert_file))
        self.connection = http.client.HTTPSConnection(
            "localhost", self.server.port, timeout=20, context=context
        )
        self.connection.connect()
        self.connection.auto_open = 0

    def get(self, path: str, headers: dict[str, str] | None = None, **given: Any) -> Got:
        return self.send("GET", f"{path}?{urlencode(given)}" if given else path, None, headers)

    def post(self, path: str, body: str | bytes, **given: Any) -> Got:
        target = f"{path}?{urlencode(given)}" if given else path
        return self.send("POST", target, body.encode() if isinstance(body, str) else body)

    def send(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Got:
        self.connection.request(method, target, body, headers or {"Connection": "keep-alive"})
        answer = self.connection.getresponse()
        return Got(answer.status, dict(answer.getheaders()), answer.read())

    def start(self, login: int = 1000, **other: str) -> Got:
        given = {"version": "1290", "agent": "test", "login": login, "type": "manager"} | other
        return self.get("/api/auth/start", **given)

    def sign_in(self, login: int = 1000, password: str = "Password1") -> Got:
        rand = self.start(login).json["srv_rand"]
        return self.answer(answer_for(password, rand))

    def answer(self, srv_rand_answer: str, cli_rand: str = CLI_RAND) -> Got:
        return self.get("/api/auth/answer", srv_rand_answer=srv_rand_answer, cli_rand=cli_rand)

    def gone(self) -> bool:
        """Whether the server has ended the connection; waits for it, up to the time-out."""
        if self.connection.sock is None:  # the answer said "Connection: close"
            return True
        try:
            return self.connection.sock.recv(1) == b""
        except (ConnectionError, ssl.SSLError):
            return True

    def close(self) -> None:
        self.connection.close()


def signed_in(server: Mt5Server, login: int = 1000, password: str = "Password1") -> Client:
    client = Client(server)
    assert client.sign_in(login, password).code == 0
    return client
