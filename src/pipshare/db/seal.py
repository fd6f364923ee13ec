"""Seals secrets for the database: what is stored can be opened only with keys kept outside it.

Keys come from PIPSHARE_ENCRYPTION_KEYS or its file, else one is made in the data folder. The first
key seals, every key opens what it sealed: to change keys, put the new one first, run
`pipshare source rekey`, then take the old one away.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

from pipshare.db import connection
from pipshare.errors import BadInput, Missing

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_PURPOSE = b"pipshare seal 1\0"


def seal(text: str) -> bytes:
    """Encrypt `text` with the first key. The result is ASCII: the key's id, a colon, a token."""
    name, token_key = next(iter(_keys().items()))
    return name.encode() + b":" + _fernet(token_key).encrypt(text.encode())


def unseal(sealed: bytes) -> str:
    """Return the text of `sealed`. Raises Missing when its key is gone, BadInput when altered."""
    from cryptography.fernet import InvalidToken

    name, _, token = bytes(sealed).partition(b":")
    keys = _keys()
    key = keys.get(name.decode("ascii", "replace"))
    if key is None:
        raise Missing(
            "no_key",
            f"a stored secret was sealed with the key {name.decode('ascii', 'replace')[:16]!r}, and"
            f" the keys here are {', '.join(keys)}: put that key back into PIPSHARE_ENCRYPTION_KEYS"
            " (or its file), or enter the secret anew",
        )
    try:
        return _fernet(key).decrypt(token).decode()
    except InvalidToken:
        raise BadInput(
            "broken_secret", "a stored secret was altered and cannot be opened: enter it anew"
        ) from None


def reseal(sealed: bytes) -> bytes | None:
    """Return the secret sealed with the first key; None when it is so already."""
    first = next(iter(_keys()))
    return None if bytes(sealed).startswith(first.encode() + b":") else seal(unseal(sealed))


def _keys() -> dict[str, bytes]:
    """Return the Fernet keys by id, in order. A file is read anew: no restart to change keys."""
    settings = connection.settings()
    try:
        texts = settings.encryption_keys(settings.ENV)
    except ImproperlyConfigured as error:
        raise BadInput("bad_settings", str(error)) from None
    made = [hashlib.sha256(_PURPOSE + text.encode()).digest() for text in texts]
    # An id tells keys apart and nothing of the key: a digest of what was derived from it.
    return {hashlib.sha256(raw).hexdigest()[:8]: base64.urlsafe_b64encode(raw) for raw in made}


def _fernet(key: bytes) -> Fernet:
    from cryptography.fernet import Fernet  # here: it takes a while to import

    return Fernet(key)
