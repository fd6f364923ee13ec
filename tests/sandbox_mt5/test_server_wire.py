"""HTTP as bytes: what is no request, what ends the connection, many clients at once."""

from __future__ import annotations

import json
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest
from web_api import signed_in

from pipshare.sandbox.mt5 import Mt5Server
from pipshare.sandbox.mt5.wire import MAX_HEAD

ACCESS = b"GET /api/auth/start?version=1290&agent=raw&login=1000&type=manager HTTP/1.1\r\n"


def exchange(server: Mt5Server, said: bytes) -> bytes:
    """Say something over TLS and return all that comes until the server ends the connection."""
    context = ssl.create_default_context(cafile=str(server.cert_file))
    with (
        socket.create_connection((server.host, server.port), 10) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as sock,
    ):
        sock.sendall(said)
        got = b""
        while piece := sock.recv(65536):
            got += piece
        return got


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"HELLO\r\n\r\n", 400),
        (b"GET /api/quit SPDY/3\r\n\r\n", 400),
        (b"GET /api/quit HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET /api/quit HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400),
        (b"POST /api/quit HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", 413),
        (b"POST /api/quit HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n", 413),
        (b"POST /api/quit HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST /api/quit HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n", 413),
        (b"PUT /api/quit HTTP/1.1\r\n\r\n", 405),
        (b"GET /" + b"x" * MAX_HEAD, 431),
    ],
)
def test_what_is_no_request(server: Mt5Server, said: bytes, status: int) -> None:
    got = exchange(server, said)
    assert got.startswith(b"HTTP/1.1 %d " % status)
    assert b"Connection: close" in got


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        (ACCESS + b"Connection: close\r\n\r\n" + ACCESS + b"\r\n", 1),
        (ACCESS.replace(b"1.1", b"1.0") + b"\r\n" + ACCESS + b"\r\n", 1),
        (ACCESS + b"\r\n" + ACCESS + b"Connection: close\r\n\r\n", 2),  # both were sent at once
        (ACCESS + b"\r\nGET /api/quit HTTP/1.1\r\n\r\n", 2),
    ],
)
def test_how_long_a_connection_is_kept(server: Mt5Server, said: bytes, answers: int) -> None:
    assert exchange(server, said).count(b"HTTP/1.1 200 OK") == answers


def test_a_client_that_goes_in_the_middle(server: Mt5Server) -> None:
    """Half a head, half a body, half a chunk: the connection ends and the server goes on."""
    context = ssl.create_default_context(cafile=str(server.cert_file))
    for said in (
        b"GET /api/qu",
        b"POST /api/quit HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc",
        b"POST /api/quit HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ):
        raw = socket.create_connection((server.host, server.port), 10)
        with context.wrap_socket(raw, server_hostname="localhost") as sock:
            sock.sendall(said)
    assert signed_in(server).get("/api/test/access").code == 0


def test_many_clients_at_once(server: Mt5Server) -> None:
    """Each connection gets its own answers, whole, while others ask."""

    def work(_number: int) -> set[bytes]:
        client = signed_in(server)
        given = {"group": "*", "from": 0, "to": 2**40}
        answers = {client.get("/api/deal/get_batch", **given).body for _ in range(10)}
        client.close()
        return answers

    with ThreadPoolExecutor(8) as pool:
        found = set().union(*pool.map(work, range(8)))
    assert len(found) == 1
    assert json.loads(found.pop())["retcode"] == "0 Done"
    assert server.requests["/api/deal/get_batch"] == 80


def test_stopping_twice_does_no_harm(server: Mt5Server) -> None:
    server.stop()
    server.stop()
    with pytest.raises(OSError):
        socket.create_connection((server.host, server.port), 1)
