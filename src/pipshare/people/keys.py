"""API keys: made once and shown once, bound to what they may do, revoked for good."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from pipshare import audit
from pipshare.errors import BadInput, Conflict, Missing

SCOPES = {
    "trades:write": "push closed trades of one server",
    "events:write": "push events of clients: deposits, reversals, KYC and the like",
    "trades:read": "read trades, with revisions and what they wait for",
    "partners:read": "read partners and the tree",
    "statements:read": "read statements",
    "explain:read": "read why a trade earned what it did",
}
PROVENANCES = ("operator", "client")
_PREFIX = "pips_"  # lets scanners of leaked secrets know it
_NOTED_S = 60  # a key's last use is noted at most so often
_ADD = """
INSERT INTO people_api_key (name, digest, scopes, server, provenance, partner, created_by)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (name) DO NOTHING RETURNING id"""
_FIND = """
SELECT id, name, scopes, server, provenance, partner, created_at, created_by, used_at, revoked_at
  FROM people_api_key"""
_USED = f"""
UPDATE people_api_key SET used_at = now()
 WHERE id = %s AND (used_at IS NULL OR used_at < now() - interval '{_NOTED_S} s')"""


@dataclass(frozen=True)
class Key:
    """A key as it is set up. `server` is where its pushes belong, `partner` limits what it sees."""

    id: int
    name: str
    scopes: list[str]
    server: str
    provenance: str
    partner: str
    created_at: datetime
    created_by: str
    used_at: datetime | None
    revoked_at: datetime | None


def add_key(
    conn: psycopg.Connection[Any],
    name: str,
    scopes: Sequence[str],
    *,
    by: str,
    server: str = "",
    provenance: str = "client",
    partner: str = "",
) -> str:
    """Make a key and return it: the only time that it can be seen.

    Raises BadInput for an unknown scope, or for pushing without a server; Conflict for a name that
    is taken.
    """
    unknown = [one for one in scopes if one not in SCOPES]
    if unknown or not scopes:
        raise BadInput("bad_scope", f"{', '.join(unknown) or 'no scope'}: there are"
                                    f" {', '.join(SCOPES)}")  # fmt: skip
    if provenance not in PROVENANCES:
        raise BadInput("bad_provenance", f"{provenance!r} is none of {', '.join(PROVENANCES)}")
    if ("trades:write" in scopes) != bool(server):
        raise BadInput(
            "no_server",
            "a key that pushes trades is bound to one server, and only such a key is:"
            " --server NAME goes with --scope trades:write",
        )
    if partner and {"trades:write", "events:write"} & set(scopes):
        raise BadInput("partner_pushes", "a partner's key reads his own subtree; trades and events"
                                         " are pushed with a key of the broker")  # fmt: skip
    secret = _PREFIX + secrets.token_urlsafe(32)
    row = conn.execute(
        _ADD, (name, _digest(secret), list(scopes), server, provenance, partner, by)
    ).fetchone()
    if row is None:
        raise Conflict("key_name", f"there is a key named {name!r} already: choose another name")
    told = {"scopes": list(scopes), "server": server, "provenance": provenance, "partner": partner}
    audit.record(conn, by, "key.added", name, detail=told)
    return secret


def find_key(conn: psycopg.Connection[Any], secret: str) -> Key | None:
    """Return the key that a caller shows; None when it is unknown or revoked."""
    row = conn.execute(
        _FIND + " WHERE digest = %s AND revoked_at IS NULL", (_digest(secret),)
    ).fetchone()
    return Key(*row) if row else None


def note_use(conn: psycopg.Connection[Any], key: Key) -> None:
    """Note that a key was used, once a minute at most."""
    conn.execute(_USED, (key.id,))


def keys(conn: psycopg.Connection[Any]) -> list[Key]:
    """Return all keys, revoked ones too, by name."""
    return [Key(*row) for row in conn.execute(_FIND + " ORDER BY name")]


def revoke_key(conn: psycopg.Connection[Any], name: str, *, by: str) -> None:
    """Revoke a key from now on. Raises Missing when none of this name is in use."""
    row = conn.execute(
        "UPDATE people_api_key SET revoked_at = now() WHERE name = %s AND revoked_at IS NULL"
        " RETURNING id", (name,),
    ).fetchone()  # fmt: skip
    if row is None:
        raise Missing("no_key", f"no key named {name!r} is in use: see `pipshare key list`")
    audit.record(conn, by, "key.revoked", name)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
