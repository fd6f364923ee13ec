"""The sockets of the outbox: resolved once, judged, and connected to the address that was judged.

httpcore2 asks this backend to connect; the host's name stays what TLS verifies and Host says. There
is no other way out: no proxy, no environment variable, no redirect is followed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from typing import Any

import httpcore2

from pipshare.outbox.egress import Network, opened, refused

Resolve = Callable[[str, int], Awaitable[list[str]]]
_BUFFER = 64 * 1024  # bytes read ahead of the reader, then the sender has to wait
_ADDRESSES = 4  # of one host that are tried, one after the other


class Refused(Exception):
    """An address that may not be connected to; the text says why."""


def resolver(threads: Executor) -> Resolve:
    """Return the machine's own resolver, in threads: a slow answer must not stop the others."""

    async def resolve(host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(threads, _look_up, host, port)
        return list(dict.fromkeys(str(one[4][0]) for one in found))

    return resolve


def _look_up(host: str, port: int) -> list[Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Backend(httpcore2.AsyncNetworkBackend):
    """Connects to what may be connected to. `plain`: no TLS follows, so only opened networks."""

    def __init__(self, resolve: Resolve, allowed: Sequence[Network], *, plain: bool) -> None:
        self.resolve, self.allowed, self.plain = resolve, allowed, plain

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Stream:
        """Resolve, judge, connect. Raises Refused, httpcore2.ConnectError, ConnectTimeout."""
        try:
            async with asyncio.timeout(timeout):
                return await self._connect(host, port)
        except TimeoutError:
            raise httpcore2.ConnectTimeout(f"{host} did not take the connection") from None
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(str(error)) from error

    async def _connect(self, host: str, port: int) -> Stream:
        found = await self.resolve(host.strip("[]"), port)
        verdicts = {address: self._refused(address) for address in found}
        open_ = [address for address, why in verdicts.items() if why is None]
        if not open_:
            why = next(iter(verdicts.values()), None)
            raise Refused(f"{host}: {why}") if why else OSError(f"{host} has no address")
        loop, last = asyncio.get_running_loop(), OSError("no address")
        for address in open_[:_ADDRESSES]:
            try:
                _, stream = await loop.create_connection(Stream, address, port)
                return stream
            except OSError as error:
                last = error
        raise last

    def _refused(self, address: str) -> str | None:
        if self.plain and not opened(address, self.allowed):
            return (
                f"http:// goes in clear over the net, and {address} is in no network of"
                " PIPSHARE_EGRESS_ALLOW: use https://"
            )
        return refused(address, self.allowed)


class Stream(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """A connection as httpcore2 uses it, straight on asyncio's transport."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._coming = bytearray()
        self._ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._coming += data
        if len(self._coming) > _BUFFER and self._transport is not None:
            self._transport.pause_reading()
        _wake(self._waiter)

    def eof_received(self) -> bool:
        self._ended = True
        _wake(self._waiter)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._error = True, exc
        _wake(self._waiter)
        _wake(self._room)

    def pause_writing(self) -> None:
        self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        _wake(self._room)
        self._room = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what came, b"" at the end. Raises ReadTimeout, ReadError."""
        if not self._coming and not self._ended:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(timeout):
                    await self._waiter
            except TimeoutError:
                raise httpcore2.ReadTimeout("nothing came") from None
            finally:
                self._waiter = None
        if not self._coming:
            if self._error is not None:
                raise httpcore2.ReadError(str(self._error))
            return b""
        data = bytes(self._coming[:max_bytes])
        del self._coming[:max_bytes]
        if self._transport is not None and not self._ended:
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send. Raises WriteTimeout, WriteError."""
        if self._ended or self._transport is None:
            raise httpcore2.WriteError("the connection has ended")
        self._transport.write(buffer)
        if self._room is not None:
            try:
                async with asyncio.timeout(timeout):
                    await self._room
            except TimeoutError:
                raise httpcore2.WriteTimeout("nothing was taken") from None

    async def aclose(self) -> None:
        """Close without ado: what is not sent yet is of no use to anybody."""
        if self._transport is not None:
            self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Stream:
        """Speak TLS from here on. Raises ConnectError, ConnectTimeout."""
        assert self._transport is not None
        loop = asyncio.get_running_loop()
        name = (server_hostname or "").strip("[]")
        try:
            async with asyncio.timeout(timeout):
                made = await loop.start_tls(
                    self._transport, self, ssl_context, server_hostname=name
                )
        except TimeoutError:
            await self.aclose()
            raise httpcore2.ConnectTimeout("TLS was not agreed on in time") from None
        except (OSError, ssl.SSLError) as error:
            await self.aclose()
            raise httpcore2.ConnectError(f"TLS: {error}") from error
        self._transport = made
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore2 asks of a stream; an idle one that got anything is of no use."""
        if info == "is_readable":
            return self._ended or bool(self._coming)
        return self._transport.get_extra_info(info) if self._transport is not None else None


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        with contextlib.suppress(asyncio.InvalidStateError):
            waiter.set_result(None)
