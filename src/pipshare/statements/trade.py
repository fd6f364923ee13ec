"""One trade through all its revisions, and every line that was ever booked for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

_REVISIONS = """
SELECT t.revision::int AS revision, t.state::int AS state, t.login, t.position, t.symbol,
       t.side::int AS side, t.kind::int AS kind, t.opening::int AS opening, t.lots_e8, t.open_ms,
       t.close_ms, (extract(epoch FROM t.close_at) * 1000)::bigint AS close_utc_ms,
       t.open_price_e8, t.close_price_e8, t.commission_e8, t.fee_e8, t.swap_e8, t.profit_e8,
       t.rate_profit_e8, t.contract_e8, t.reason::int AS reason,
       b.name AS source, b.file_id, b.received_at
  FROM trades_trade t LEFT JOIN inbox_batch_source b ON b.id = t.batch_id
 WHERE t.server_id = %s AND t.ticket = %s ORDER BY t.revision
"""
_LINES = """
SELECT r.seq::int AS seq, r.revision::int AS revision, c.code AS component, g.code AS programme,
       r.level::int AS level, p.id AS partner_id, coalesce(p.code, k.code) AS partner,
       coalesce(p.name, 'the client') AS name,
       r.reason::int AS reason, r.amount_e8,
       r.orig_e8, a.currency, a.state, r.transfer_id AS transfer, r.day,
       t.kind, t.booked_at
  FROM rating_line r
  JOIN plans_component c ON c.id = r.component
  JOIN plans_programme g ON g.id = c.programme_id
  JOIN ledger_account a ON a.id = r.account
  LEFT JOIN partners_partner p ON p.id = r.partner
  LEFT JOIN clients_client k ON a.payee_kind = 'client' AND k.id = a.payee_id
  LEFT JOIN ledger_transfer t ON t.id = r.transfer_id
 WHERE r.server_id = %(server)s AND r.ticket = %(ticket)s
   AND (%(scope)s::int[] IS NULL OR r.partner = ANY(%(scope)s))
 ORDER BY r.seq, r.level, c.id
"""
_RATED = """
SELECT EXISTS (SELECT FROM rating_entry e JOIN attribution_chain c ON c.id = e.chain_id
                WHERE e.server_id = %(server)s AND e.ticket = %(ticket)s
                  AND c.partners && %(scope)s::int[])
"""
_WAITS = """
SELECT reason, key, since FROM trades_waiting WHERE server_id = %(server)s AND ticket = %(ticket)s
   AND NOT EXISTS (SELECT FROM rating_entry e
                    WHERE e.server_id = %(server)s AND e.ticket = %(ticket)s)
UNION SELECT reason, key, since FROM attribution_waiting
 WHERE server_id = %(server)s AND ticket = %(ticket)s
UNION SELECT reason, key, since FROM rating_waiting
 WHERE server_id = %(server)s AND ticket = %(ticket)s ORDER BY 1, 2
"""


def revisions(conn: psycopg.Connection[Any], server_id: int, ticket: int) -> list[dict[str, Any]]:
    """Return a trade's revisions in order, with what brought each; empty = there is no such trade.

    Amounts in 1e-8, *_ms the server's wall clock unless named utc.
    """
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_REVISIONS, (server_id, ticket)).fetchall()


def booked_lines(
    conn: psycopg.Connection[Any], server_id: int, ticket: int, scope: Sequence[int] | None = None
) -> list[dict[str, Any]]:
    """Return every line booked for a trade, the first rating first; only those of `scope`."""
    values = {"server": server_id, "ticket": ticket, "scope": _listed(scope)}
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_LINES, values).fetchall()


def waits(conn: psycopg.Connection[Any], server_id: int, ticket: int) -> list[tuple[str, str, Any]]:
    """Return (reason, key, since) of what a trade waits for, each once."""
    return conn.execute(_WAITS, {"server": server_id, "ticket": ticket}).fetchall()


def is_within(
    conn: psycopg.Connection[Any], server_id: int, ticket: int, scope: Sequence[int] | None
) -> bool:
    """Tell whether a trade may be seen by whom `scope` limits: a partner of his is in its chain."""
    if scope is None:
        return True
    values = {"server": server_id, "ticket": ticket, "scope": _listed(scope)}
    row = conn.execute(_RATED, values).fetchone()
    return bool(row and row[0])


def _listed(scope: Sequence[int] | None) -> list[int] | None:
    return None if scope is None else list(scope)
