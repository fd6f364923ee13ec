"""Secrets of endpoints: sealed, several of them valid while one is being replaced by another."""

from __future__ import annotations

import base64
import os
from functools import lru_cache
from typing import Any

import psycopg

from pipshare import audit, db
from pipshare.inbox.endpoints import Endpoint

ROTATION_H = 24  # the old secret is valid for so long beside the new one
_END = """
UPDATE inbox_endpoint_secret SET expires_at = now() + %s * interval '1 hour'
 WHERE endpoint_id = %s AND expires_at IS NULL"""
_ADD = "INSERT INTO inbox_endpoint_secret (endpoint_id, sealed, made_by) VALUES (%s, %s, %s)"
_VALID = """
SELECT sealed FROM inbox_endpoint_secret
 WHERE endpoint_id = %s AND sealed <> '' AND (expires_at IS NULL OR expires_at > now())
 ORDER BY id DESC"""
_SEALED = "SELECT id, sealed FROM inbox_endpoint_secret WHERE sealed <> '' ORDER BY id FOR UPDATE"


def new_endpoint_secret() -> str:
    """Return a secret in the form of Standard Webhooks, which serves every other method as well."""
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


def set_endpoint_secret(
    conn: psycopg.Connection[Any], one: Endpoint, secret: str, *, by: str,
    overlap_h: int = ROTATION_H,
) -> None:  # fmt: skip
    """Give an endpoint a secret in the caller's transaction; the one before holds `overlap_h` on.

    0 ends it at once: it has leaked.
    """
    conn.execute(_END, (overlap_h, one.id))
    conn.execute(_ADD, (one.id, db.seal(secret), by))
    audit.record(conn, by, "endpoint.secret_set", one.code, detail={"overlap_h": overlap_h})


def endpoint_secrets(conn: psycopg.Connection[Any], endpoint_id: int) -> list[str]:
    """Return the secrets that are valid now, the newest first. Raises as db.unseal does."""
    rows = conn.execute(_VALID, (endpoint_id,)).fetchall()
    return [_opened(bytes(sealed)) for (sealed,) in rows]


def rekey_endpoints(conn: psycopg.Connection[Any]) -> int:
    """Seal all secrets with the first key; returns how many were not."""
    changed = 0
    for number, sealed in conn.execute(_SEALED).fetchall():
        anew = db.reseal(sealed)
        if anew is not None:
            conn.execute(
                "UPDATE inbox_endpoint_secret SET sealed = %s WHERE id = %s", (anew, number)
            )
            changed += 1
    return changed


@lru_cache(maxsize=256)
def _opened(sealed: bytes) -> str:
    return db.unseal(sealed)
