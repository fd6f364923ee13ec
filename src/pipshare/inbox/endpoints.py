"""Endpoints: connections to CRMs, with how senders prove themselves and which mapping holds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import psycopg
from psycopg.types.json import Json, Jsonb

from pipshare import audit, db
from pipshare.errors import BadInput, Conflict, Missing

ACTIVE, PAUSED, REMOVED = "active", "paused", "removed"
WEBHOOK = "webhook"
_CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_FIND = """
SELECT p.id, p.entity_id, e.code, p.code, p.kind, p.preset, p.settings, p.verify, p.state
  FROM inbox_endpoint p JOIN market_entity e ON e.id = p.entity_id"""
_ADD = """
INSERT INTO inbox_endpoint (entity_id, code, kind, preset, settings, verify, created_by)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (code) DO NOTHING RETURNING id"""
_CHANGE = "UPDATE inbox_endpoint SET settings = %s, verify = %s WHERE id = %s"
_PUBLISH = """
INSERT INTO inbox_endpoint_mapping (endpoint_id, version, mapping, note, published_by)
SELECT %(id)s, coalesce(max(version), 0) + 1, %(mapping)s, %(note)s, %(by)s
  FROM inbox_endpoint_mapping WHERE endpoint_id = %(id)s RETURNING version"""
_VERSIONS = f"""
SELECT endpoint_id, version, mapping, note, {db.ms("published_at")}, published_by
  FROM inbox_endpoint_mapping WHERE endpoint_id = %s ORDER BY version DESC"""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint as it is set up. `settings` and `verify` are JSON without secrets."""

    id: int
    entity_id: int
    entity: str
    code: str
    kind: str
    preset: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    verify: list[dict[str, Any]] = field(default_factory=list)
    state: str = ACTIVE


@dataclass(frozen=True)
class MappingVersion:
    """One published version of an endpoint's mapping, as JSON; moment in UTC ms."""

    endpoint_id: int
    version: int
    mapping: dict[str, Any]
    note: str
    at_ms: int
    by: str


def add_endpoint(
    conn: psycopg.Connection[Any], entity_id: int, code: str, kind: str, *, preset: str = "",
    settings: Mapping[str, Any] | None = None, verify: Sequence[Mapping[str, Any]] = (), by: str,
) -> Endpoint:  # fmt: skip
    """Set up an endpoint in the caller's transaction, which has checked settings and verify.

    Raises BadInput for a code that is none, Conflict when it is taken, also by a removed one.
    """
    if not _CODE.fullmatch(code):
        raise BadInput(
            "bad_code",
            f"{code!r} cannot name an endpoint: use small letters, digits, '-', '_' and '.', at"
            " most 63, beginning with a letter or digit",
        )
    values = (entity_id, code, kind, preset, Jsonb(dict(settings or {})), Jsonb(list(verify)), by)
    row = conn.execute(_ADD, values).fetchone()
    if row is None:
        raise Conflict("endpoint_exists", f"there is an endpoint {code!r} already, maybe a removed"
                       " one: choose another code")  # fmt: skip
    conn.execute("INSERT INTO inbox_endpoint_status (endpoint_id) VALUES (%s)", (row[0],))
    told = {"kind": kind, "preset": preset, "settings": dict(settings or {})}
    audit.record(conn, by, "endpoint.added", code, detail=told)
    return endpoint(conn, code)


def endpoints(conn: psycopg.Connection[Any]) -> list[Endpoint]:
    """Return all endpoints that are not removed, by code."""
    query = f"{_FIND} WHERE p.state <> 'removed' ORDER BY p.code"
    return [Endpoint(*row) for row in conn.execute(query).fetchall()]


def endpoint(conn: psycopg.Connection[Any], code: str) -> Endpoint:
    """Return one endpoint by its code. Raises Missing with what there is."""
    found = {one.code: one for one in endpoints(conn)}
    if code in found:
        return found[code]
    if not found:
        hint = "there is none: set one up with `pipshare crm add`"
    elif close := get_close_matches(code, found, 1):
        hint = f"did you mean {close[0]}?"
    else:
        hint = f"there are: {', '.join(list(found)[:20])}"
    raise Missing("no_endpoint", f"there is no endpoint {code!r} ({hint})")


def endpoints_by_id(conn: psycopg.Connection[Any], ids: Sequence[int]) -> dict[int, Endpoint]:
    """Return endpoints by their numbers, removed ones too."""
    rows = conn.execute(f"{_FIND} WHERE p.id = ANY(%s)", (list(ids),)).fetchall()
    return {row[0]: Endpoint(*row) for row in rows}


def change_endpoint(
    conn: psycopg.Connection[Any], one: Endpoint, *, settings: Mapping[str, Any] | None = None,
    verify: Sequence[Mapping[str, Any]] | None = None, by: str,
) -> Endpoint:  # fmt: skip
    """Replace an endpoint's settings or proofs, which the caller has checked."""
    new_settings = one.settings if settings is None else dict(settings)
    new_verify = one.verify if verify is None else [dict(each) for each in verify]
    conn.execute(_CHANGE, (Jsonb(new_settings), Jsonb(new_verify), one.id))
    told = {"settings": new_settings, "verify": new_verify}
    audit.record(conn, by, "endpoint.changed", one.code, detail=told)
    return endpoint(conn, one.code)


def set_endpoint_state(
    conn: psycopg.Connection[Any], one: Endpoint, state: str, *, by: str, reason: str = ""
) -> None:
    """Make an endpoint active or paused, or remove it: its secrets are forgotten, its row stays."""
    conn.execute("UPDATE inbox_endpoint SET state = %s WHERE id = %s", (state, one.id))
    if state == REMOVED:
        conn.execute(
            "UPDATE inbox_endpoint_secret SET sealed = '', expires_at = least(expires_at, now())"
            " WHERE endpoint_id = %s", (one.id,),
        )  # fmt: skip
    audit.record(conn, by, f"endpoint.{state}", one.code, reason)


def publish_mapping(
    conn: psycopg.Connection[Any], one: Endpoint, mapping: Mapping[str, Any], *, note: str = "",
    by: str,
) -> int:  # fmt: skip
    """Publish a mapping that the caller has checked (crm.mapping_of); return its version."""
    # Keys keep their order: people wrote them.
    conn.execute("SELECT FROM inbox_endpoint WHERE id = %s FOR UPDATE", (one.id,))
    told = {"id": one.id, "mapping": Json(dict(mapping)), "note": note, "by": by}
    row = conn.execute(_PUBLISH, told).fetchone()
    assert row is not None
    audit.record(conn, by, "endpoint.mapping_published", one.code, note,
                 detail={"version": row[0]})  # fmt: skip
    return int(row[0])


def mapping_versions(conn: psycopg.Connection[Any], endpoint_id: int) -> list[MappingVersion]:
    """Return all versions of an endpoint's mapping, the newest first."""
    rows = conn.execute(_VERSIONS, (endpoint_id,)).fetchall()
    return [MappingVersion(*row) for row in rows]


def published(conn: psycopg.Connection[Any], endpoint_id: int) -> MappingVersion | None:
    """Return the mapping that holds, None where none was published yet."""
    row = conn.execute(f"{_VERSIONS} LIMIT 1", (endpoint_id,)).fetchone()
    return None if row is None else MappingVersion(*row)


def mapping_text(version: MappingVersion) -> str:
    """Return a mapping as JSON text, for somebody to read and edit."""
    return json.dumps(version.mapping, indent=2, ensure_ascii=False) + "\n"
