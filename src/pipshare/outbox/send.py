"""One request, one answer: with limits on time and size, whatever the other side does."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpcore2

from pipshare.errors import BadInput
from pipshare.outbox.egress import Network, check_url
from pipshare.outbox.network import Backend, Refused, Resolve
from pipshare.outbox.schedule import PERMANENT, TEMPORARY
from pipshare.outbox.values import Request

ANSWER_MOST = 64 * 1024  # bytes of an answer that are read
CONNECT_S = 5  # to resolve and connect, and again for TLS


@dataclass(frozen=True)
class Answer:
    """What came back; `status` is None when nothing did, and `error` then says why."""

    status: int | None = None
    retry_after: str | None = None
    body: bytes = b""
    outcome: str = TEMPORARY  # where there is no status
    error: str = ""


class Way:
    """How requests go out: the resolver, the networks that the operator opened, TLS."""

    def __init__(
        self, resolve: Resolve, allowed: tuple[Network, ...], tls: ssl.SSLContext | None = None
    ) -> None:
        self._tls = tls
        self.secure = Backend(resolve, allowed, plain=False)
        self.plain = Backend(resolve, allowed, plain=True)

    @property
    def tls(self) -> ssl.SSLContext:
        """The authorities that vouch for receivers: the machine's; read once, when needed."""
        if self._tls is None:
            self._tls = httpcore2.default_ssl_context()
        return self._tls


class Line:
    """One connection to one receiver at a time, kept open between requests."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self._connection: httpcore2.AsyncHTTPConnection | None = None
        self._origin: httpcore2.Origin | None = None
        self.idle_since = 0.0

    async def send(
        self, request: Request, headers: list[tuple[bytes, bytes]], timeout_s: float
    ) -> Answer:
        """Send with these `headers` and ours, and read the answer; raises only when cancelled."""
        try:
            told = _prepared(request, headers, timeout_s)
        except BadInput as error:
            return Answer(outcome=PERMANENT, error=str(error))
        used = self._connection is not None
        answer = await self._once(told, timeout_s)
        if answer is None and used:  # it had just been closed at the other end
            answer = await self._once(told, timeout_s)
        return answer or Answer(error="the connection ended before the answer came")

    async def _once(self, request: httpcore2.Request, timeout_s: float) -> Answer | None:
        """Send once; None when the connection was lost and there was no answer."""
        found: list[Any] = [None, None, b""]
        try:
            async with asyncio.timeout(timeout_s):
                whole = await self._exchange(request, found)
        except TimeoutError:
            whole = False
            error = f"no {'whole ' if found[0] else ''}answer within {timeout_s:g} s"
        except Exception as failed:
            whole = False
            outcome, error = _told(failed)
            if found[0] is None:
                await self.close()
                return None if _lost(failed) else Answer(outcome=outcome, error=error)
        else:
            error = "" if whole else f"the answer was cut after {ANSWER_MOST} bytes"
        if not whole:
            await self.close()
        return Answer(found[0], found[1], found[2], error=error)

    async def _exchange(self, request: httpcore2.Request, found: list[Any]) -> bool:
        """Fill `found` with status, Retry-After and body; false when the body was too long."""
        connection = await self._connected(request.url.origin)
        response = await connection.handle_async_request(request)
        found[0] = response.status
        for name, value in response.headers:
            if name.lower() == b"retry-after":
                found[1] = value.decode("latin-1")
        try:
            async for chunk in response.aiter_stream():
                found[2] += chunk
                if len(found[2]) > ANSWER_MOST:
                    found[2] = found[2][:ANSWER_MOST]
                    return False
        finally:
            await response.aclose()
        return True

    async def _connected(self, origin: httpcore2.Origin) -> httpcore2.AsyncHTTPConnection:
        kept = self._connection
        if (
            kept is not None
            and self._origin == origin
            and kept.is_available()
            and not kept.has_expired()
        ):
            return kept
        await self.close()
        secure = origin.scheme == b"https"
        self._origin = origin
        self._connection = httpcore2.AsyncHTTPConnection(
            origin,
            ssl_context=self.way.tls if secure else None,
            network_backend=self.way.secure if secure else self.way.plain,
        )
        return self._connection

    async def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.aclose()
            except (OSError, RuntimeError, httpcore2.NetworkError):
                return  # it is gone already


def _prepared(
    request: Request, headers: list[tuple[bytes, bytes]], timeout_s: float
) -> httpcore2.Request:
    """Return the request as httpcore2 takes it. Raises BadInput for what cannot be sent."""
    place = _place(request.url)
    sent = [*place.headers, *headers]
    if request.body or request.method != "GET":
        sent.append((b"Content-Length", b"%d" % len(request.body)))
    limits = {"connect": CONNECT_S, "read": timeout_s, "write": timeout_s}
    return httpcore2.Request(
        request.method,
        place.url,
        headers=sent,
        content=request.body,
        extensions={"timeout": limits},
    )


@dataclass(frozen=True)
class _Place:
    """A URL as httpcore2 takes it, and the headers that begin every request to it."""

    url: httpcore2.URL
    headers: tuple[tuple[bytes, bytes], ...]


@lru_cache(maxsize=4096)
def _place(url: str) -> _Place:
    """Read a URL; a webhook's is always the same. Raises BadInput when nothing can be sent."""
    check_url(url)
    parts = urlsplit(url)
    host = _host(parts.hostname or "")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    shown = b"[%s]" % host if b":" in host else host
    if parts.port:
        shown = b"%s:%d" % (shown, parts.port)
    return _Place(
        httpcore2.URL(
            scheme=parts.scheme.encode(), host=host, port=port, target=target.encode("ascii")
        ),
        (
            (b"Host", shown),
            (b"User-Agent", b"pipshare"),
            (b"Accept", b"*/*"),
            (b"Accept-Encoding", b"identity"),
        ),
    )


def _host(name: str) -> bytes:
    """Return a host's name as DNS knows it."""
    try:
        return name.encode("idna")
    except UnicodeError as error:
        raise BadInput("bad_url", f"{name[:80]!r} can be no host: {error}") from None


def _lost(error: Exception) -> bool:
    """Whether the connection ended before anything of an answer came."""
    if isinstance(error, httpcore2.RemoteProtocolError):
        return "disconnected" in str(error)
    return isinstance(error, httpcore2.ReadError | httpcore2.WriteError)


def _told(error: Exception) -> tuple[str, str]:
    """Return what an error means, and a sentence of it."""
    said = str(error).strip() or type(error).__name__
    if isinstance(error, Refused):
        return PERMANENT, f"the address is refused: {said}"
    if isinstance(error, httpcore2.LocalProtocolError):
        return PERMANENT, f"the request cannot be sent: {said}"
    if isinstance(error, httpcore2.ConnectTimeout | httpcore2.ConnectError):
        return TEMPORARY, f"no connection: {said}"
    if isinstance(error, httpcore2.RemoteProtocolError):
        return TEMPORARY, f"the answer is no HTTP: {said}"
    return TEMPORARY, f"the connection failed: {said}"
