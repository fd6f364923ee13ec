"""A byte-level TLS server for the connector's tests: it says exactly what a test's script says.

No HTTP library and no code of pipshare or its sandbox: what the connector meets here is bytes.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SRV_RAND = "73007dc7184747ce0f7c98516ef1c851"


@dataclass(frozen=True)
class Asked:
    """One request as it came; `connection` counts from 1."""

    target: str
    headers: dict[str, str]
    connection: int
    bytes: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))


# Bytes go out as they are; None closes the connection without a word.
Script = Callable[[Asked], bytes | None]


def http(body: bytes | str | Any, status: str = "200 OK", *headers: str) -> bytes:
    """Put a body (or a value to be written as JSON) into an HTTP answer."""
    if not isinstance(body, bytes | str):
        body = json.dumps(body, separators=(",", ":"))
    data = body.encode() if isinstance(body, str) else body
    head = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(data)}"]
    return "\r\n".join([*head, *headers, "", ""]).encode() + data


def done(answer: Any = None, retcode: str = "0 Done", **more: Any) -> bytes:
    """Return the usual answer."""
    told = {"retcode": retcode, **more} | ({} if answer is None else {"answer": answer})
    return http(told)


def digest(password: str, challenge: str) -> str:
    """MetaQuotes' formula, written a second time."""
    inner = hashlib.md5(password.encode("utf-16-le")).digest()
    key = hashlib.md5(inner + b"WebAPI").digest()
    return hashlib.md5(key + bytes.fromhex(challenge)).hexdigest()


@dataclass
class Broker:
    """A script with the handshake done right; `says` maps a path to its script or its bytes."""

    password: str = "Password1"
    says: dict[str, Script | bytes | None] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def __call__(self, asked: Asked) -> bytes | None:
        self.asked.append(asked)
        told = self.says.get(asked.path, self._usual)
        return told(asked) if callable(told) else told

    def _usual(self, asked: Asked) -> bytes | None:
        if asked.path == "/api/auth/start":
            return done(version_access="1290", srv_rand=SRV_RAND)
        if asked.path == "/api/auth/answer":
            if asked.params["srv_rand_answer"] != digest(self.password, SRV_RAND):
                return done(retcode="3006 Invalid password")
            proof = digest(self.password, asked.params["cli_rand"])
            return done(version_access="1290", version_trade="1290", cli_rand_answer=proof)
        if asked.path in ("/api/test/access", "/api/quit"):
            return done()
        return done(retcode="3 Invalid parameters")

    def count(self, path: str) -> int:
        return sum(one.path == path for one in self.asked)


class TlsServer:
    """Serves a script on loopback; a thread per connection."""

    def __init__(self, certificate: Path, script: Script) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self.connections = 0
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()

    def drop(self) -> None:
        """Cut all connections, as a restart of the server does."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(
                    target=self._serve, args=(plain, self.connections), daemon=True
                ).start()

    def _serve(self, plain: socket.socket, number: int) -> None:
        with (
            suppress(OSError, ValueError),
            self._context.wrap_socket(plain, server_side=True) as wrapped,
        ):
            self._open.append(wrapped)
            reader = wrapped.makefile("rb")
            while asked := _request(reader, number):
                told = self._script(asked)
                if told is None:
                    return
                wrapped.sendall(told)
                if b"X-Then: close" in told[:500]:
                    return


def _request(reader: Any, number: int) -> Asked | None:
    lines = []
    while (line := reader.readline()) not in (b"\r\n", b""):
        lines.append(line)
    if not lines:
        return None
    target = lines[0].split(b" ")[1].decode()
    headers = dict(one.decode().rstrip("\r\n").split(": ", 1) for one in lines[1:])
    return Asked(target, headers, number, b"".join(lines))


def certificate(folder: Path, name: str = "good", *, host: str = "127.0.0.1",
                ends: timedelta = timedelta(days=30)) -> Path:  # fmt: skip
    """Write a self-signed certificate with its key into one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{name}.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + ends)
        .add_extension(x509.SubjectAlternativeName([_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )  # fmt: skip
    path = folder / f"{name}.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def fingerprint(path: Path) -> str:
    """Return the sha256 of the certificate in a PEM file."""
    return x509.load_pem_x509_certificate(path.read_bytes()).fingerprint(hashes.SHA256()).hex()


def deal(ticket: int | str = 11918643, **fields: Any) -> dict[str, Any]:
    """Return a deal as the documentation writes it: a close of 0.10 lots EURGBP."""
    told = {
        "Deal": str(ticket), "ExternalID": "", "Login": "764636", "Dealer": "0",
        "Order": "12832918", "Action": "1", "Entry": "1", "Reason": "0", "Digits": "5",
        "DigitsCurrency": "2", "ContractSize": "100000.00", "Time": "1572522388",
        "TimeMsc": "1572522388456", "Symbol": "EURGBP", "Price": "0.85000",
        "PriceSL": "0.00000", "PriceTP": "0.00000", "PricePosition": "0.85110",
        "Volume": "1000", "VolumeExt": "10000000", "VolumeClosed": "1000",
        "VolumeClosedExt": "10000000", "Profit": "-14.07", "ProfitRaw": "-11.00",
        "Storage": "0.00", "Commission": "-0.35", "RateProfit": "1.27886000",
        "ExpertID": "0", "PositionID": "12832917", "Comment": "", "PriceGateway": "0.00000",
        "ModificationFlags": "0", "MarketBid": "0.84999", "MarketAsk": "0.85001", "ApiData": [],
    }  # fmt: skip
    return told | fields
