"""Landing pages: the broker's own pages, the only places to which links lead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import audit
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.facts.web_address import parse_address
from pipshare.partners.wording import hint

ACTIVE, ARCHIVED = "active", "archived"
MACROS = ("click_id", "sub1", "sub2", "sub3", "sub4", "sub5", "link", "campaign", "partner")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_FIND = """
SELECT id, entity_id, code, url, is_default, state FROM partners_landing
 WHERE entity_id = %s AND (state = 'active' OR %s) ORDER BY state, NOT is_default, code"""
_ADD = """
INSERT INTO partners_landing (entity_id, code, url, is_default, created_by)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id"""
_NO_DEFAULT = "UPDATE partners_landing SET is_default = false WHERE entity_id = %s AND is_default"
_DEFAULT = "UPDATE partners_landing SET is_default = true WHERE id = %s"
_ARCHIVE = "UPDATE partners_landing SET state = 'archived' WHERE id = %s"
_TURN = "SELECT pg_advisory_xact_lock(7120, %s)"


@dataclass(frozen=True)
class Landing:
    """A landing page; `url` may hold {names} of MACROS in its query and fragment."""

    id: int
    entity_id: int
    code: str
    url: str
    is_default: bool
    state: str = ACTIVE


def add_landing(
    conn: psycopg.Connection[Any], entity_id: int, code: str, url: str, *, by: str,
    is_default: bool = False,
) -> Landing:  # fmt: skip
    """Allow a landing page; an entity's first one becomes its default.

    Raises BadInput for an address that will not do, Conflict for a code that is taken.
    """
    if not _CODE.fullmatch(code):
        raise BadInput("bad_code", f"{code!r} cannot name a landing page: use letters, digits, '-',"
                                   " '_' and '.', at most 63")  # fmt: skip
    address = parse_address(url, MACROS).text
    conn.execute(_TURN, (entity_id,))  # two first ones at once: one is the default
    others = landings(conn, entity_id)
    is_default = is_default or not any(one.is_default for one in others)
    if is_default:
        conn.execute(_NO_DEFAULT, (entity_id,))
    row = conn.execute(_ADD, (entity_id, code, address, is_default, by)).fetchone()
    if row is None:
        raise Conflict("landing_exists", f"there is or was a landing page {code!r}: choose another"
                                         " code")  # fmt: skip
    audit.record(conn, by, "landing.added", code, detail={"url": address, "default": is_default})
    return Landing(row[0], entity_id, code, address, is_default)


def landings(
    conn: psycopg.Connection[Any], entity_id: int, *, archived: bool = False
) -> list[Landing]:
    """Return an entity's landing pages, the default one first; archived ones at the end."""
    return [Landing(*row) for row in conn.execute(_FIND, (entity_id, archived)).fetchall()]


def landing(conn: psycopg.Connection[Any], entity_id: int, code: str) -> Landing:
    """Return one active landing page by its code, in any case. Raises Missing."""
    found = landings(conn, entity_id)
    for one in found:
        if one.code.lower() == code.lower():
            return one
    told = hint(code, [one.code for one in found])
    raise Missing("no_landing", f"there is no landing page {code!r}{told}: pipshare landing list")


def make_default(conn: psycopg.Connection[Any], one: Landing, *, by: str) -> None:
    """Let links without a landing page of their own lead here."""
    conn.execute(_TURN, (one.entity_id,))
    conn.execute(_NO_DEFAULT, (one.entity_id,))
    conn.execute(_DEFAULT, (one.id,))
    audit.record(conn, by, "landing.default", one.code)


def archive_landing(conn: psycopg.Connection[Any], one: Landing, *, by: str) -> None:
    """Allow a landing page no more: links that led there lead to the default one.

    Raises Conflict for the default one: links would lead nowhere.
    """
    if one.is_default:
        raise Conflict("default_landing", f"landing page {one.code} is the default one: make"
                                          " another the default first")  # fmt: skip
    conn.execute(_ARCHIVE, (one.id,))
    audit.record(conn, by, "landing.archived", one.code)
