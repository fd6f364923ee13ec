"""HTTP/1.1 on one socket: requests off it, answers onto it, and nothing in between."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote

MAX_HEAD = 64 * 1024
MAX_BODY = 16 * 1024 * 1024
JSON = "application/json; charset=utf-8"


class Malformed(Exception):
    """What came is no HTTP request that this server takes; `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(HTTPStatus(status).phrase)
        self.status = status


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    query: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    keep_alive: bool

    def cookie(self, name: str) -> str | None:
        """Return the value of a cookie that the client sent."""
        for part in self.headers.get("cookie", "").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return None


@dataclass
class Reply:
    """One answer. `send` cuts it off after so many bytes; `close` ends the connection after it."""

    body: bytes
    status: int = 200
    kind: str = JSON
    cookie: str | None = None
    close: bool = False
    send: int | None = None


class Wire:
    """A connected socket with what was read too far."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._sock = sock
        self._left = bytearray()

    def read(self) -> Request | None:
        """Return the next request, or None when the client has gone.

        Raises Malformed, TimeoutError (nothing came for the socket's time), OSError.
        """
        while (end := self._left.find(b"\r\n\r\n")) < 0:
            if len(self._left) > MAX_HEAD:
                raise Malformed(431)
            if not self._more():
                return None
        head = self._left[:end].decode("utf-8", "replace")
        del self._left[: end + 4]
        line, *rest = head.lstrip("\r\n").split("\r\n")
        words = line.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise Malformed(400)
        headers = _headers(rest)
        if words[0] not in ("GET", "POST"):
            raise Malformed(405)
        path, _, query = words[1].partition("?")
        wish = headers.get("connection", "").lower()
        keep = "close" not in wish if words[2] == "HTTP/1.1" else "keep-alive" in wish
        body = self._body(headers)
        if body is None:
            return None
        # One of the documentation's own examples has two slashes.
        path = "/" + unquote(path).lstrip("/")
        return Request(words[0], path, query, headers, body, keep)

    def write(self, reply: Reply) -> None:
        """Send an answer, head and body in one go. Raises OSError."""
        phrase = HTTPStatus(reply.status).phrase
        cookie = f"Set-Cookie: {reply.cookie}\r\n" if reply.cookie else ""
        head = (
            f"HTTP/1.1 {reply.status} {phrase}\r\nServer: MT5 sandbox\r\n"
            f"Content-Type: {reply.kind}\r\nContent-Length: {len(reply.body)}\r\n{cookie}"
            f"Connection: {'close' if reply.close else 'keep-alive'}\r\n\r\n"
        )
        whole = head.encode() + reply.body
        self._sock.sendall(whole if reply.send is None else whole[: reply.send])

    def _more(self) -> bool:
        piece = self._sock.recv(65536)
        self._left += piece
        return bool(piece)

    def _take(self, count: int) -> bytes | None:
        while len(self._left) < count:
            if not self._more():
                return None
        taken = bytes(self._left[:count])
        del self._left[:count]
        return taken

    def _line(self) -> bytes | None:
        while (end := self._left.find(b"\r\n")) < 0:
            if len(self._left) > MAX_HEAD:
                raise Malformed(431)
            if not self._more():
                return None
        return (self._take(end + 2) or b"")[:-2]

    def _body(self, headers: dict[str, str]) -> bytes | None:
        if headers.get("expect", "").lower() == "100-continue":
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._chunks()
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            raise Malformed(400)
        if len(length) > 9 or int(length) > MAX_BODY:
            raise Malformed(413)
        return self._take(int(length))

    def _chunks(self) -> bytes | None:
        whole = bytearray()
        while True:
            line = self._line()
            if line is None:
                return None
            try:
                size = int(line.split(b";")[0], 16)
            except ValueError:
                raise Malformed(400) from None
            if size < 0 or len(whole) + size > MAX_BODY:
                raise Malformed(413)
            if size == 0:
                while line := self._line():
                    pass  # trailers
                return bytes(whole) if line is not None else None
            piece = self._take(size + 2)
            if piece is None:
                return None
            whole += piece[:-2]


def _headers(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Malformed(400)
        found[name.lower()] = value.strip()
    return found
