"""The server: a TLS listener on loopback, a thread per connection, and a clock that ticks."""

from __future__ import annotations

import secrets
import socket
import ssl
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from pipshare.sandbox.mt5 import certificate
from pipshare.sandbox.mt5.connection import Connection
from pipshare.sandbox.mt5.faults import Faults
from pipshare.sandbox.mt5.session import RIGHTS, Door, Limits, Manager
from pipshare.sandbox.mt5.wire import Wire
from pipshare.sandbox.mt5.world import World

HANDSHAKE_S = 10.0
TICK_S = 0.25


class Mt5Server:
    """Serves a world over the Web API. A context manager; `start` and `stop` do the same by hand.

    `password`, `manager` and `rights` make the manager account; `managers` are more of them.
    `folder` keeps the certificate (None: a temporary one). `limits`, `clock` (seconds) and
    `srv_rand` (16 bytes) are for tests; `admin` opens /sandbox/... (see admin.py). After `start`:
    `url`, `port`, `cert_file`, `fingerprint`; `faults` may be set at any time; `requests` counts
    requests by path, and "connections", "signed in".
    """

    def __init__(
        self,
        world: World,
        *,
        password: str = "Password1",
        manager: int = 1000,
        rights: Iterable[str] = RIGHTS,
        managers: Iterable[Manager] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        folder: Path | None = None,
        limits: Limits = Limits(),  # noqa: B008  frozen
        clock: Callable[[], float] = time.monotonic,
        srv_rand: Callable[[], bytes] = lambda: secrets.token_bytes(16),
        admin: bool = False,
    ) -> None:
        known = {m.login: m for m in (Manager(manager, password, frozenset(rights)), *managers)}
        self.world = world
        self.door = Door(known, limits, clock, srv_rand)
        self.faults = Faults()
        self.requests: Counter[str] = Counter()
        self.names: deque[str | None] = deque(maxlen=100)  # asked for in SNI, newest last
        self.admin = admin
        self.host, self.port = host, port
        self.stopping = threading.Event()
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="sandbox-mt5-")
        self._folder = folder or Path(self._temporary.name if self._temporary else "")
        self._certificate = certificate.keep(self._folder, host)
        self._context = self._with_names(self._certificate)
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where the server is, e.g. https://127.0.0.1:40443."""
        return f"https://{self.host}:{self.port}"

    @property
    def cert_file(self) -> Path:
        """The certificate, PEM: its own authority."""
        return self._certificate.file

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, hex."""
        return self._certificate.fingerprint

    def manager(self, login: int | None = None) -> Manager:
        """Return a manager account, whose rights and password may be changed while it serves."""
        return self.door.managers[login or next(iter(self.door.managers))]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        """Listen; return when clients may connect. Raises OSError when the port is taken."""
        listener = socket.create_server((self.host, self.port), backlog=64)
        self._listener, self.port = listener, listener.getsockname()[1]
        for run in (self._accept, self._tick):
            self._run(run)
        return self

    def stop(self) -> None:
        """End at once: connections are cut, threads are awaited. Harmless when repeated."""
        self.stopping.set()
        with self._lock:
            listener, self._listener = self._listener, None
            cut = list(self._open)
        if listener is not None:
            _cut(listener)
            listener.close()
        for sock in cut:
            _cut(sock)
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join(2)
        if self._temporary is not None:
            self._temporary.cleanup()

    def cut(self) -> None:
        """End all connections, as a restart of the server does; new ones are taken."""
        with self._lock:
            for sock in self._open:
                _cut(sock)

    def count(self, what: str) -> None:
        """Count a request by its path."""
        with self._lock:
            self.requests[what] += 1

    def _run(self, what: Callable[[], None]) -> None:
        thread = threading.Thread(target=what, name=f"sandbox-mt5 {what.__name__}", daemon=True)
        with self._lock:
            self._threads = [one for one in self._threads if one.is_alive() or not one.ident]
            self._threads.append(thread)
        thread.start()

    def _with_names(self, held: certificate.Certificate) -> ssl.SSLContext:
        context = held.context()
        context.sni_callback = lambda _sock, name, _context: self.names.append(name)
        return context

    def _accept(self) -> None:
        listener = self._listener
        while listener is not None and not self.stopping.is_set():
            try:
                raw, _ = listener.accept()
            except OSError:
                return  # stopped
            self._run(lambda raw=raw: self._serve(raw))  # type: ignore[misc]

    def _serve(self, raw: socket.socket) -> None:
        self.count("connections")
        sock = raw
        try:
            with suppress(OSError):  # also ssl.SSLError: the client went, or did not trust us
                context = self._context_now()
                if context is None:
                    return
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                raw.settimeout(HANDSHAKE_S)
                sock = wrapped = context.wrap_socket(
                    raw, server_side=True, do_handshake_on_connect=False
                )
                with self._lock:
                    self._open.add(wrapped)
                if self.stopping.is_set():
                    return
                wrapped.do_handshake()
                wrapped.settimeout(self.door.limits.idle_s)
                if Connection(self, Wire(wrapped)).serve():
                    wrapped.settimeout(0)
                    wrapped.unwrap()  # says that this is the end; does not wait for the echo
        finally:
            with self._lock:
                self._open.discard(sock)
            _cut(sock)
            sock.close()

    def _context_now(self) -> ssl.SSLContext | None:
        context: ssl.SSLContext | None = self._context
        for fault in self.faults.take_on_connection():
            if fault.kind == "refuse":
                return None
            context = self._with_names(certificate.bad(self._folder, fault.value or "other"))
        return context

    def _tick(self) -> None:
        """Let the world go on while nobody asks, so that no answer has to make up for hours."""
        while not self.stopping.wait(TICK_S):
            try:
                self.world.advance()
            except Exception:
                traceback.print_exc(file=sys.stderr)
                self.stopping.wait(10 * TICK_S)


def _cut(sock: socket.socket) -> None:
    """End a connection from any thread: whoever reads or writes on it finds it ended."""
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not SSLSocket's: it forgets the TLS state
