"""Sources set up: which server each feeds, how it is reached, and whether it works or rests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pipshare import audit, db
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.inbox.endpoint_secrets import rekey_endpoints
from pipshare.inbox.trackers import rekey_trackers

ACTIVE, PAUSED, REMOVED = "active", "paused", "removed"
_CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_SOURCES = """
SELECT id, code, server_id, kind, settings, state FROM inbox_source
 WHERE state <> 'removed' ORDER BY code"""
_ADD = """
INSERT INTO inbox_source (code, server_id, kind, settings, secret, created_by)
VALUES (%(code)s, %(server)s, %(kind)s, %(settings)s, %(secret)s, %(by)s)
ON CONFLICT DO NOTHING RETURNING id"""
_STATE = "UPDATE inbox_source SET state = %(state)s WHERE id = %(id)s"
_FORGET = "UPDATE inbox_source SET state = 'removed', secret = NULL WHERE id = %(id)s"
_SEALED = "SELECT id, secret FROM inbox_source WHERE secret IS NOT NULL ORDER BY id FOR UPDATE"


@dataclass(frozen=True)
class Source:
    """A source as it is set up. `settings` are texts in the words of its kind; no secrets."""

    id: int
    code: str
    server_id: int
    kind: str
    settings: dict[str, str]
    state: str = ACTIVE


def add_source(
    conn: psycopg.Connection[Any],
    code: str,
    server_id: int,
    kind: str,
    settings: Mapping[str, str],
    *,
    secret: str | None = None,
    by: str,
) -> Source:
    """Set up a source in the caller's transaction; it is active at once.

    `secret` is sealed before it is stored. Raises BadInput for a code that is none, Conflict when
    the code is taken.
    """
    if not _CODE.fullmatch(code):
        raise BadInput(
            "bad_code",
            f"{code!r} cannot name a source: use small letters, digits, '-', '_' and '.', at most"
            " 63, beginning with a letter or digit",
        )
    sealed = None if secret is None else db.seal(secret)
    told = {"code": code, "server": server_id, "kind": kind, "settings": Jsonb(dict(settings)),
            "secret": sealed, "by": by}  # fmt: skip
    row = conn.execute(_ADD, told).fetchone()
    if row is None:
        raise Conflict("source_exists", f"there is a source {code!r} already: choose another --code"
                       " or remove that one")  # fmt: skip
    conn.execute("INSERT INTO inbox_source_status (source_id) VALUES (%s)", (row[0],))
    audit.record(conn, by, "source.added", code, detail={"kind": kind, "settings": dict(settings)})
    return Source(row[0], code, server_id, kind, dict(settings))


def sources(conn: psycopg.Connection[Any]) -> list[Source]:
    """Return all sources that are not removed, by code."""
    return [Source(*row) for row in conn.execute(_SOURCES).fetchall()]


def source(conn: psycopg.Connection[Any], code: str) -> Source:
    """Return one source by its code. Raises Missing with what there is."""
    found = {one.code: one for one in sources(conn)}
    if code in found:
        return found[code]
    if not found:
        hint = "there is none: set one up with `pipshare source add`"
    elif close := get_close_matches(code, found, 1):
        hint = f"did you mean {close[0]}?"
    else:
        hint = f"there are: {', '.join(list(found)[:20])}"
    raise Missing("unknown_source", f"there is no source {code!r} ({hint})")


def set_state(
    conn: psycopg.Connection[Any], one: Source, state: str, *, by: str, reason: str = ""
) -> None:
    """Make a source active or paused, or remove it, in the caller's transaction.

    A removed one is gone for everybody; its secret is forgotten, its row stays, as what it brought
    names it.
    """
    conn.execute(_FORGET if state == REMOVED else _STATE, {"id": one.id, "state": state})
    audit.record(conn, by, f"source.{state}", one.code, reason)


def set_secret(conn: psycopg.Connection[Any], one: Source, secret: str, *, by: str) -> None:
    """Replace a source's secret in the caller's transaction."""
    sealed = db.seal(secret)
    conn.execute("UPDATE inbox_source SET secret = %s WHERE id = %s", (sealed, one.id))
    audit.record(conn, by, "source.secret_changed", one.code)


def secret_of(conn: psycopg.Connection[Any], one: Source) -> str:
    """Return a source's secret. Raises Missing when it has none or its key is gone."""
    row = conn.execute("SELECT secret FROM inbox_source WHERE id = %s", (one.id,)).fetchone()
    if row is None or row[0] is None:
        raise Missing("no_secret", f"source {one.code} has no password: add it anew with one")
    return db.unseal(row[0])


def rekey(conn: psycopg.Connection[Any]) -> int:
    """Seal all secrets with the first key, in the caller's transaction; returns how many were not.

    Raises Missing, and nothing is changed, when the key of one of them is gone.
    """
    changed = 0
    for source_id, sealed in conn.execute(_SEALED).fetchall():
        anew = db.reseal(sealed)
        if anew is not None:
            conn.execute("UPDATE inbox_source SET secret = %s WHERE id = %s", (anew, source_id))
            changed += 1
    return changed + rekey_trackers(conn) + rekey_endpoints(conn)


def taken_in(conn: psycopg.Connection[Any], server_id: int) -> bool:
    """Tell whether anything of a server was taken in, from whatever source."""
    query = "SELECT EXISTS (SELECT FROM inbox_batch WHERE server_id = %s)"
    row = conn.execute(query, (server_id,)).fetchone()
    return bool(row and row[0])
