"""All that has to be the same of two books, however often the way to one was interrupted."""

from __future__ import annotations

from typing import Any

from pipshare import ledger, statements

_WALLETS = """
SELECT a.entity_id, a.payee_kind, p.code, a.currency, a.state, t.earned_day::text,
       sum(l.amount_e8)::text
  FROM ledger_leg l
  JOIN ledger_account a ON a.id = l.account_id
  LEFT JOIN partners_partner p ON p.id = a.payee_id AND a.payee_kind = 'partner'
  JOIN ledger_transfer t ON t.id = l.transfer_id
 GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(l.amount_e8) <> 0 ORDER BY 1, 2, 3, 4, 5, 6
"""
_LINES = """
SELECT l.server_id, l.ticket, c.code, l.level, p.code, sum(l.amount_e8)::text
  FROM rating_line l JOIN partners_partner p ON p.id = l.partner
  LEFT JOIN plans_component c ON c.id = l.component
 GROUP BY 1, 2, 3, 4, 5 HAVING sum(l.amount_e8) <> 0 ORDER BY 1, 2, 3, 4, 5
"""
_TRADES = """
SELECT server_id, ticket, state, login, symbol, lots_e8, open_ms, close_ms, profit_e8, opening
  FROM trades_current ORDER BY 1, 2
"""
_DEALS = """
SELECT DISTINCT ON (server_id, deal) server_id, deal, login, action, entry, volume_e8, content
  FROM inbox_deal ORDER BY server_id, deal, revision DESC
"""
_WAITING = """
SELECT 'trades', server_id, ticket, reason, key FROM trades_waiting
 UNION ALL SELECT 'attribution', server_id, ticket, reason, key FROM attribution_waiting
 UNION ALL SELECT 'rating', server_id, ticket, reason, key FROM rating_waiting ORDER BY 1, 2, 3, 4
"""
_CASH = "SELECT server_id, ticket, login, kind, amount_e8 FROM inbox_cash ORDER BY 1, 2"
_FILES = "SELECT server_id, name, digest, booked FROM inbox_file ORDER BY 1, 2, 3"
_PARTS = {"wallets": _WALLETS, "lines": _LINES, "trades": _TRADES, "deals": _DEALS,
          "waiting": _WAITING, "cash": _CASH, "files": _FILES}  # fmt: skip


def whole_books(conn: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything booked and stored, without the numbers that the order of work gives."""
    assert_whole(conn)
    found = {name: conn.execute(query).fetchall() for name, query in _PARTS.items()}
    conn.rollback()
    return found


def assert_whole(conn: Any) -> None:
    """The ledger balances and its lines add up: nothing half done was left."""
    conn.rollback()
    assert ledger.verify(conn)[0] == []
    assert statements.check_lines(conn) == []
    conn.rollback()


def differing(one: dict[str, Any], other: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the rows that only one of two books has, a few of each part, by whose they are."""
    found = {}
    for name in one:
        mine, theirs = set(one[name]), set(other[name])
        if mine != theirs or len(one[name]) != len(other[name]):
            found[name] = [
                *(f"only the first: {row}" for row in sorted(map(str, mine - theirs))[:4]),
                *(f"only the second: {row}" for row in sorted(map(str, theirs - mine))[:4]),
                f"{len(one[name])} and {len(other[name])} rows",
            ]
    return found
