"""Trackers: who may post back to us, how he shows who he is, and what he may move."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg

from pipshare import audit, db
from pipshare.errors import BadInput, Conflict, Missing

MONEY_KINDS = ("deposit", "withdrawal", "reversal")
_PREFIX = "pipt_"  # lets scanners of leaked secrets know it
_CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_ADD = """
INSERT INTO inbox_tracker (entity_id, code, digest, secret, networks, money, created_by)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (code) DO NOTHING RETURNING id"""
_FIND = """
SELECT t.id, t.entity_id, e.code, t.code, t.networks, t.money, t.state, t.digest, t.secret
  FROM inbox_tracker t JOIN market_entity e ON e.id = t.entity_id"""
_SEALED = "SELECT id, secret FROM inbox_tracker WHERE secret IS NOT NULL ORDER BY id FOR UPDATE"


@dataclass(frozen=True)
class Tracker:
    """A tracker as it is set up. No `networks`: any address; no `secret`: unsigned."""

    id: int
    entity_id: int
    entity: str
    code: str
    networks: tuple[str, ...]
    money: tuple[str, ...]
    state: str
    digest: bytes
    secret: bytes | None  # sealed

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> Tracker:
        """Make a tracker of a row: id, entity's id and code, code, networks, money, state, digest,
        secret."""
        id_, entity_id, entity, code, networks, money, state, digest, secret = row
        sealed = None if secret is None else bytes(secret)
        return cls(id_, entity_id, entity, code, tuple(networks), tuple(money), state,
                   bytes(digest), sealed)  # fmt: skip

    @property
    def source(self) -> str:
        """Return the source of the events that its postbacks become."""
        return f"s2s:{self.code}"

    def may_send_from(self, address: str) -> bool:
        """Tell whether its postbacks may come from an address."""
        if not self.networks:
            return True
        try:
            sender = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(sender, "ipv4_mapped", None)
        return any((mapped or sender) in network for network in _parsed(self.networks))

    def signing_secret(self) -> str | None:
        """Return what its signatures are made with. Raises as db.unseal does."""
        return None if self.secret is None else _opened(self.secret)


def add_tracker(
    conn: psycopg.Connection[Any], entity_id: int, code: str, *, networks: Sequence[str] = (),
    money: Collection[str] = (), is_signed: bool = False, by: str,
) -> tuple[str, str]:  # fmt: skip
    """Make a tracker; return its token and its signing secret ("" = none): seen only this once.

    `money`: kinds for which what it says becomes a client's event; for others it only attributes.
    Raises BadInput for a code, network or kind that is none, Conflict when the code is taken.
    """
    if not _CODE.fullmatch(code):
        raise BadInput(
            "bad_code",
            f"{code!r} cannot name a tracker: use small letters, digits, '-', '_' and '.', at most"
            " 63, beginning with a letter or digit",
        )
    _check_money(money)
    places = [str(_network(text)) for text in networks]
    token, secret = _PREFIX + secrets.token_urlsafe(24), ""
    if is_signed:
        secret = secrets.token_urlsafe(32)
    kinds = [kind for kind in MONEY_KINDS if kind in money]
    sealed = db.seal(secret) if secret else None
    values = (entity_id, code, token_digest(token), sealed, places, kinds, by)
    if conn.execute(_ADD, values).fetchone() is None:
        raise Conflict("tracker_exists", f"there is a tracker {code!r} already, maybe a revoked"
                       " one: choose another code")  # fmt: skip
    told = {"networks": places, "money": kinds, "signed": is_signed}
    audit.record(conn, by, "tracker.added", code, detail=told)
    return token, secret


def trackers(conn: psycopg.Connection[Any]) -> list[Tracker]:
    """Return all trackers, revoked ones too, by code."""
    return [Tracker.of_row(row) for row in conn.execute(_FIND + " ORDER BY t.code").fetchall()]


def tracker(conn: psycopg.Connection[Any], code: str) -> Tracker:
    """Return one tracker by its code. Raises Missing with what there is."""
    found = {one.code: one for one in trackers(conn)}
    if code not in found:
        known = ", ".join(found) or "none: `pipshare tracker add`"
        raise Missing("no_tracker", f"there is no tracker {code!r}; there is {known}")
    return found[code]


def revoke_tracker(conn: psycopg.Connection[Any], code: str, *, by: str, reason: str = "") -> None:
    """Refuse a tracker's token from now on, for good. Raises Missing when none is in use."""
    query = """UPDATE inbox_tracker SET state = 'revoked', secret = NULL
                WHERE code = %s AND state = 'active' RETURNING id"""
    if conn.execute(query, (code,)).fetchone() is None:
        raise Missing("no_tracker", f"no tracker {code!r} is in use: see `pipshare tracker list`")
    audit.record(conn, by, "tracker.revoked", code, reason)


def rekey_trackers(conn: psycopg.Connection[Any]) -> int:
    """Seal all signing secrets with the first key; returns how many were not."""
    changed = 0
    for number, sealed in conn.execute(_SEALED).fetchall():
        anew = db.reseal(sealed)
        if anew is not None:
            conn.execute("UPDATE inbox_tracker SET secret = %s WHERE id = %s", (anew, number))
            changed += 1
    return changed


def token_digest(token: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _check_money(money: Collection[str]) -> None:
    unknown = sorted(set(money) - set(MONEY_KINDS))
    if unknown:
        raise BadInput("bad_money", f"{', '.join(unknown)}: what a tracker may move is"
                                    f" {', '.join(MONEY_KINDS)}")  # fmt: skip
    if set(money) == {"reversal"}:
        raise BadInput(
            "reversal_alone",
            "a reversal takes back a deposit or a withdrawal of the same tracker: make it"
            " authoritative for that, too (--money deposit --money reversal)",
        )


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise BadInput("bad_network", f"{text!r} is no address or network such as 203.0.113.7 or"
                                      f" 203.0.113.0/24: {error}") from None  # fmt: skip


@lru_cache(maxsize=256)
def _parsed(networks: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(_network(text) for text in networks)


@lru_cache(maxsize=256)
def _opened(sealed: bytes) -> str:
    return db.unseal(sealed)
