"""Whether a request is from whom it says: signatures, passwords, tokens, addresses.

Pure: the request, the secrets that hold now and the clock are handed in. A Verification is several
proofs, all of which must hold. Comparisons take the same time whatever is wrong. Answers never name
a secret, nor what the right signature would have been.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import unquote

from pipshare.errors import BadInput

TOLERANCE_S = 5 * 60
SHORTEST = 24  # bytes of a secret of Standard Webhooks
STANDARD, HMAC, HUBSPOT, BASIC, BEARER, ADDRESS = METHODS = (
    "standard-webhooks", "hmac", "hubspot-v3", "basic", "bearer", "address",
)  # fmt: skip
SHA256, SHA512 = "sha256", "sha512"
HEX, BASE64 = "hex", "base64"
_ID = re.compile(r"[\x21-\x7e]{1,200}")
_SECONDS = re.compile(r"[0-9]{1,12}")
_MILLIS = re.compile(r"[0-9]{1,15}")
# HubSpot decodes these in the address before it signs; everything else stays as it was sent.
_DECODED = re.compile(r"%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """A request as it came. `url` is the address that the sender called, with scheme and query.

    Header names are looked up whatever their case; `address` is the sender's, "" if not known.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    address: str = ""

    def header(self, name: str) -> str:
        """Return a header's value, "" when it is not there."""
        wanted = name.lower()
        found = self.headers.get(wanted)  # in small letters, where many come
        if found is not None:
            return found
        return next((v for n, v in self.headers.items() if n.lower() == wanted), "")


@dataclass(frozen=True)
class Accepted:
    """The request is proven. `delivery` is its signed id, by which a repeat is known; "" = none."""

    delivery: str = ""


@dataclass(frozen=True)
class Refused:
    """The request is not proven: a code for programs and a sentence for the sender."""

    code: str
    sentence: str


Verdict = Accepted | Refused
_WRONG = Refused("wrong_signature", "no signature of this request fits a secret that holds: check"
                 " the secret, and that the body is signed byte by byte as it is sent")  # fmt: skip


@dataclass(frozen=True)
class Proof:
    """One way to prove a request. Which of the others count is the method's matter.

    hmac: `header`, `encoding`, `digest`, `prefix`; basic: `user`; bearer: `header` ("" =
    Authorization); address: `networks`.
    """

    method: str
    header: str = ""
    encoding: str = HEX
    digest: str = SHA256
    prefix: str = ""
    user: str = ""
    networks: tuple[IPv4Network | IPv6Network, ...] = ()


@dataclass(frozen=True)
class Verification:
    """How requests of one endpoint are proven; each of `proofs` must hold."""

    proofs: tuple[Proof, ...]

    @property
    def needs_secret(self) -> bool:
        """Tell whether it is proven by a secret, too."""
        return any(one.method != ADDRESS for one in self.proofs)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> Verdict:
        """Return the verdict. `secrets` are those that hold: several while they are rotated."""
        if self.needs_secret and not any(secrets):
            return Refused("no_secret", "this endpoint has no secret yet: give it one")
        delivery = ""
        for proof in self.proofs:
            verdict = _CHECKS[proof.method](proof, request, [s for s in secrets if s], now)
            if isinstance(verdict, Refused):
                return verdict
            delivery = delivery or verdict.delivery
        return Accepted(delivery)


def _standard(proof: Proof, request: Request, secrets: Sequence[str], now: datetime) -> Verdict:
    id_, sent, signed = (request.header(f"webhook-{name}") for name in
                         ("id", "timestamp", "signature"))  # fmt: skip
    if not (id_ and sent and signed):
        return Refused("missing_header", "Standard Webhooks sends the headers webhook-id,"
                       " webhook-timestamp and webhook-signature; one is missing")  # fmt: skip
    if not _ID.fullmatch(id_):
        return Refused("bad_header", "webhook-id has a blank or another odd character in it")
    if not _SECONDS.fullmatch(sent):
        return Refused("bad_timestamp", "webhook-timestamp is not in seconds since 1970")
    if (stale := _stale(int(sent), now)) is not None:
        return stale
    given = [part.partition(",")[2] for part in signed.split(" ") if part.startswith("v1,")]
    # Byte by byte, where the public library would have text: a line that is not UTF-8 is a problem
    # of that line, and not of who sent the others.
    told = f"{id_}.{int(sent)}.".encode() + request.body
    keys = [key for secret in secrets if (key := _key(secret))]
    right = [hmac.digest(key, told, hashlib.sha256) for key in keys]
    return Accepted(id_) if _fits(right, [_raw(one, BASE64) for one in given]) else _WRONG


def check_secret(verification: Verification, secret: str) -> None:
    """Raise BadInput when a secret cannot serve an endpoint: too short, or of another form."""
    if not verification.needs_secret:
        raise BadInput("bad_secret", "this endpoint is proven by addresses alone, without a secret")
    if any(one.method == STANDARD for one in verification.proofs):
        key = _key(secret)
        if len(key) < SHORTEST:
            raise BadInput("bad_secret", "a secret of Standard Webhooks is whsec_ and base64 of 24"
                                         " bytes or more")  # fmt: skip
    elif len(secret) < SHORTEST // 2 or secret != secret.strip():
        raise BadInput("bad_secret", f"a secret has {SHORTEST // 2} characters or more, and no"
                                     " blank at its ends")  # fmt: skip


def _key(secret: str) -> bytes:
    """Return the bytes of a secret of Standard Webhooks, b"" for what is none."""
    return _raw(secret.removeprefix("whsec_"), BASE64)


def _hmac(proof: Proof, request: Request, secrets: Sequence[str], now: datetime) -> Verdict:
    sent = request.header(proof.header).strip()
    if not sent:
        return Refused("missing_header", f"the header {proof.header} with the signature is missing")
    if not sent.startswith(proof.prefix):
        return Refused("bad_header", f"the header {proof.header} does not begin with"
                                     f" {proof.prefix}")  # fmt: skip
    given = _raw(sent.removeprefix(proof.prefix), proof.encoding)
    right = [hmac.digest(secret.encode(), request.body, proof.digest) for secret in secrets]
    return Accepted() if _fits(right, [given]) else _WRONG


def _hubspot(proof: Proof, request: Request, secrets: Sequence[str], now: datetime) -> Verdict:
    sent = request.header("X-HubSpot-Request-Timestamp").strip()
    signed = request.header("X-HubSpot-Signature-v3").strip()
    if not (sent and signed):
        return Refused("missing_header", "HubSpot sends the headers X-HubSpot-Signature-v3 and"
                       " X-HubSpot-Request-Timestamp; one is missing")  # fmt: skip
    if not _MILLIS.fullmatch(sent):
        return Refused("bad_timestamp", "X-HubSpot-Request-Timestamp is not in milliseconds since"
                                        " 1970")  # fmt: skip
    if (stale := _stale(int(sent) // 1000, now)) is not None:
        return stale
    url = _DECODED.sub(lambda found: unquote(found[0]), request.url)
    told = f"{request.method.upper()}{url}".encode() + request.body + sent.encode()
    right = [hmac.digest(secret.encode(), told, hashlib.sha256) for secret in secrets]
    return Accepted() if _fits(right, [_raw(signed, BASE64)]) else _WRONG


def _basic(proof: Proof, request: Request, secrets: Sequence[str], now: datetime) -> Verdict:
    scheme, _, sent = request.header("Authorization").strip().partition(" ")
    if scheme.lower() != "basic":
        return Refused("missing_header", "send Authorization: Basic with user and password")
    right = [f"{proof.user}:{secret}".encode() for secret in secrets]
    if _fits(right, [_raw(sent.strip(), BASE64)]):
        return Accepted()
    return Refused("wrong_password", "user or password is wrong")


def _bearer(proof: Proof, request: Request, secrets: Sequence[str], now: datetime) -> Verdict:
    sent = request.header(proof.header or "Authorization").strip()
    if not proof.header:
        scheme, _, sent = sent.partition(" ")
        sent = sent.strip() if scheme.lower() == "bearer" else ""
    if not sent:
        where = proof.header or "Authorization: Bearer"
        return Refused("missing_header", f"send the token in {where}")
    given = sent.encode("utf-8", "replace")
    if _fits([secret.encode() for secret in secrets], [given]):
        return Accepted()
    return Refused("wrong_token", "the token is wrong, or does not hold any more")


def _address(proof: Proof, request: Request, secrets: Sequence[str], now: datetime) -> Verdict:
    try:
        sender = ip_address(request.address.partition("%")[0])
    except ValueError:
        return Refused("unknown_address", "nothing says from which address the request came")
    sender = getattr(sender, "ipv4_mapped", None) or sender
    if any(sender.version == net.version and sender in net for net in proof.networks):
        return Accepted()
    return Refused("wrong_address", f"requests from {sender} are not taken here")


_CHECKS = {STANDARD: _standard, HMAC: _hmac, HUBSPOT: _hubspot, BASIC: _basic, BEARER: _bearer,
           ADDRESS: _address}  # fmt: skip


def _stale(sent_s: int, now: datetime) -> Refused | None:
    age = now.timestamp() - sent_s
    if abs(age) <= TOLERANCE_S:
        return None
    way = "old" if age > 0 else "ahead"
    return Refused("stale", f"the request is {abs(int(age))} seconds {way}; at most {TOLERANCE_S}:"
                            " sign it anew when you repeat it, and check the clock")  # fmt: skip


def _fits(right: Sequence[bytes], given: Sequence[bytes]) -> bool:
    """Compare each with each, without stopping at the first that fits."""
    found = False
    for one in right:
        for other in given:
            found |= hmac.compare_digest(one, other)
    return found


def _raw(text: str, encoding: str) -> bytes:
    """Return the bytes behind a written signature; b"" for what is not written so."""
    try:
        if encoding == HEX:
            return bytes.fromhex(text) if not re.search(r"\s", text) else b""
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""
