"""The TLS side: which certificate is trusted, and what the one that a server shows says."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

from cryptography import x509

from pipshare.sources.mt5_web.config import Config
from pipshare.sources.mt5_web.errors import WrongCertificate

_LOOK_S = 5  # seconds for a second look at a certificate that was not accepted
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_NOT_YET = 9
_OTHER_NAME = (62, 64)  # hostname mismatch, IP address mismatch


@dataclass(frozen=True)
class Certificate:
    """What the server showed: sha256 of the whole certificate, its subject, when it ends (UTC)."""

    fingerprint: str
    subject: str
    ends_ms: int


def context(config: Config) -> ssl.SSLContext:
    """Return how to connect. Raises WrongCertificate when ca_file holds no certificate."""
    if config.fingerprint:
        # The certificate is compared as a whole after the TLS handshake, before a word is said.
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        return made
    try:
        return ssl.create_default_context(cafile=str(config.ca_file) if config.ca_file else None)
    except (ssl.SSLError, OSError) as error:
        raise WrongCertificate(
            f"{config.ca_file} holds no certificate in PEM form ({error}): export it as Base-64 "
            "(.pem, .crt)"
        ) from error


def seen(der: bytes) -> Certificate:
    """Read a certificate in DER form; what cannot be read of it is empty."""
    fingerprint = sha256(der).hexdigest()
    try:
        read = x509.load_der_x509_certificate(der)
        ends = int(read.not_valid_after_utc.timestamp()) * 1000
        return Certificate(fingerprint, read.subject.rfc4514_string(), ends)
    except ValueError:
        return Certificate(fingerprint, "", 0)


def check_pin(config: Config, shown: Certificate) -> None:
    """Raise WrongCertificate when another certificate is pinned than the one shown.

    The pin says "this very certificate", so its dates and its name are not judged.
    """
    if config.fingerprint and shown.fingerprint != config.fingerprint:
        raise WrongCertificate(
            f"{config.host}:{config.port} shows another certificate (sha256 {shown.fingerprint}, "
            f"{shown.subject}) than the pinned one ({config.fingerprint}). If its administrator "
            "has renewed it, set the new fingerprint; if not, somebody is in between"
        )


def explained(config: Config, error: ssl.SSLCertVerificationError) -> WrongCertificate:
    """Say why a certificate was not accepted and what to do."""
    where = f"the certificate of {config.host}:{config.port}"
    pin = _fingerprint_hint(config)
    if error.verify_code == _EXPIRED:
        return WrongCertificate(f"{where} has expired: install a new one on the access server{pin}")
    if error.verify_code == _NOT_YET:
        return WrongCertificate(f"{where} is not valid yet: compare the clocks of both machines")
    if error.verify_code in _OTHER_NAME:
        return WrongCertificate(
            f"{where} is for another name: use the name it is made for in url{pin}"
        )
    return WrongCertificate(
        f"{where} is signed by nobody this machine trusts ({error.verify_message}): give the "
        f"certificate that signed it as ca_file{pin}"
    )


def _fingerprint_hint(config: Config) -> str:
    """Look at the certificate once more, unchecked, only to print its fingerprint."""
    look = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    look.check_hostname = False
    look.verify_mode = ssl.CERT_NONE
    with (
        suppress(OSError),
        socket.create_connection((config.host, config.port), timeout=_LOOK_S) as plain,
        look.wrap_socket(plain, server_hostname=config.host) as wrapped,
    ):
        der = wrapped.getpeercert(binary_form=True)
        if der:
            return (f", or, if its administrator confirms that sha256 {sha256(der).hexdigest()} is "
                    "theirs, set that as fingerprint")  # fmt: skip
    return ", or pin it by its sha256 fingerprint"
