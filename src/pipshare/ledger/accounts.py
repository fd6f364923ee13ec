"""Ledger accounts by their key, made when first needed."""

from __future__ import annotations

from typing import Any, NamedTuple

import psycopg

HOUSE = 0  # payee_id of the house: one per entity and currency


class Key(NamedTuple):
    """What names an account: entity id, payee kind and id, currency, state, cause."""

    entity_id: int
    payee_kind: str
    payee_id: int
    currency: str
    state: str
    cause: str = ""


_INSERT = """
INSERT INTO ledger_account (entity_id, payee_kind, payee_id, currency, state, cause)
SELECT * FROM unnest(%s::int[], %s::text[], %s::int[], %s::text[], %s::text[], %s::text[])
ON CONFLICT DO NOTHING RETURNING id, entity_id, payee_kind, payee_id, currency, state, cause
"""
_ALL = "SELECT id, entity_id, payee_kind, payee_id, currency, state, cause FROM ledger_account"
_SELECT = """
SELECT a.id, a.entity_id, a.payee_kind, a.payee_id, a.currency, a.state, a.cause
  FROM ledger_account a
  JOIN unnest(%s::int[], %s::text[], %s::int[], %s::text[], %s::text[], %s::text[])
       AS k(entity_id, payee_kind, payee_id, currency, state, cause)
 USING (entity_id, payee_kind, payee_id, currency, state, cause)
"""

_HOUSE = """
SELECT a.id, h.id FROM ledger_account a
  JOIN ledger_account h ON h.entity_id = a.entity_id AND h.currency = a.currency
                       AND h.payee_kind = 'house' AND h.state = 'expense' AND h.cause = ''
 WHERE a.id = ANY(%s)
"""


class Accounts:
    """Account ids by key, remembered for one run.

    A remembered id may belong to a transaction that was rolled back: call `forget` then.
    `whole` reads all accounts when the first is asked for, to spare many small look-ups.
    """

    def __init__(self, *, whole: bool = False) -> None:
        self._ids: dict[Key, int] = {}
        self._whole, self._all_read = whole, False

    def ids(self, conn: psycopg.Connection, keys: list[Key]) -> list[int]:
        """Return the account id of each key; missing accounts are made, in key order."""
        if self._whole and not self._all_read:
            self._keep(conn.execute(_ALL).fetchall())
            self._all_read = True
        unknown = sorted({key for key in keys if key not in self._ids})
        if unknown:
            self._load(conn, unknown)
        return [self._ids[key] for key in keys]

    def house_of(self, conn: psycopg.Connection, accounts: list[int]) -> dict[int, int]:
        """Return the house's expense account in the same entity and currency, by account."""
        return dict(conn.execute(_HOUSE, (accounts,)).fetchall())

    def forget(self) -> None:
        """Drop everything remembered, after a rollback."""
        self._ids.clear()
        self._all_read = False

    def _load(self, conn: psycopg.Connection, keys: list[Key]) -> None:
        # Sorted, so that two transactions making the same accounts cannot deadlock.
        columns = [list(column) for column in zip(*keys, strict=True)]
        found = [] if self._all_read else conn.execute(_SELECT, columns).fetchall()
        if len(found) < len(keys):
            found += conn.execute(_INSERT, columns).fetchall()
        if len(found) < len(keys):  # another transaction has made some meanwhile
            found = conn.execute(_SELECT, columns).fetchall()
        self._keep(found)

    def _keep(self, rows: list[tuple[Any, ...]]) -> None:
        for number, *key in rows:
            self._ids[Key(*key)] = number
