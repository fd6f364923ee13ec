"""Standard Webhooks as its specification has it, verified by arithmetic of its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence

TOLERANCE_S = 300


def verify(
    secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now_s: float
) -> tuple[bool, str]:
    """Return whether a webhook is signed with one of the secrets, and if not, why.

    `secrets` are base64 behind whsec_; `headers` have lower-case names.
    """
    name, at, given = (
        headers.get(f"webhook-{one}", "") for one in ("id", "timestamp", "signature")
    )
    if not (name and at and given):
        return False, "webhook-id, webhook-timestamp or webhook-signature is missing"
    if not at.isdecimal() or abs(now_s - int(at)) > TOLERANCE_S:
        return False, f"webhook-timestamp {at} is further than {TOLERANCE_S} s from now"
    signed = f"{name}.{at}.".encode() + body
    signatures = [one.partition(",")[2] for one in given.split() if one.startswith("v1,")]
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        if any(hmac.compare_digest(right, one) for one in signatures):
            return True, ""
    return False, "no signature fits any of the secrets"
