"""MetaQuotes' challenge and answer: both sides prove that they know the password, unsent.

    H = MD5( MD5(password in UTF-16LE) + "WebAPI" )
    answer to a challenge = MD5( H + challenge )

Raw digests and raw challenges, never their hexadecimal text. Source: MetaQuotes' Web API
documentation (authentication), whose printed vectors are in the tests. The digest is theirs; what
protects the exchange is the TLS connection around it.
"""

from __future__ import annotations

import hmac
from hashlib import md5

# A client tells the version it was written for; the documentation asks for 484 or later.
VERSION = "1290"
CHALLENGE_BYTES = 16


def password_key(password: str) -> bytes:
    """Return H, the 16 bytes that stand for a password."""
    inner = md5(password.encode("utf-16-le"), usedforsecurity=False).digest()
    return md5(inner + b"WebAPI", usedforsecurity=False).digest()


def proof(key: bytes, challenge: bytes) -> str:
    """Return the answer to a challenge, as 32 hexadecimal digits."""
    return md5(key + challenge, usedforsecurity=False).hexdigest()


def proves(key: bytes, challenge: bytes, told: str) -> bool:
    """Tell whether `told` is the answer to our challenge, however its digits are written."""
    return hmac.compare_digest(proof(key, challenge).encode(), told.strip().lower().encode())
