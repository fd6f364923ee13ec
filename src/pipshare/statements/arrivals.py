"""What came in and was booked today: the figures of a live overview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import psycopg

from pipshare.period import from_ms

_RECENT = 200_000  # of the newest batches and transfers, more than a day of polls
# Trades arrive nearly in the order of their closes: summaries of page ranges serve (trades 0002).
_CLOSED = """
SELECT count(*), count(*) FILTER (WHERE close_at >= %(hour)s) FROM trades_trade
 WHERE close_at >= %(day)s AND revision = 1
"""
# With a scope a trade counts when a partner in it is in the chain that it was last rated for.
_CLOSED_OF = """
SELECT count(*), count(*) FILTER (WHERE t.close_at >= %(hour)s) FROM trades_trade t
  JOIN LATERAL (SELECT e.chain_id FROM rating_entry e
                 WHERE e.server_id = t.server_id AND e.ticket = t.ticket
                 ORDER BY e.seq DESC LIMIT 1) e ON true
  JOIN attribution_chain c ON c.id = e.chain_id AND c.partners && %(scope)s::int[]
 WHERE t.close_at >= %(day)s AND t.revision = 1
"""
_TRANSFERS = """
SELECT min(id) FROM (SELECT id, booked_at FROM ledger_transfer ORDER BY id DESC LIMIT %(recent)s) t
 WHERE booked_at >= %(day)s
"""
# Not by transfers: the pay of a trade that builds up is booked with its window, not with the trade.
_BOOKED = """
SELECT count(*) FROM rating_entry
 WHERE rated_at >= %(day)s AND seq = 1 AND standing = 1
"""
_BOOKED_OF = """
SELECT count(*) FROM rating_entry e
  JOIN attribution_chain c ON c.id = e.chain_id AND c.partners && %(scope)s::int[]
 WHERE e.rated_at >= %(day)s AND e.seq = 1 AND e.standing = 1
"""
# What the house owes for it: one leg per transfer and currency, instead of one per payee.
_ACCRUED = """
SELECT a.currency, -sum(l.amount_e8)::numeric
  FROM ledger_transfer t
  JOIN ledger_account a ON a.payee_kind = 'house' AND a.state = 'expense'
  JOIN ledger_leg l ON l.transfer_id = t.id AND l.account_id = a.id
 WHERE t.id >= %(first)s AND t.earned_day = %(today)s AND t.kind IN ('accrual', 'correction')
 GROUP BY 1 ORDER BY 1
"""
_ACCRUED_OF = """
SELECT a.currency, sum(l.amount_e8)::numeric
  FROM ledger_account a
  JOIN ledger_leg l ON l.account_id = a.id
  JOIN ledger_transfer t ON t.id = l.transfer_id
 WHERE a.payee_kind = 'partner' AND a.payee_id = ANY(%(scope)s)
   AND t.id >= %(first)s AND t.earned_day = %(today)s AND t.kind IN ('accrual', 'correction')
 GROUP BY 1 ORDER BY 1
"""
_RECEIVED = """
SELECT COALESCE(sum(count), 0), count(*), max(created_at)
  FROM (SELECT count, created_at FROM inbox_batch ORDER BY id DESC LIMIT %(recent)s) b
 WHERE created_at >= %(day)s
"""
_ANYTHING = "SELECT EXISTS (SELECT FROM trades_trade), EXISTS (SELECT FROM market_server)"


@dataclass(frozen=True)
class Arrivals:
    """Counts since the broker's midnight; amounts in 1e-8 by wallet currency.

    `closed` and `last_hour` count trades by their close, `booked` those of introduced clients that
    were rated first today, whatever their close and whether they pay at once or build up pay of a
    period, `received` records taken in (deals, trades, balance operations). `accrued` is what
    was earned today. With a scope all but `received` is that of its partners; `received`, of which
    nobody can say whose it is, is then 0.
    """

    closed: int
    last_hour: int
    booked: int
    received: int
    accrued: dict[str, int] = field(default_factory=dict)
    has_trades: bool = True
    has_servers: bool = True


def arrivals(
    conn: psycopg.Connection[Any], *, today: date, midnight_ms: int, now_ms: int,
    scope: Sequence[int] | None = None,
) -> Arrivals:  # fmt: skip
    """Return what came in and was booked since `midnight_ms` (UTC), the start of `today`.

    `scope` limits it to trades of these partners; None = all.
    """
    values: dict[str, Any] = {
        "day": from_ms(midnight_ms), "hour": from_ms(max(midnight_ms, now_ms - 3_600_000)),
        "recent": _RECENT, "today": today,
        "scope": None if scope is None else list(scope),
    }  # fmt: skip
    closed, last_hour = _one(conn, _CLOSED if scope is None else _CLOSED_OF, values)
    received = 0 if scope is not None else _one(conn, _RECEIVED, values)[0]
    (first,) = _one(conn, _TRANSFERS, values)
    (booked,) = _one(conn, _BOOKED if scope is None else _BOOKED_OF, values)
    accrued = {}
    if first is not None:
        values["first"] = first
        rows = conn.execute(_ACCRUED if scope is None else _ACCRUED_OF, values)
        accrued = {currency: int(amount) for currency, amount in rows}
    return Arrivals(closed, last_hour, booked, int(received), accrued, *_one(conn, _ANYTHING, None))


def _one(conn: psycopg.Connection[Any], query: str, values: Any) -> tuple[Any, ...]:
    row = conn.execute(query, values).fetchone()
    assert row is not None
    return tuple(row)
