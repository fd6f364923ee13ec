"""The sandbox's own certificate: self-signed, made once per folder; and bad ones for the tests."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 825
NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key on disk; the certificate is its own authority (--cacert)."""

    file: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate (DER), 64 hex digits."""
        der = ssl.PEM_cert_to_DER_cert(self.file.read_text(encoding="ascii"))
        return hashlib.sha256(der).hexdigest()

    def context(self) -> ssl.SSLContext:
        """Return a server's TLS context: 1.2 or newer."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.file, self.key)
        return context


def keep(folder: Path, host: str = "127.0.0.1") -> Certificate:
    """Return the folder's certificate; made when there is none, or it ends within a month."""
    found = Certificate(folder / "certificate.pem", folder / "key.pem")
    if found.file.exists() and found.key.exists():
        held = x509.load_pem_x509_certificate(found.file.read_bytes())
        if held.not_valid_after_utc > datetime.now(UTC) + timedelta(days=30):
            return found
    now = datetime.now(UTC)
    return _make(found, (host, *NAMES), now - timedelta(days=1), now + timedelta(days=DAYS))


def bad(folder: Path, kind: str) -> Certificate:
    """Return a certificate to be refused: "other" (unknown), "expired", "name" (another host)."""
    found = Certificate(folder / f"certificate-{kind}.pem", folder / f"key-{kind}.pem")
    if found.file.exists():
        return found
    now = datetime.now(UTC)
    start, end = now - timedelta(days=1), now + timedelta(days=DAYS)
    names: tuple[str, ...] = NAMES
    if kind == "expired":
        start, end = now - timedelta(days=400), now - timedelta(days=2)
    elif kind == "name":
        names = ("somebody-else.example",)
    return _make(found, names, start, end)


def _make(to: Certificate, names: tuple[str, ...], start: datetime, end: datetime) -> Certificate:
    to.file.parent.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pipshare sandbox MT5")])
    identity = x509.SubjectKeyIdentifier.from_public_key(public)
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "crl_sign", "encipher_only", "decipher_only"), False)  # fmt: skip
    made = (
        x509.CertificateBuilder(who, who, public, x509.random_serial_number(), start, end)
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identity, critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(to.key, secret, 0o600)
    _write(to.file, made.public_bytes(serialization.Encoding.PEM), 0o644)
    return to


def _alternatives(names: tuple[str, ...]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in dict.fromkeys(names):
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _write(path: Path, content: bytes, mode: int) -> None:
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    beside.replace(path)
