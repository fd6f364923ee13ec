"""What each ledger account was booked in a period, remembered so that only the new is added up.

A transfer is final once no transaction older than it is running (its xid lies below the snapshot's
lowest): its legs can neither change nor grow. Sums over final transfers are remembered by the
process, per database and period; what came since is added at every call. No figure is stored.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

KINDS = ("accrual", "correction", "adjustment")  # what earns; later moves between states do not
_KEPT = 60  # periods remembered, of all databases of the process
# By account first: the join with accounts is over few rows.
_SINCE = """
WITH edge AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin),
fresh AS (
    SELECT l.account_id, t.kind, t.xid < (SELECT xmin FROM edge) AS final,
           sum(l.amount_e8)::numeric AS amount
      FROM ledger_transfer t
      JOIN ledger_leg l ON l.transfer_id = t.id
     WHERE t.entity_id IN (SELECT id FROM market_entity) AND t.period = %(period)s
       AND t.xid >= %(since)s::xid8
     GROUP BY 1, 2, 3
)
SELECT e.xmin::text, f.account_id, f.kind, f.final, f.amount FROM edge e LEFT JOIN fresh f ON true
"""
_DATABASE = "SELECT oid::bigint FROM pg_database WHERE datname = current_database()"
_ACCOUNTS = """
SELECT id, entity_id, payee_kind, payee_id, currency, state FROM ledger_account
"""
# A walk along the index: periods are few, transfers are many.
_PERIODS = """
WITH RECURSIVE walk AS (
    SELECT e.id, (SELECT max(t.period) FROM ledger_transfer t WHERE t.entity_id = e.id) AS period
      FROM market_entity e
     UNION ALL
    SELECT w.id, (SELECT max(t.period) FROM ledger_transfer t
                   WHERE t.entity_id = w.id AND t.period < w.period)
      FROM walk w WHERE w.period IS NOT NULL
)
SELECT DISTINCT period FROM walk WHERE period IS NOT NULL ORDER BY 1 DESC
"""
Sums = dict[tuple[int, str], int]  # (account id, kind of transfer) -> amount in 1e-8


class Account(NamedTuple):
    """A ledger account. It never changes."""

    id: int
    entity_id: int
    payee_kind: str
    payee_id: int
    currency: str
    state: str


@dataclass
class _Remembered:
    since: int = 0
    sums: Sums = field(default_factory=dict)


_lock = threading.Lock()
_remembered: OrderedDict[tuple[Any, ...], _Remembered] = OrderedDict()
_accounts: OrderedDict[tuple[Any, ...], dict[int, Account]] = OrderedDict()


def booked(conn: psycopg.Connection[Any], period: str) -> Sums:
    """Return what a period (2026-11) booked per account and kind, in 1e-8, as of now."""
    key = (*_database(conn), period)
    with _lock:
        one = _remembered.setdefault(key, _Remembered())
        rows = conn.execute(_SINCE, {"period": period, "since": str(one.since)}).fetchall()
        shown = dict(one.sums)
        for xmin, account, kind, final, amount in rows:
            one.since = max(one.since, int(xmin))  # a snapshot older than another's adds nothing
            if account is not None:
                shown[account, kind] = shown.get((account, kind), 0) + int(amount)
                if final:
                    one.sums[account, kind] = one.sums.get((account, kind), 0) + int(amount)
        _remembered.move_to_end(key)
        while len(_remembered) > _KEPT:
            _remembered.popitem(last=False)
    return shown


def accounts(conn: psycopg.Connection[Any], ids: Iterable[int]) -> dict[int, Account]:
    """Return at least the accounts with these ids, by id; they are read again when one is new."""
    key = _database(conn)
    with _lock:
        known = _accounts.get(key, {})
        if not known.keys() >= set(ids):
            known = {row[0]: Account(*row) for row in conn.execute(_ACCOUNTS)}
            _accounts[key] = known
            while len(_accounts) > 4:
                _accounts.popitem(last=False)
    return known


def periods(conn: psycopg.Connection[Any]) -> list[str]:
    """Return the periods in which anything was booked, the newest first."""
    return [row[0] for row in conn.execute(_PERIODS)]


def _database(conn: psycopg.Connection[Any]) -> tuple[Any, ...]:
    """What tells this database from every other: a new one of the same name has another oid."""
    row = conn.execute(_DATABASE).fetchone()
    return (conn.info.host, conn.info.port, conn.info.dbname, row[0] if row else 0)
