"""Against hostile receivers: private addresses, rebinding, redirects, drips, floods, garbage."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.outbox.conftest import settled
from tests.outbox.outbox_world import hook, said, say
from tests.outbox.sink import OK, Got, reply

from pipshare import outbox
from pipshare.outbox import Attempt, Message, Receiver, Request

Make = Callable[..., Any]


def attempts(conn: Any) -> list[Attempt]:
    return outbox.attempts(conn, [one.id for one in outbox.deliveries(conn)])


CLOSED = ["[::ffff:127.0.0.1]", "[::]", "0.0.0.0", "127.0.0.1", "2130706433", "0x7f.1",
          "localhost", "169.254.169.254", "100.64.0.1", "[fc00::1]", "[64:ff9b::7f00:1]",
          "[fe80::1]"]  # fmt: skip


def test_nothing_goes_to_a_closed_address(db: Any, sinks: Make, dispatching: Make) -> None:
    sink = sinks()
    urls = [f"{way}://{host}:{sink.port}/x" for way in ("http", "https") for host in CLOSED]
    with db.app() as conn:
        for n, url in enumerate(urls):
            hook(conn, f"r{n}", url)
        say(conn, said(1))
        conn.commit()
        dispatching(allowed=[ipaddress.ip_network("10.0.0.0/8")])
        assert settled(conn) == {"dead": len(urls)}
        rows = attempts(conn)
    assert sorted(row.url for row in rows) == sorted(urls), "each was tried, once"
    for row in rows:
        assert row.outcome == "permanent", row.url
        assert row.error.startswith("the address is refused"), row.url
        assert "PIPSHARE_EGRESS_ALLOW" in row.error, row.url
    assert sink.connections == 0


def test_http_in_clear_only_to_what_was_opened(db: Any, dispatching: Make) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["93.184.216.34"]

    with db.app() as conn:
        hook(conn, "a", "http://tracker.example/x")
        say(conn, said(1))
        conn.commit()
        dispatching(resolve=resolve)
        assert settled(conn) == {"dead": 1}
        [row] = attempts(conn)
    assert "use https://" in row.error


def test_a_name_that_changes_its_address_is_connected_to_where_it_was_judged(
    db: Any, sinks: Make, dispatching: Make
) -> None:
    """DNS rebinding: asked twice, the name would answer with an address that is closed."""
    good = sinks(lambda got: reply(200, Connection="close"), host="127.0.0.2")
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.2"] if len(asked) == 1 else ["127.0.0.1"]

    opened = [ipaddress.ip_network("127.0.0.2/32")]
    with db.app() as conn:
        hook(conn, "a", f"http://tracker.example:{good.port}/x")
        say(conn, said(1))
        conn.commit()
        dispatching(resolve=resolve, allowed=opened)
        assert settled(conn) == {"delivered": 1}
        assert asked == ["tracker.example"], "resolved once"
        assert good.got[0].peer == "127.0.0.2"
        assert good.got[0].headers["host"] == f"tracker.example:{good.port}"
        say(conn, said(2))
        conn.commit()
        assert settled(conn) == {"delivered": 1, "dead": 1}
        assert "127.0.0.1 is in no network" in attempts(conn)[0].error


def test_of_several_addresses_only_those_that_are_open_are_tried(
    db: Any, sinks: Make, dispatching: Make
) -> None:
    sink = sinks(host="127.0.0.3")

    async def resolve(host: str, port: int) -> list[str]:
        return ["10.0.0.1", "127.0.0.1", "127.0.0.3"]

    with db.app() as conn:
        hook(conn, "a", f"http://tracker.example:{sink.port}/x")
        say(conn, said(1))
        conn.commit()
        dispatching(resolve=resolve, allowed=[ipaddress.ip_network("127.0.0.3/32")])
        assert settled(conn) == {"delivered": 1}
    assert sink.got[0].peer == "127.0.0.3"


def test_a_redirect_is_not_followed(db: Any, sinks: Make, dispatching: Make) -> None:
    inner = sinks()
    outer = sinks(lambda got: reply(302, Location=inner.url("/latest/meta-data")))
    with db.app() as conn:
        hook(conn, "a", outer.url())
        say(conn, said(1))
        conn.commit()
        dispatching()
        assert settled(conn) == {"dead": 1}
        [row] = attempts(conn)
    assert (row.status, row.outcome) == (302, "permanent")
    assert "never followed" in row.error
    assert inner.connections == 0


async def _drip_head(writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def _drip_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _flood(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n")
    for _ in range(64):
        writer.write(b"y" * 16384)
        await writer.drain()


@pytest.mark.parametrize(
    ("answer", "outcome", "says"),
    [
        (_drip_head, "temporary", "no answer within 1 s"),
        (_drip_body, "ok", "no whole answer within 1 s"),
        (_flood, "ok", "cut after 65536 bytes"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "temporary", "the answer is no HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n", "temporary", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "temporary", "the answer is no HTTP"),
        (reply(200, b"\xff\x00\xfe"), "ok", ""),
    ],
)
def test_hostile_answers(
    db: Any, sinks: Make, dispatching: Make, answer: Any, outcome: str, says: str
) -> None:
    sink = sinks(lambda got: answer)
    with db.app() as conn:
        hook(conn, "a", sink.url(), timeout_s=1)
        say(conn, said(1))
        conn.commit()
        began = time.monotonic()
        dispatching()
        while not (rows := attempts(conn)):
            conn.commit()
            assert time.monotonic() - began < 8
            time.sleep(0.05)
    row = rows[-1]
    assert row.outcome == outcome
    assert says in row.error
    assert row.ms < 3_000
    assert len(row.answer) <= 4096
    assert "\0" not in row.answer


def _build(**given: Any) -> Callable[[Receiver, Message, int], Request]:
    def build(receiver: Receiver, message: Message, seq: int) -> Request:
        return Request(**{"method": "GET", "url": receiver.settings["url"], **given})

    return build


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"headers": (("X-Click", "a\r\nX-Evil: 1"),)}, "line break"),
        ({"headers": (("Host", "b.example"),)}, "pipshare itself"),
        ({"headers": (("X-A\r\nX-B", "1"),)}, "cannot name a header"),
        ({"url": "http://127.0.0.1/?a=b HTTP/1.1\r\nX-Evil: 1"}, "line break"),
        ({"url": "http://127.0.0.1/" + "x" * 100_000}, "characters long"),
        ({"url": "file:///etc/passwd"}, "no scheme"),
        ({"url": "http://127.0.0.1/\u00fc"}, "letters"),
        ({"method": "GET /evil HTTP/1.1\r\nX-Evil:"}, "cannot be sent"),
    ],
)
def test_no_injection_by_what_a_builder_makes(
    db: Any, sinks: Make, dispatching: Make, given: dict[str, Any], says: str
) -> None:
    sink = sinks()
    with db.app() as conn:
        hook(conn, "a", sink.url())
        say(conn, said(1))
        conn.commit()
        dispatching(build=_build(**given))
        assert settled(conn) == {"dead": 1}
        [row] = attempts(conn)
    assert says in row.error
    assert not sink.got


def test_a_builder_that_breaks_stops_nobody(db: Any, sinks: Make, dispatching: Make) -> None:
    sink = sinks()

    def build(receiver: Receiver, message: Message, seq: int) -> Request:
        if message.data["n"] == "1":
            raise ZeroDivisionError("oops")
        return Request("POST", receiver.settings["url"], (), json.dumps(message.data).encode())

    with db.app() as conn:
        hook(conn, "a", sink.url())
        say(conn, said(1, "client:1"), said(2, "client:1"))
        conn.commit()
        dispatching(build=build)
        assert settled(conn) == {"dead": 1, "delivered": 1}
        assert [one.error for one in attempts(conn)] == ["", "oops"]


def test_the_environment_does_not_send_us_by_a_proxy(
    db: Any, sinks: Make, dispatching: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, sink = sinks(), sinks(lambda got: OK)
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy.url())
    with db.app() as conn:
        hook(conn, "a", sink.url())
        say(conn, said(1))
        conn.commit()
        dispatching()
        assert settled(conn) == {"delivered": 1}
    assert not proxy.connections


def test_got_is_what_was_sent(db: Any, sinks: Make, dispatching: Make) -> None:
    sink = sinks()
    with db.app() as conn:
        one = hook(conn, "a", sink.url("/x?y=1"))
        outbox.set_header(conn, one, "Authorization", "Bearer very-secret", by="ann")
        say(conn, said(1))
        conn.commit()
        dispatching()
        assert settled(conn) == {"delivered": 1}
        [row] = attempts(conn)
    got: Got = sink.got[0]
    assert (got.method, got.path) == ("POST", "/x?y=1")
    assert got.headers["authorization"] == "Bearer very-secret"
    assert "very-secret" not in row.headers
    assert row.body == got.body.decode()
