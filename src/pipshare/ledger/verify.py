"""Check the books: balance, the law per payee, and lines against legs; name the first break."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

_UNBALANCED = """
SELECT l.transfer_id, a.currency, sum(l.amount_e8)
  FROM ledger_leg l JOIN ledger_account a ON a.id = l.account_id
 GROUP BY 1, 2 HAVING sum(l.amount_e8) <> 0 ORDER BY 1 LIMIT 1
"""
_CROSSED = """
SELECT t.id, a.id FROM ledger_leg l
  JOIN ledger_transfer t ON t.id = l.transfer_id
  JOIN ledger_account a ON a.id = l.account_id
 WHERE a.entity_id <> t.entity_id ORDER BY 1 LIMIT 1
"""
# The law: what a payee was ever credited by transfers of each kind equals what stands on his
# accounts over all states; the house's expense is its mirror.
_LAW = """
SELECT a.entity_id, a.currency,
       sum(l.amount_e8) FILTER (WHERE a.state <> 'expense'),
       -sum(l.amount_e8) FILTER (WHERE a.state = 'expense')
  FROM ledger_leg l JOIN ledger_account a ON a.id = l.account_id
 GROUP BY 1, 2
HAVING COALESCE(sum(l.amount_e8) FILTER (WHERE a.state <> 'expense'), 0)
     <> COALESCE(-sum(l.amount_e8) FILTER (WHERE a.state = 'expense'), 0)
 ORDER BY 1, 2 LIMIT 1
"""
_COUNTS = """
SELECT (SELECT count(*) FROM ledger_transfer), (SELECT count(*) FROM ledger_leg)
"""


@dataclass(frozen=True)
class Break:
    """One place where the books contradict themselves."""

    check: str
    message: str


def verify(conn: psycopg.Connection) -> tuple[list[Break], tuple[int, int]]:
    """Return the first break of each check of the ledger itself, and (transfers, legs) counted."""
    breaks = []
    if row := conn.execute(_UNBALANCED).fetchone():
        breaks.append(Break("balance", f"transfer {row[0]}: legs in {row[1]} sum to {row[2]}e-8"))
    if row := conn.execute(_CROSSED).fetchone():
        breaks.append(Break("entity", f"transfer {row[0]} has a leg on account {row[1]} elsewhere"))
    if row := conn.execute(_LAW).fetchone():
        breaks.append(Break("law", f"entity {row[0]}, {row[1]}: payees hold {row[2]}e-8, the house "
                                   f"has spent {row[3]}e-8"))  # fmt: skip
    counts = conn.execute(_COUNTS).fetchone()
    assert counts is not None
    return breaks, (counts[0], counts[1])
