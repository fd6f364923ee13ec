"""A partner's lines of a period with their trades: a page at a time, or all for a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg

PATIENCE_MS = 60
_AT_ONCE = 16  # transfers read by one statement of a file
# The legs name the transfers, the transfers the entries; of those, only the ones that name one of
# his accounts are opened.
_TRANSFERS = """
SELECT DISTINCT l.transfer_id
  FROM ledger_account a
  JOIN ledger_leg l ON l.account_id = a.id
  JOIN ledger_transfer t ON t.id = l.transfer_id
 WHERE a.payee_kind = 'partner' AND a.payee_id = %(partner)s AND t.period = %(period)s
   AND l.transfer_id <= %(transfer)s
 ORDER BY 1 DESC
"""
_ACCOUNTS = """
SELECT array_agg(id) FROM ledger_account
 WHERE payee_kind = 'partner' AND payee_id = %(partner)s
"""
_LINES = """
SELECT s.id, s.code, e.ticket, e.seq::int, e.revision::int, e.login, q.symbol, q.lots_e8,
       q.close_ms, (extract(epoch FROM q.close_at) * 1000)::bigint, e.component, c.code, p.code,
       e.level, e.reason, e.amount_e8, a.currency, a.state, t.kind, t.earned_day, e.transfer_id
  FROM (SELECT e.server_id, e.ticket, e.seq, e.revision, e.login, e.transfer_id, l.account,
               COALESCE(l.component, r.component_id) AS component,
               COALESCE(l.level, l.place)::int AS level,
               COALESCE(l.reason, 0)::int AS reason, l.amount_e8
          FROM rating_entry e
         CROSS JOIN LATERAL unnest(e.component, e.level, e.account, e.rate, e.reason,
                                   e.amount_e8) WITH ORDINALITY
                 AS l(component, level, account, rate, reason, amount_e8, place)
          LEFT JOIN plans_rate r ON r.id = l.rate AND l.component IS NULL
         WHERE e.transfer_id = ANY(%(transfers)s) AND e.account && %(accounts)s::int[]
           AND l.account = ANY(%(accounts)s)) e
  JOIN trades_trade q ON q.server_id = e.server_id AND q.ticket = e.ticket
                     AND q.revision = e.revision
  JOIN ledger_account a ON a.id = e.account
  JOIN ledger_transfer t ON t.id = e.transfer_id
  JOIN plans_component c ON c.id = e.component
  JOIN plans_programme p ON p.id = c.programme_id
  JOIN market_server s ON s.id = e.server_id
"""
_PAGE = f"""
SELECT * FROM ({_LINES}) x
    (server_id, server, ticket, seq, revision, login, symbol, lots_e8, close_ms, close_utc_ms,
     component_id, component, programme, level, reason, amount_e8, currency, state, kind, day,
     transfer)
 WHERE (transfer, server_id, ticket, seq, component_id, level)
     < (%(transfer)s, %(server)s, %(ticket)s, %(seq)s, %(component)s, %(level)s)
 ORDER BY transfer DESC, server_id DESC, ticket DESC, seq DESC, component_id DESC, level DESC
 LIMIT %(limit)s
"""
_ALL = f"{_LINES} ORDER BY q.close_at, s.code, e.ticket, e.seq, c.code, e.level"
_SUMS = """
SELECT p.code, c.code, e.level, a.currency, count(DISTINCT (e.server_id, e.ticket)),
       sum(e.amount_e8)::numeric
  FROM (SELECT e.server_id, e.ticket, l.account, l.amount_e8,
               COALESCE(l.component, r.component_id) AS component,
               COALESCE(l.level, l.place)::int AS level
          FROM rating_entry e
         CROSS JOIN LATERAL unnest(e.component, e.level, e.account, e.rate, e.amount_e8)
                 WITH ORDINALITY AS l(component, level, account, rate, amount_e8, place)
          LEFT JOIN plans_rate r ON r.id = l.rate AND l.component IS NULL
         WHERE e.transfer_id = ANY(%(transfers)s) AND e.account && %(accounts)s::int[]
           AND l.account = ANY(%(accounts)s)) e
  JOIN ledger_account a ON a.id = e.account
  JOIN plans_component c ON c.id = e.component
  JOIN plans_programme p ON p.id = c.programme_id
 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""


class Line(NamedTuple):
    """One line with its trade. Amounts in 1e-8; `close_ms` is the server's wall clock."""

    server_id: int
    server: str
    ticket: int
    seq: int
    revision: int
    login: int
    symbol: str
    lots_e8: int
    close_ms: int
    close_utc_ms: int
    component_id: int
    component: str
    programme: str
    level: int
    reason: int
    amount_e8: int
    currency: str
    state: str
    kind: str
    day: Any
    transfer: int


class Place(NamedTuple):
    """Where a page of lines ended: the identity of its last line."""

    transfer: int = 2**63 - 1
    server: int = 2**31 - 1
    ticket: int = 2**63 - 1
    seq: int = 2**15 - 1
    component: int = 2**31 - 1
    level: int = 2**15 - 1


@dataclass(frozen=True)
class Sum:
    """What one component and level came to: trades counted once each."""

    programme: str
    component: str
    level: int
    currency: str
    trades: int
    amount_e8: int


def lines(
    conn: psycopg.Connection[Any],
    partner_id: int,
    period: str,
    after: Place | None = None,
    limit: int = 100,
) -> tuple[list[Line], Place | None]:
    """Return a page of a partner's lines, the last booked first, and where the next begins.

    A page may be short of `limit` when finding so many takes long: then there is a next one.
    """
    start = after or Place()
    values: dict[str, Any] = {**start._asdict(), "partner": partner_id, "period": period}
    transfers, accounts = _mine(conn, values)
    values["accounts"] = accounts
    found: list[Line] = []
    until = time.monotonic_ns() + PATIENCE_MS * 1_000_000
    some, done = 1, 0
    while done < len(transfers):
        values |= {"transfers": transfers[done : done + some], "limit": limit + 1 - len(found)}
        found += [Line(*row) for row in conn.execute(_PAGE, values)]
        done, some = done + some, min(some * 2, 256)
        if len(found) > limit:
            last = found[limit - 1]
            return found[:limit], Place(
                last.transfer, last.server_id, last.ticket, last.seq, last.component_id, last.level
            )
        if found and done < len(transfers) and time.monotonic_ns() > until:
            return found, Place(transfer=transfers[done - 1], server=-1)
    return found, None


def all_lines(conn: psycopg.Connection[Any], partner_id: int, period: str) -> Iterator[Line]:
    """Yield all of a partner's lines of a period as they were booked, by close within a batch."""
    values = {"partner": partner_id, "period": period, "transfer": Place().transfer}
    transfers, accounts = _mine(conn, values)
    transfers.reverse()
    for first in range(0, len(transfers), _AT_ONCE):
        some = {"transfers": transfers[first : first + _AT_ONCE], "accounts": accounts}
        for row in conn.execute(_ALL, some):
            yield Line(*row)


def by_component(conn: psycopg.Connection[Any], partner_id: int, period: str) -> list[Sum]:
    """Sum a partner's lines of a period by programme, component, level and currency."""
    values = {"partner": partner_id, "period": period, "transfer": Place().transfer}
    transfers, accounts = _mine(conn, values)
    rows = conn.execute(_SUMS, {"transfers": transfers, "accounts": accounts})
    return [Sum(*[*row[:5], int(row[5])]) for row in rows]


def _mine(conn: psycopg.Connection[Any], values: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Return a partner's transfers of a period, the newest first, and his accounts."""
    accounts = conn.execute(_ACCOUNTS, values).fetchone()
    transfers = [row[0] for row in conn.execute(_TRANSFERS, values)]
    return transfers, list(accounts[0] or ()) if accounts else []
