"""https: the certificate counts, for the host's name, on the connection to the judged address."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.outbox.conftest import QUICK, settled
from tests.outbox.outbox_world import hook, said, say
from tests.outbox.sink import OK, Sink, reply

from pipshare import outbox

Make = Callable[..., Any]
HOST = "tracker.example"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for HOST that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                          serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )  # fmt: skip
    return path


async def _resolve(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def _deliver(
    db: Any, sinks: Make, dispatching: Make, certificate: Path, host: str, answer: bytes = OK
) -> tuple[Sink, list[outbox.Attempt]]:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    sink: Sink = sinks(lambda got: answer, tls=serving)
    with db.app() as conn:
        hook(conn, "a", f"https://{host}:{sink.port}/x", concurrency=1)
        say(conn, said(1, "client:1", note="x" * 300_000), said(2, "client:1"))
        conn.commit()
        trusting = ssl.create_default_context(cafile=str(certificate))
        dispatching(resolve=_resolve, tls=trusting, pace=QUICK)
        settled(conn, 30)
        found = outbox.attempts(conn, [one.id for one in outbox.deliveries(conn)])
    return sink, found


def test_over_tls_with_the_name_of_the_host_and_one_connection(
    db: Any, sinks: Make, dispatching: Make, certificate: Path
) -> None:
    sink, rows = _deliver(db, sinks, dispatching, certificate, HOST)
    assert [row.outcome for row in rows] == ["ok", "ok"], rows[0].error
    assert sink.connections == 1
    assert sink.got[0].headers["host"] == f"{HOST}:{sink.port}"
    assert len(sink.got[0].body) > 300_000


def test_a_long_answer_is_cut_over_tls(
    db: Any, sinks: Make, dispatching: Make, certificate: Path
) -> None:
    _, rows = _deliver(db, sinks, dispatching, certificate, HOST, reply(200, b"z" * 1_000_000))
    assert [row.outcome for row in rows] == ["ok", "ok"]
    assert {row.error for row in rows} == {"the answer was cut after 65536 bytes"}


def test_a_certificate_of_another_host_is_refused(
    db: Any, sinks: Make, dispatching: Make, certificate: Path
) -> None:
    sink, rows = _deliver(db, sinks, dispatching, certificate, "other.example")
    assert not sink.got
    assert {row.outcome for row in rows} == {"temporary"}
    assert "certificate" in rows[0].error


def test_tls_where_none_is_spoken(db: Any, sinks: Make, dispatching: Make) -> None:
    sink: Sink = sinks()
    with db.app() as conn:
        hook(conn, "a", f"https://{HOST}:{sink.port}/x", timeout_s=1)
        say(conn, said(1))
        conn.commit()
        opened, again = [ipaddress.ip_network("127.0.0.1/32")], replace(QUICK, waits_s=(0.1,))
        dispatching(resolve=_resolve, allowed=opened, pace=again)
        assert settled(conn) == {"dead": 1}
        rows = outbox.attempts(conn, [one.id for one in outbox.deliveries(conn)])
    assert [row.outcome for row in rows] == ["temporary", "temporary"]
    assert not sink.got
