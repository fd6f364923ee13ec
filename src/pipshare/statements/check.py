"""Check lines against legs: the lines of a leg sum to it, and each payee's lines to his wallet."""

from __future__ import annotations

import psycopg

# Adjustments have no lines: they are booked by hand, with a reason and a second person.
_LINES_AND_LEGS = """
WITH lines AS (
    SELECT transfer_id, account, sum(amount_e8) AS amount
      FROM rating_booked WHERE transfer_id <> 0 GROUP BY 1, 2
), legs AS (
    SELECT l.transfer_id, l.account_id AS account, l.amount_e8 AS amount
      FROM ledger_leg l
      JOIN ledger_account a ON a.id = l.account_id AND a.payee_kind <> 'house'
      JOIN ledger_transfer t ON t.id = l.transfer_id AND t.kind IN ('accrual', 'correction')
)
SELECT transfer_id, account, lines.amount, legs.amount
  FROM lines FULL JOIN legs USING (transfer_id, account)
 WHERE lines.amount IS DISTINCT FROM legs.amount
 ORDER BY 1, 2 LIMIT 1
"""
_PAYEES = """
WITH lines AS (
    SELECT a.entity_id, a.payee_kind, a.payee_id, a.currency, sum(r.amount_e8) AS amount
      FROM rating_booked r JOIN ledger_account a ON a.id = r.account GROUP BY 1, 2, 3, 4
), wallets AS (
    SELECT a.entity_id, a.payee_kind, a.payee_id, a.currency,
           sum(l.amount_e8) FILTER (WHERE t.kind IN ('accrual', 'correction')) AS amount
      FROM ledger_account a
      JOIN ledger_leg l ON l.account_id = a.id
      JOIN ledger_transfer t ON t.id = l.transfer_id
     WHERE a.payee_kind <> 'house' GROUP BY 1, 2, 3, 4
)
SELECT entity_id, payee_kind, payee_id, currency, lines.amount, wallets.amount
  FROM lines FULL JOIN wallets USING (entity_id, payee_kind, payee_id, currency)
 WHERE COALESCE(lines.amount, 0) <> COALESCE(wallets.amount, 0)
 ORDER BY 1, 2, 3, 4 LIMIT 1
"""
_TRADES = """
SELECT e.server_id, e.ticket, e.revision FROM rating_entry e
  LEFT JOIN trades_trade t ON t.server_id = e.server_id AND t.ticket = e.ticket
                          AND t.revision = e.revision
 WHERE t.ticket IS NULL ORDER BY 1, 2 LIMIT 1
"""


def check_lines(conn: psycopg.Connection) -> list[tuple[str, str]]:
    """Return (check, message) of the first break of each kind; an empty list = none."""
    breaks = []
    if row := conn.execute(_LINES_AND_LEGS).fetchone():
        breaks.append(("lines", f"transfer {row[0]}, account {row[1]}: its lines sum to {row[2]}e-8"
                                f", the leg is {row[3]}e-8"))  # fmt: skip
    if row := conn.execute(_PAYEES).fetchone():
        breaks.append(("law", f"entity {row[0]}, {row[1]} {row[2]}, {row[3]}: lines sum to"
                              f" {row[4]}e-8, the wallet was credited {row[5]}e-8"))  # fmt: skip
    if row := conn.execute(_TRADES).fetchone():
        breaks.append(("trades", f"server {row[0]}: ticket {row[1]} revision {row[2]} is rated and"
                                 " not stored"))  # fmt: skip
    return breaks
