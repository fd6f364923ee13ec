"""Seals the second factors' secrets anew, after the first encryption key has changed."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pipshare import db

_SEALED = ("secret", "seed")  # an authenticator's secret; what recovery codes are made from
_ALL = "SELECT id, data FROM mfa_authenticator ORDER BY id FOR UPDATE"
_STORE = "UPDATE mfa_authenticator SET data = %s WHERE id = %s"


def rekey(conn: psycopg.Connection[Any]) -> int:
    """Seal every secret with the first key; returns how many changed. Raises as db.unseal does."""
    changed = 0
    for number, data in conn.execute(_ALL).fetchall():
        anew = {key: db.reseal(data[key].encode()) for key in _SEALED if data.get(key)}
        fresh = {key: sealed.decode("ascii") for key, sealed in anew.items() if sealed is not None}
        if fresh:
            conn.execute(_STORE, (Jsonb({**data, **fresh}), number))
            changed += 1
    return changed
