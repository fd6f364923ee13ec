"""A trade as a list shows it: what it was, how it stands, what it waits for, what it earned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

Key = tuple[int, int, int]  # server id, ticket, revision
_TRADES = """
SELECT t.server_id, s.code, t.ticket, t.revision, t.state, t.login, t.position, t.symbol, t.side,
       t.lots_e8, t.close_ms, (extract(epoch FROM t.close_at) * 1000)::bigint,
       COALESCE(e.standing, 0)::int, c.partners
  FROM unnest(%(servers)s::int[], %(tickets)s::bigint[], %(revisions)s::int[])
       WITH ORDINALITY AS k(server_id, ticket, revision, place)
  JOIN trades_trade t ON t.server_id = k.server_id AND t.ticket = k.ticket
                     AND t.revision = k.revision
  JOIN market_server s ON s.id = t.server_id
  LEFT JOIN LATERAL (SELECT e.standing, e.chain_id FROM rating_entry e
                      WHERE e.server_id = t.server_id AND e.ticket = t.ticket
                      ORDER BY e.seq DESC LIMIT 1) e ON true
  LEFT JOIN attribution_chain c ON c.id = e.chain_id
 ORDER BY k.place
"""
_EARNED = """
SELECT r.server_id, r.ticket, a.currency, sum(r.amount_e8)::numeric
  FROM unnest(%(servers)s::int[], %(tickets)s::bigint[]) AS k(server_id, ticket)
  JOIN rating_line r ON r.server_id = k.server_id AND r.ticket = k.ticket
  JOIN ledger_account a ON a.id = r.account
 WHERE %(scope)s::int[] IS NULL OR a.payee_id = ANY(%(scope)s)
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_WAITS = """
SELECT DISTINCT w.server_id, w.ticket, w.reason
  FROM (SELECT server_id, ticket, reason FROM trades_waiting
        UNION ALL SELECT server_id, ticket, reason FROM attribution_waiting
        UNION ALL SELECT server_id, ticket, reason FROM rating_waiting) w
  JOIN unnest(%(servers)s::int[], %(tickets)s::bigint[]) AS k(server_id, ticket)
       ON k.server_id = w.server_id AND k.ticket = w.ticket
 ORDER BY 1, 2, 3
"""
# 0: no rating yet. What waits and was never rated stands as waiting.
STANDING_WORDS = ("", "introduced", "direct", "excluded", "history")


@dataclass(frozen=True)
class Found:
    """A trade of a list. `close_ms` is the server's wall clock, `close_utc_ms` UTC.

    `standing`: introduced, direct, excluded, history, waiting or unrated; `waits` are reasons;
    `earned` is what all partners in view earned, by currency in 1e-8.
    """

    server_id: int
    server: str
    ticket: int
    revision: int
    state: int
    login: int
    position: int
    symbol: str
    side: int
    lots_e8: int
    close_ms: int
    close_utc_ms: int
    standing: str
    waits: tuple[str, ...] = ()
    earned: dict[str, int] = field(default_factory=dict)


def dressed(
    conn: psycopg.Connection[Any], keys: Sequence[Key], scope: Sequence[int] | None
) -> list[Found]:
    """Return the trades with these keys in their order, those outside of `scope` left out."""
    if not keys:
        return []
    servers, tickets, revisions = (list(column) for column in zip(*keys, strict=True))
    values = {"servers": servers, "tickets": tickets, "revisions": revisions,
              "scope": None if scope is None else list(scope)}  # fmt: skip
    earned: dict[tuple[int, int], dict[str, int]] = {}
    for server, ticket, currency, amount in conn.execute(_EARNED, values):
        earned.setdefault((server, ticket), {})[currency] = int(amount)
    waits: dict[tuple[int, int], list[str]] = {}
    for server, ticket, reason in conn.execute(_WAITS, values):
        waits.setdefault((server, ticket), []).append(reason)
    found = []
    for *row, standing, chain in conn.execute(_TRADES, values).fetchall():
        if scope is not None and not set(scope) & set(chain or ()):
            continue
        place = (row[0], row[2])
        missing = tuple(waits.get(place, ()))
        word = STANDING_WORDS[standing] or ("waiting" if missing else "unrated")
        found.append(Found(*[*row, word, missing, earned.get(place, {})]))
    return found
