"""Calls CRMs over HTTP: whole answers or a named fault, to no address that may not be reached.

The rules are the outbox's: https, an address judged after resolution and connected to as judged,
no redirect followed. Blocking; one thread at a time.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore2

from pipshare.crm.polled import Answer, Ask
from pipshare.errors import BadInput, PipshareError, Unavailable
from pipshare.outbox.egress import Network, check_url, opened, refused

TIMEOUT_S = 30.0
PATIENCE = 4  # times as long for a whole answer that drips in
LARGEST = 64 * 2**20  # bytes of an answer
_IDLE_S = 20.0
Resolve = Callable[[str, int], Sequence[str]]


def addresses(host: str, port: int) -> list[str]:
    """Return a host's addresses, as the machine resolves it. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def allowed_address(
    host: str, port: int, allowed: Sequence[Network], *, plain: bool, resolve: Resolve = addresses
) -> str:
    """Return the address of a host that may be connected to.

    `plain`: without TLS, so only in networks that the operator opened. Raises PipshareError
    (crm_address) for a refused one, Unavailable for a host that has none.
    """
    try:
        found = resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise Unavailable("crm_unreachable", f"{host} cannot be resolved: {error}") from None
    why = None
    for address in found:
        if plain and not opened(address, allowed):
            why = why or (
                f"nothing is encrypted on the way to {address}, and it is in no network of"
                " PIPSHARE_EGRESS_ALLOW: use https:// or TLS"
            )
        elif (closed := refused(address, allowed)) is not None:
            why = why or closed
        else:
            return address
    if why is None:
        raise Unavailable("crm_unreachable", f"{host} has no address")
    raise PipshareError("crm_address", f"{host}: {why}")


class _Backend(httpcore2.SyncBackend):
    """Resolves, judges, and connects to the address that was judged."""

    def __init__(self, allowed: Sequence[Network], *, plain: bool, resolve: Resolve) -> None:
        self.allowed, self.plain, self.resolve = allowed, plain, resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        address = allowed_address(
            host.strip("[]"), port, self.allowed, plain=self.plain, resolve=self.resolve
        )
        return super().connect_tcp(address, port, timeout, local_address, socket_options)


class _Cut(Exception):
    """A connection that ended before anything was answered: it had been kept, perhaps too long."""


class Caller:
    """Makes requests; see crm.polled.Call. Connections are kept between them."""

    def __init__(
        self,
        allowed: Sequence[Network] = (),
        *,
        timeout_s: float = TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = addresses,
    ) -> None:
        self.allowed, self.timeout_s, self.tls, self.resolve = allowed, timeout_s, tls, resolve
        self._pools: dict[str, httpcore2.ConnectionPool] = {}

    def __call__(self, ask: Ask) -> Answer:
        """Ask and return the whole answer, whatever its status.

        Raises BadInput for an address that is none, PipshareError (crm_address) for one that may
        not be reached, Unavailable: crm_unreachable, crm_half_answer, crm_too_large.
        """
        check_url(ask.url)
        where = ask.url.partition("?")[0]
        try:
            return self._once(ask, where)
        except _Cut:
            pass
        except httpcore2.RemoteProtocolError as error:
            if "without sending a response" not in str(error):
                raise Unavailable("crm_half_answer", f"{where} ended in the middle of its answer;"
                                  " nothing of it was taken") from None  # fmt: skip
        # A connection that was kept had been closed at the other end: nothing was answered yet.
        try:
            return self._once(ask, where)
        except (_Cut, httpcore2.RemoteProtocolError):
            raise Unavailable("crm_half_answer", f"{where} closes without an answer") from None

    def _once(self, ask: Ask, where: str) -> Answer:
        limits = {"connect": self.timeout_s, "read": self.timeout_s, "write": self.timeout_s}
        headers = [(name, value) for name, value in {"User-Agent": "pipshare", **ask.headers,
                   "Accept-Encoding": "identity"}.items()]  # fmt: skip
        began, is_answering = time.monotonic(), False
        try:
            with self._pool(ask.url).stream(
                ask.method, ask.url, headers=headers, content=ask.body or None,
                extensions={"timeout": limits},
            ) as response:  # fmt: skip
                body, is_answering = bytearray(), True
                for piece in response.iter_stream():
                    body += piece
                    if len(body) > LARGEST:
                        raise Unavailable("crm_too_large", f"{where} answers with more than"
                                          f" {LARGEST // 2**20} MiB: ask for less at once"
                                          " (page, window_days)")  # fmt: skip
                    if time.monotonic() - began > self.timeout_s * PATIENCE:
                        raise Unavailable("crm_half_answer", f"{where} is too slow: no whole "
                                          f"answer in {self.timeout_s * PATIENCE:g} s")  # fmt: skip
                told = {name.decode("latin-1").lower(): value.decode("latin-1")
                        for name, value in response.headers}  # fmt: skip
                return Answer(response.status, told, bytes(body))
        except (httpcore2.ReadError, httpcore2.WriteError) as error:
            if not is_answering:
                raise _Cut from None
            raise Unavailable(
                "crm_half_answer", f"{where}: the connection broke: {error}"
            ) from None
        except (httpcore2.TimeoutException, httpcore2.NetworkError) as error:
            said = str(error).strip() or type(error).__name__
            raise Unavailable("crm_unreachable", f"{where} does not answer: {said}") from None
        except httpcore2.LocalProtocolError as error:
            raise BadInput("bad_setting", f"{where} cannot be asked: {error}") from None

    def _pool(self, url: str) -> httpcore2.ConnectionPool:
        scheme = "https" if url.lower().startswith("https:") else "http"
        if scheme not in self._pools:
            backend = _Backend(self.allowed, plain=scheme == "http", resolve=self.resolve)
            self._pools[scheme] = httpcore2.ConnectionPool(
                ssl_context=self.tls, max_connections=4, keepalive_expiry=_IDLE_S,
                network_backend=backend,
            )  # fmt: skip
        return self._pools[scheme]

    def close(self) -> None:
        """Close what is open."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
