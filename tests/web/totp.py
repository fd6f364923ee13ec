"""A calculator of one-time codes that shares nothing with the one under test."""

from __future__ import annotations

import base64
import hmac
import struct


def totp(secret: str, at: float) -> str:
    """The code of RFC 6238, written from the RFC: HMAC-SHA1, 30 seconds, six digits."""
    counter = struct.pack(">Q", int(at) // 30)
    mac = hmac.digest(base64.b32decode(secret), counter, "sha1")
    start = mac[-1] & 15
    number = struct.unpack(">I", mac[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"
