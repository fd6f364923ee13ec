"""What each partner holds, and what waits and why: the first screen of a finance desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

_PARTNERS = """
SELECT p.code, p.name, a.currency, a.state, sum(l.amount_e8)::numeric
  FROM ledger_account a
  JOIN ledger_leg l ON l.account_id = a.id
  JOIN partners_partner p ON p.id = a.payee_id
 WHERE a.payee_kind = 'partner'
 GROUP BY p.code, p.name, a.currency, a.state
 ORDER BY p.code, a.currency, a.state
"""
# Each stage keeps the rows that wait in it; a person asks for all of them at once. An opening
# that is unknown is told once, by trades, and not for a trade that was rated all the same.
_WAITING = """
SELECT s.code, w.reason, COALESCE(p.code, w.key), count(DISTINCT w.ticket), min(w.ticket),
       min(w.since)
  FROM (SELECT server_id, ticket, reason, key, since FROM trades_waiting t
         WHERE NOT EXISTS (SELECT FROM rating_entry e WHERE e.server_id = t.server_id
                                                        AND e.ticket = t.ticket)
           AND %(scope)s::int[] IS NULL
        UNION ALL SELECT server_id, ticket, reason, key, since FROM attribution_waiting
         WHERE %(scope)s::int[] IS NULL
        UNION ALL SELECT server_id, ticket, reason, key, since FROM rating_waiting
         WHERE reason <> 'opening_unknown'
           AND (%(scope)s::int[] IS NULL OR partner = ANY(%(scope)s))) w
  JOIN market_server s ON s.id = w.server_id
  LEFT JOIN partners_partner p ON w.reason IN ('no_terms', 'not_in_force') AND p.id::text = w.key
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 4 DESC, 3
"""


@dataclass(frozen=True)
class Held:
    """What a partner holds in one state of one wallet."""

    partner: str
    name: str
    currency: str
    state: str
    amount_e8: int


@dataclass(frozen=True)
class Waiting:
    """Trades of one server that wait for the same thing."""

    server: str
    reason: str
    key: str
    trades: int
    example: int
    since: str


def overview(conn: psycopg.Connection) -> tuple[list[Held], list[Waiting]]:
    """Return what every partner holds, and everything that waits."""
    held = [
        Held(code, name, currency, state, int(amount))
        for code, name, currency, state, amount in conn.execute(_PARTNERS)
    ]
    return held, waiting(conn)


def waiting(conn: psycopg.Connection, scope: Sequence[int] | None = None) -> list[Waiting]:
    """Return everything that waits, by server and reason.

    With a `scope` of partners only what waits for them: whose the others are is not known.
    """
    values = {"scope": None if scope is None else list(scope)}
    return [
        Waiting(server, reason, key, trades, example, since.isoformat(" ", "seconds"))
        for server, reason, key, trades, example, since in conn.execute(_WAITING, values)
    ]


_LONGEST = """
SELECT s.code, e.ticket FROM rating_entry e JOIN market_server s ON s.id = e.server_id
 WHERE e.seq = 1 AND e.standing = 1 AND NOT 0 = ANY(e.amount_e8)
 ORDER BY cardinality(e.account) DESC, e.fx IS NULL, s.platform DESC, e.ticket LIMIT 1
"""


def longest_chain(conn: psycopg.Connection) -> tuple[str, int] | None:
    """Return (server, ticket) of a trade that pays many levels: a good one to show."""
    row = conn.execute(_LONGEST).fetchone()
    return (row[0], row[1]) if row else None
