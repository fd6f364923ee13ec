"""Addresses are kept as digests under a salt of their day, and each salt is forgotten in a month.

Within a day the same address gives the same digest, which is what tells many clicks of one from
clicks of many. Over days it does not, and without the salt nobody can try addresses out.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import psycopg

from pipshare.period import from_ms

KEPT_DAYS = 30
_DAY_MS = 24 * 3600 * 1000
_FIND = "SELECT salt FROM inbox_salt WHERE day = %s"
_MAKE = "INSERT INTO inbox_salt (day, salt) VALUES (%s, %s) ON CONFLICT DO NOTHING"
_FORGET = "DELETE FROM inbox_salt WHERE day < %s::date - %s::integer"


# What a connection without transactions read stays true for it, whatever becomes of others' work.
_kept: WeakKeyDictionary[psycopg.Connection[Any], dict[int, bytes]] = WeakKeyDictionary()


def digests(conn: psycopg.Connection[Any], said: Sequence[tuple[int, str]]) -> list[bytes]:
    """Return the digest of each (moment in UTC ms, address); b"" for an address not known.

    A day's first makes its salt, and forgets those of a month before.
    """
    salts = _kept.setdefault(conn, {}) if conn.autocommit else {}
    for day in {at_ms // _DAY_MS for at_ms, address in said if address} - salts.keys():
        salts[day] = _salt(conn, day)
    return [
        hmac.digest(salts[at_ms // _DAY_MS], address.encode(), "sha256") if address else b""
        for at_ms, address in said
    ]


def _salt(conn: psycopg.Connection[Any], number: int) -> bytes:
    day = from_ms(number * _DAY_MS).date()
    row = conn.execute(_FIND, (day,)).fetchone()
    if row is None:
        conn.execute(_MAKE, (day, secrets.token_bytes(32)))  # another process may have been first
        conn.execute(_FORGET, (day, KEPT_DAYS))
        row = conn.execute(_FIND, (day,)).fetchone()
        assert row is not None
    return bytes(row[0])
