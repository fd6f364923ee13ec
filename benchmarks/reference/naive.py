"""The naive yardstick: a row at a time, eight statements and a commit per trade.

What a first script does, and not done badly: every look-up has its index, statements are prepared
by the driver, a chain is walked in one recursive query and a trade's lines go in one INSERT.
Trades come as Python values; reading a file is not part of it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import psycopg

from benchmarks.world import CLOCK_AHEAD_MS, SERVERS, World

_IS_KNOWN = "SELECT 1 FROM script_trade WHERE server_id = %s AND ticket = %s"
_TRADE = """
INSERT INTO script_trade VALUES
    (%s, %s, %s, %s, %s, %s, %s, to_timestamp(%s / 1000.0), %s, %s, %s, %s, %s)
"""
_ACCOUNT = """
SELECT a.client, a.grp, g.factor_percent FROM script_account a JOIN script_group g USING (grp)
 WHERE a.server_id = %s AND a.login = %s
"""
_INTRODUCER = "SELECT partner FROM script_client WHERE client = %s"
_CHAIN = """
WITH RECURSIVE chain (level, partner, parent, card) AS (
    SELECT 1, partner, parent, card FROM script_partner WHERE partner = %s
    UNION ALL
    SELECT c.level + 1, p.partner, p.parent, p.card
      FROM chain c JOIN script_partner p ON p.partner = c.parent
)
SELECT level, partner, card FROM chain ORDER BY level
"""
_RATES = """
SELECT r.card, r.rate_micro FROM script_rate r JOIN script_symbol s ON s.symbol = r.symbol
 WHERE s.server_id = %s AND s.name = %s AND r.grp = %s AND r.card = ANY(%s)
   AND r.valid_from <= to_timestamp(%s / 1000.0) AND to_timestamp(%s / 1000.0) < r.valid_to
"""
_LINES = """
INSERT INTO script_line
SELECT %s, %s, * FROM unnest(%s::smallint[], %s::int[], %s::bigint[])
"""
_BALANCES = """
UPDATE script_balance b SET amount_e8 = b.amount_e8 + n.amount_e8
  FROM unnest(%s::int[], %s::bigint[]) AS n (partner, amount_e8) WHERE b.partner = n.partner
"""


class Trade(NamedTuple):
    """One trade as the script meets it."""

    server_id: int
    ticket: int
    login: int
    symbol: str
    side: int
    lots_e8: int
    open_ms: int
    close_utc_ms: int
    open_price_e8: int
    close_price_e8: int
    commission_e8: int
    swap_e8: int
    profit_e8: int


def first_trades(broker: World, count: int) -> list[Trade]:
    """Return the first trades of each server as Python values, about `count` in all."""
    found = []
    for number in range(len(SERVERS)):
        frame = next(iter(broker.trades(number))).head(count // len(SERVERS))
        for row in frame.iter_rows(named=True):
            row |= {"server_id": number + 1, "close_utc_ms": row["close_ms"] - CLOCK_AHEAD_MS}
            found.append(Trade(*(row[name] for name in Trade._fields)))
    return found


def rows_of(broker: World, trades: list[Trade]) -> np.ndarray:
    """Return the rows of first_trades in the broker's columns."""
    of_server = np.bincount([trade.server_id - 1 for trade in trades], minlength=len(SERVERS))
    return np.concatenate([broker.on(n)[:count] for n, count in enumerate(of_server)])


def book_naively(conn: psycopg.Connection[Any], trades: list[Trade]) -> None:
    """Book one after the other, each in its own transaction."""
    for trade in trades:
        _book(conn, trade)
        conn.commit()


def _book(conn: psycopg.Connection[Any], trade: Trade) -> None:
    if conn.execute(_IS_KNOWN, (trade.server_id, trade.ticket)).fetchone():
        return
    conn.execute(_TRADE, trade)
    account = conn.execute(_ACCOUNT, (trade.server_id, trade.login)).fetchone()
    assert account
    client, group, factor = account
    introducer = conn.execute(_INTRODUCER, (client,)).fetchone()
    assert introducer
    chain = conn.execute(_CHAIN, introducer).fetchall()
    cards = [card for _, _, card in chain]
    closed = trade.close_utc_ms
    asked = (trade.server_id, trade.symbol, group, cards, closed, closed)
    rates = dict(conn.execute(_RATES, asked).fetchall())
    lots = trade.lots_e8 // 1_000_000
    amounts = [lots * rates[card] * factor // 100 for card in cards]
    levels, partners = [level for level, _, _ in chain], [partner for _, partner, _ in chain]
    conn.execute(_LINES, (trade.server_id, trade.ticket, levels, partners, amounts))
    conn.execute(_BALANCES, (partners, amounts))
