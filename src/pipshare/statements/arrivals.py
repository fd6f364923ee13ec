"""What came in and was booked today: the figures of a live overview."""

from __future__ import annotations

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
_TRANSFERS = """
SELECT min(id) FROM (SELECT id, booked_at FROM ledger_transfer ORDER BY id DESC LIMIT %(recent)s) t
 WHERE booked_at >= %(day)s
"""
_BOOKED = "SELECT count(*) FROM rating_entry WHERE transfer_id >= %s AND seq = 1"
# What the house owes for it: one leg per transfer and currency, instead of one per payee.
_ACCRUED = """
SELECT a.currency, -sum(l.amount_e8)::numeric
  FROM ledger_transfer t
  JOIN ledger_account a ON a.payee_kind = 'house' AND a.state = 'expense'
  JOIN ledger_leg l ON l.transfer_id = t.id AND l.account_id = a.id
 WHERE t.id >= %(first)s AND t.earned_day = %(today)s AND t.kind IN ('accrual', 'correction')
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

    `closed` and `last_hour` count trades by their close, `booked` those rated first today whatever
    their close, `received` records taken in (deals, trades, balance operations). `accrued` is what
    was earned today, by all partners.
    """

    closed: int
    last_hour: int
    booked: int
    received: int
    accrued: dict[str, int] = field(default_factory=dict)
    has_trades: bool = True
    has_servers: bool = True


def arrivals(
    conn: psycopg.Connection[Any], *, today: date, midnight_ms: int, now_ms: int
) -> Arrivals:
    """Return what came in and was booked since `midnight_ms` (UTC), the start of `today`."""
    values = {
        "day": from_ms(midnight_ms), "hour": from_ms(max(midnight_ms, now_ms - 3_600_000)),
        "recent": _RECENT, "today": today,
    }  # fmt: skip
    closed, last_hour = _one(conn, _CLOSED, values)
    received, _, _ = _one(conn, _RECEIVED, values)
    (first,) = _one(conn, _TRANSFERS, values)
    booked, accrued = 0, {}
    if first is not None:
        (booked,) = _one(conn, _BOOKED, (first,))
        rows = conn.execute(_ACCRUED, {**values, "first": first})
        accrued = {currency: int(amount) for currency, amount in rows}
    return Arrivals(closed, last_hour, booked, int(received), accrued, *_one(conn, _ANYTHING, None))


def _one(conn: psycopg.Connection[Any], query: str, values: Any) -> tuple[Any, ...]:
    row = conn.execute(query, values).fetchone()
    assert row is not None
    return tuple(row)
