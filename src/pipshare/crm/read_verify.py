"""How an endpoint proves its requests, read from JSON and checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from pipshare.crm.kinds import close_to
from pipshare.crm.verify import (
    ADDRESS,
    BASE64,
    BASIC,
    BEARER,
    HEX,
    HMAC,
    METHODS,
    SHA256,
    SHA512,
    Proof,
    Verification,
)
from pipshare.errors import BadInput

# What each method may say beside its name.
KEYS: dict[str, tuple[str, ...]] = {
    HMAC: ("header", "encoding", "digest", "prefix"),
    BASIC: ("user",),
    BEARER: ("header",),
    ADDRESS: ("networks",),
}
MOST_NETWORKS = 200
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-]{0,63}")


def read_verification(told: Any) -> Verification:
    """Check a list of proofs that was read from JSON (or its text). Raises BadInput."""
    if isinstance(told, str):
        try:
            told = json.loads(told)
        except (ValueError, RecursionError) as error:
            raise BadInput("bad_verification", f"not valid JSON: {error}") from None
    if not isinstance(told, list) or not told:
        raise _fault('write a list of proofs, such as [{"method": "standard-webhooks"}]')
    proofs = tuple(_proof(one) for one in told)
    methods = [one.method for one in proofs]
    if len(set(methods)) < len(methods):
        raise _fault("one method stands there twice; secrets are rotated beside this, not by it")
    if sum(method != ADDRESS for method in methods) > 1:
        raise _fault("one method with a secret, and beside it an address list, is all there can be")
    return Verification(proofs)


def _proof(told: Any) -> Proof:
    if not isinstance(told, dict):
        raise _fault('a proof is an object such as {"method": "bearer"}')
    method = told.get("method")
    if method not in METHODS:
        raise _fault(f"method {method!r} is unknown{close_to(str(method), list(METHODS))}")
    allowed = ("method", *KEYS.get(method, ()))
    for key in told:
        if key not in allowed:
            raise _fault(f"method {method}: no such key {key!r}{close_to(key, list(allowed))}")
    header = _text(told, "header", "")
    if method == HMAC and not header:
        raise _fault("method hmac: name the header that holds the signature")
    if header and not _HEADER.fullmatch(header):
        raise _fault(f"{header[:60]!r} is no name of a header")
    user = _text(told, "user", "")
    if method == BASIC and (not user or ":" in user):
        raise _fault("method basic: name the user, without a colon; the secret is the password")
    return Proof(
        method=str(method),
        header=header,
        encoding=_among(told, "encoding", (HEX, BASE64)),
        digest=_among(told, "digest", (SHA256, SHA512)),
        prefix=_text(told, "prefix", ""),
        user=user,
        networks=_networks(told.get("networks", [])) if method == ADDRESS else (),
    )


def _networks(told: Any) -> tuple[IPv4Network | IPv6Network, ...]:
    if not isinstance(told, list) or not 0 < len(told) <= MOST_NETWORKS:
        raise _fault(f"method address: write a list of 1 to {MOST_NETWORKS} networks")
    found = []
    for one in told:
        try:
            found.append(ip_network(str(one)))
        except ValueError:
            raise _fault(
                f"{str(one)[:60]!r} is no address or network such as 203.0.113.0/24"
            ) from None
    return tuple(found)


def _text(told: Mapping[str, Any], key: str, default: str) -> str:
    value = told.get(key, default)
    if not isinstance(value, str) or not value.isascii() or len(value) > 100:
        raise _fault(f"key {key}: write a short text")
    return value


def _among(told: Mapping[str, Any], key: str, allowed: tuple[str, str]) -> str:
    value = told.get(key, allowed[0])
    if value not in allowed:
        raise _fault(f"key {key}: {value!r} is neither {allowed[0]} nor {allowed[1]}")
    return str(value)


def _fault(what: str) -> BadInput:
    return BadInput("bad_verification", f"verification: {what}")
