"""What was booked along a client's life: lines that events brought about, and trades by day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

_WINDOW_LINES = """
SELECT w.id, c.code AS component, w.payee_kind, w.payee_id, coalesce(p.code, k.code) AS payee,
       w.amount_e8, a.currency, a.state, w.causes, w.reason::int AS reason, w.day::text AS day,
       (extract(epoch FROM w.booked_at) * 1000)::bigint AS booked_ms
  FROM rating_window_line w
  JOIN plans_component c ON c.id = w.component
  JOIN ledger_account a ON a.id = w.account
  LEFT JOIN partners_partner p ON w.payee_kind = 'partner' AND p.id = w.payee_id
  LEFT JOIN clients_client k ON w.payee_kind = 'client' AND k.id = w.payee_id
 WHERE w.client_id = %(client)s
   AND (%(scope)s::int[] IS NULL OR w.payee_kind = 'partner' AND w.payee_id = ANY(%(scope)s))
 ORDER BY w.id
"""
# The newest revision of each trade of the client's accounts, the newest first.
_TRADES = """
SELECT t.server_id, s.code AS server, t.ticket, t.login, t.symbol, t.lots_e8, t.profit_e8,
       t.state::int AS state, (extract(epoch FROM t.close_at) * 1000)::bigint AS close_ms
  FROM clients_account_owner o
  JOIN market_server s ON s.id = o.server_id
  JOIN trades_trade t ON t.server_id = o.server_id AND t.login = o.login
 WHERE o.client_id = %(client)s
   AND NOT EXISTS (SELECT FROM trades_trade n
                    WHERE n.server_id = t.server_id AND n.ticket = t.ticket
                      AND n.revision > t.revision AND n.revision > 1)
 ORDER BY t.close_at DESC, t.server_id, t.ticket DESC LIMIT %(limit)s
"""
_TRADE_LINES = """
SELECT r.server_id, r.ticket, c.code AS component, a.payee_kind,
       coalesce(p.code, k.code) AS payee, a.currency, a.state, sum(r.amount_e8)::bigint AS amount_e8
  FROM unnest(%(servers)s::int[], %(tickets)s::bigint[]) u (server_id, ticket)
  JOIN rating_line r ON r.server_id = u.server_id AND r.ticket = u.ticket
  JOIN plans_component c ON c.id = r.component
  JOIN ledger_account a ON a.id = r.account
  LEFT JOIN partners_partner p ON p.id = r.partner
  LEFT JOIN clients_client k ON a.payee_kind = 'client' AND k.id = a.payee_id
 WHERE %(scope)s::int[] IS NULL OR r.partner = ANY(%(scope)s)
 GROUP BY r.server_id, r.ticket, c.code, a.payee_kind, payee, a.currency, a.state
HAVING sum(r.amount_e8) <> 0
 ORDER BY 1, 2, 3, 5
"""
Row = dict[str, Any]


def lines_of_life(
    conn: psycopg.Connection[Any], client_id: int, scope: Sequence[int] | None = None
) -> list[Row]:
    """Return the lines booked for what happened to a client, in order; `causes` names the events.

    `scope`: only what these partners earned; None = everybody.
    """
    return _rows(conn, _WINDOW_LINES, {"client": client_id, "scope": _listed(scope)})


def trades_of_client(conn: psycopg.Connection[Any], client_id: int, limit: int) -> list[Row]:
    """Return a client's newest trades as they stand now, the newest first; close_ms is UTC."""
    return _rows(conn, _TRADES, {"client": client_id, "limit": limit})


def lines_of_trades(
    conn: psycopg.Connection[Any], trades: Sequence[tuple[int, int]],
    scope: Sequence[int] | None = None,
) -> list[Row]:  # fmt: skip
    """Return what stands booked for trades (server's number, ticket), by payee and component."""
    asked = {"servers": [server for server, _ in trades],
             "tickets": [ticket for _, ticket in trades], "scope": _listed(scope)}  # fmt: skip
    return _rows(conn, _TRADE_LINES, asked)


def _listed(scope: Sequence[int] | None) -> list[int] | None:
    return None if scope is None else list(scope)


def _rows(
    conn: psycopg.Connection[Any], query: str, values: dict[str, Any]
) -> list[Row]:  # fmt: skip
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()
