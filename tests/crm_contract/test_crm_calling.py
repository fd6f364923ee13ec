"""The way out to CRMs: TLS for the host's name, whole answers, limits of size and time."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.outbox.conftest import LOOPBACK, sinks  # noqa: F401
from tests.outbox.sink import Sink, reply
from tests.outbox.test_deliver_tls import HOST, certificate  # noqa: F401

from pipshare.crm.polled import Ask
from pipshare.errors import BadInput, PipshareError
from pipshare.pipeline.crm import calling
from pipshare.pipeline.crm.calling import Caller

Make = Callable[..., Sink]


def _fault(call: Caller, url: str) -> PipshareError:
    with pytest.raises(PipshareError) as caught:
        call(Ask(url))
    return caught.value


@pytest.fixture
def secure(sinks: Make, certificate: Path) -> tuple[Sink, Caller]:  # noqa: F811
    """A server of HOST with TLS, and a caller that trusts it and finds it on loopback."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    sink = sinks(lambda got: reply(200, b"[1]"), tls=serving)
    trusting = ssl.create_default_context(cafile=str(certificate))
    return sink, Caller(LOOPBACK, tls=trusting, resolve=lambda host, port: ["127.0.0.1"])


def test_tls_is_checked_for_the_name_on_the_judged_address(secure: tuple[Sink, Caller]) -> None:
    sink, call = secure
    for _ in range(2):
        assert call(Ask(f"https://{HOST}:{sink.port}/a?b=c")).body == b"[1]"
    assert sink.connections == 1
    assert sink.got[0].headers["host"] == f"{HOST}:{sink.port}"
    assert sink.got[0].path == "/a?b=c"
    error = _fault(call, f"https://other.example:{sink.port}/")
    assert error.code == "crm_unreachable"
    assert "certificate" in error.message
    assert len(sink.got) == 2


def test_a_certificate_that_nobody_trusts_is_refused(secure: tuple[Sink, Caller]) -> None:
    sink, call = secure
    plain = Caller(LOOPBACK, resolve=call.resolve)
    assert "certificate" in _fault(plain, f"https://{HOST}:{sink.port}/").message
    assert not sink.got


def test_an_answer_has_a_size_and_a_time(
    sinks: Make,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calling, "LARGEST", 1_000)
    large = sinks(lambda got: reply(200, b"x" * 2_000))
    assert _fault(Caller(LOOPBACK), large.url()).code == "crm_too_large"

    def drip(got: Any) -> Any:
        async def slowly(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
            for _ in range(100):
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)

        return slowly

    slow = sinks(drip)
    error = _fault(Caller(LOOPBACK, timeout_s=0.2), slow.url())
    assert error.code == "crm_half_answer"
    assert "too slow" in error.message
    silent = sinks(lambda got: lambda writer: asyncio.sleep(30))
    assert _fault(Caller(LOOPBACK, timeout_s=0.2), silent.url()).code == "crm_unreachable"


def test_a_connection_that_was_closed_meanwhile_is_opened_again(
    sinks: Make,  # noqa: F811
) -> None:
    def once(got: Any) -> Any:
        async def and_close(writer: asyncio.StreamWriter) -> None:
            writer.write(reply(200, b"[]"))
            await writer.drain()
            writer.close()
            raise ConnectionError

        return and_close

    sink, call = sinks(once), Caller(LOOPBACK)
    for _ in range(3):
        assert call(Ask(sink.url())).status == 200
    assert sink.connections == 3


def test_what_can_never_be_asked_is_named() -> None:
    call = Caller(LOOPBACK)
    for url in ("ftp://x/", "https://x y/", "https://user:pw@x/"):
        with pytest.raises(BadInput, match="URL"):
            call(Ask(url))
    assert _fault(call, "https://nobody.invalid/").code == "crm_unreachable"
    assert _fault(call, "http://127.0.0.1:1/").code == "crm_unreachable"
