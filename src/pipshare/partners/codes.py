"""Codes typed at registration: a partner's own code, or others that he made up for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import psycopg

from pipshare import audit
from pipshare.errors import BadInput, Conflict
from pipshare.partners.lookup import Partner
from pipshare.partners.wording import RESERVED

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,63}")
_OWN = """
SELECT code, id FROM partners_partner WHERE entity_id = %s AND lower(code) = ANY(%s) ORDER BY id"""
_TYPED = """
SELECT lower(code), partner_id FROM partners_typed_code
 WHERE entity_id = %s AND lower(code) = ANY(%s) AND state = 'active'"""
_ADD = """
INSERT INTO partners_typed_code (entity_id, partner_id, code, created_by)
VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id"""
_ARCHIVE = """
UPDATE partners_typed_code SET state = 'archived'
 WHERE partner_id = %s AND lower(code) = lower(%s) AND state = 'active' RETURNING id"""


def add_typed_code(conn: psycopg.Connection[Any], partner: Partner, code: str, *, by: str) -> None:
    """Let a code typed at registration stand for a partner, beside his own one.

    Raises BadInput for a code that will not do, Conflict where it stands, or stood, for somebody.
    """
    if not _CODE.fullmatch(code) or code.lower() in RESERVED:
        raise BadInput("bad_code", f"{code!r} cannot be typed as a partner's code: use letters,"
                                   " digits, '-', '_' and '.', 2 to 64 of them")  # fmt: skip
    is_own = conn.execute(_OWN, (partner.entity_id, [code.lower()])).fetchone()
    told = (partner.entity_id, partner.id, code, by)
    if is_own or conn.execute(_ADD, told).fetchone() is None:
        raise Conflict("code_taken", f"{code!r} is, or was, a partner's code: choose another,"
                                     " so that nobody becomes another's client")  # fmt: skip
    audit.record(conn, by, "typed_code.added", code, detail={"partner": partner.code})


def archive_typed_code(
    conn: psycopg.Connection[Any], partner: Partner, code: str, *, by: str
) -> None:
    """Let a code stand for nobody any more; it is not given to anybody else.

    Raises Conflict where it is not this partner's.
    """
    if conn.execute(_ARCHIVE, (partner.id, code)).fetchone() is None:
        raise Conflict("no_code", f"{code!r} is not typed for partner {partner.code}")
    audit.record(conn, by, "typed_code.archived", code, detail={"partner": partner.code})


def typed_codes(conn: psycopg.Connection[Any], partner_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the codes that stand for each of these partners, beside their own."""
    found: dict[int, list[str]] = {}
    for partner_id, code in conn.execute(
        "SELECT partner_id, code FROM partners_typed_code"
        " WHERE partner_id = ANY(%s) AND state = 'active' ORDER BY code", (list(partner_ids),)
    ):  # fmt: skip
        found.setdefault(partner_id, []).append(code)
    return found


def by_typed_code(
    conn: psycopg.Connection[Any], entity_id: int, codes: Sequence[str]
) -> dict[str, int]:
    """Return whom each code stands for, by the code as given, in any case; others miss.

    A partner's own code goes first. Where two partners' own codes differ in case alone it has to
    be typed exactly.
    """
    lowered = [code.lower() for code in codes]
    own: dict[str, list[tuple[str, int]]] = {}
    for code, partner_id in conn.execute(_OWN, (entity_id, lowered)):
        own.setdefault(code.lower(), []).append((code, partner_id))
    typed = dict(conn.execute(_TYPED, (entity_id, lowered)).fetchall())
    found: dict[str, int] = {}
    for code in codes:
        mine = own.get(code.lower(), [])
        exact = [id_ for written, id_ in mine if written == code]
        if exact or len(mine) == 1:
            found[code] = exact[0] if exact else mine[0][1]
        elif not mine and code.lower() in typed:
            found[code] = typed[code.lower()]
    return found
