"""A real HTTP server on loopback, in a thread: it notes what comes and answers as told."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Got:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.time)
    peer: str = ""


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = Callable[[Got], Any]  # bytes, or a coroutine that writes by itself


def reply(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return an answer of this status."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Sink:
    """Listens until closed. `answer(got)` returns bytes, or a function of the writer to await."""

    def __init__(
        self,
        answer: Answer | None = None,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.answer: Answer = answer or (lambda got: OK)
        self.host, self.connections, self.tls = host, 0, tls
        self.got: list[Got] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def url(self, path: str = "/") -> str:
        """Return the address of a path here."""
        return f"http://{self.host}:{self.port}{path}"

    def wait(self, count: int, seconds: float = 15.0) -> list[Got]:
        """Return what came, when it is at least so much; fail when it takes too long."""
        deadline = time.monotonic() + seconds
        while len(self.got) < count:
            assert time.monotonic() < deadline, f"{len(self.got)} of {count} came"
            time.sleep(0.01)
        return self.got

    def close(self) -> None:
        """Stop listening."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._talk, self.host, 0, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._end.wait()
        server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode("latin-1").split("\r\n")[:-2]
                method, path, _ = first.split(" ")
                headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                got = Got(method, path, headers, body, peer=writer.get_extra_info("sockname")[0])
                self.got.append(got)
                answer = self.answer(got)
                if callable(answer):
                    await answer(writer)
                else:
                    writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
