"""The keys of trades that fit a question: one window of time, one number, or what waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import psycopg

from pipshare.statements.found import Key

if TYPE_CHECKING:
    from pipshare.statements.search import Asked

_MOMENT = "timestamptz 'epoch' + %({})s * interval '1 ms'"
_CURRENT = """NOT EXISTS (SELECT FROM trades_trade n WHERE n.server_id = t.server_id
    AND n.ticket = t.ticket AND n.revision > t.revision AND n.revision > 1)"""
_ENTRY = """
  LEFT JOIN LATERAL (SELECT e.standing, e.chain_id FROM rating_entry e
                      WHERE e.server_id = t.server_id AND e.ticket = t.ticket
                      ORDER BY e.seq DESC LIMIT 1) e ON true"""
_WINDOW = """
SELECT t.server_id, t.ticket, t.revision, (extract(epoch FROM t.close_at) * 1000)::bigint
  FROM trades_trade t {entry}
 WHERE {conditions}
 ORDER BY t.close_at DESC, t.server_id DESC, t.ticket DESC LIMIT %(limit)s
"""
# A number may be a ticket, a position, or the deal that opened it. Positions are found through
# their deals: trades have no index of them.
_NUMBERED = """
SELECT t.server_id, t.ticket, max(t.revision)::int FROM trades_trade t
 WHERE t.server_id = ANY(%(servers)s) AND t.ticket = %(number)s GROUP BY 1, 2
UNION
SELECT t.server_id, t.ticket, max(t.revision)::int
  FROM (SELECT server_id, position, login FROM inbox_deal
         WHERE server_id = ANY(%(servers)s) AND deal = %(number)s AND position <> 0
         UNION SELECT server_id, position, login FROM inbox_deal
         WHERE server_id = ANY(%(servers)s) AND position = %(number)s AND position <> 0) p
  JOIN inbox_deal d ON d.server_id = p.server_id AND d.position = p.position AND d.login = p.login
  JOIN trades_trade t ON t.server_id = d.server_id AND t.ticket = d.deal
 GROUP BY 1, 2
 ORDER BY 1, 2 LIMIT 200
"""
_WAITING = """
SELECT t.server_id, t.ticket, max(t.revision)::int
  FROM ({tables}) w JOIN trades_trade t ON t.server_id = w.server_id AND t.ticket = w.ticket
 GROUP BY 1, 2 ORDER BY 1 DESC, 2 DESC LIMIT %(limit)s
"""
# An opening that is unknown is told once, by trades, and not for a trade that was rated.
_WAITS = """
(SELECT DISTINCT w.server_id, w.ticket FROM {table} w
  WHERE w.server_id = ANY(%(servers)s) AND (%(reason)s = '' OR w.reason = %(reason)s) AND {only}
    AND (w.server_id, w.ticket) < (%(server_after)s, %(ticket_after)s)
  ORDER BY 1 DESC, 2 DESC LIMIT %(limit)s)"""
_UNRATED = """NOT EXISTS (SELECT FROM rating_entry e
                WHERE e.server_id = w.server_id AND e.ticket = w.ticket)"""
_ONLY = {"trades_waiting": _UNRATED, "attribution_waiting": "TRUE", "rating_waiting": "TRUE"}
# Where the newest trades are: at the end of the table, which is only added to, or where the
# statistics end, if older ones were imported since.
_TAIL = """
SELECT (extract(epoch FROM max(close_at)) * 1000)::bigint FROM trades_trade
 WHERE ctid >= (SELECT ('(' || greatest(0, pg_relation_size('trades_trade')
                 / current_setting('block_size')::int - 40) || ',0)')::tid)
"""
_KNOWN = """
SELECT (extract(epoch FROM
         (SELECT max(b) FROM unnest(histogram_bounds::text::timestamptz[]) b)) * 1000)::bigint
  FROM pg_stats WHERE schemaname = current_schema AND tablename = 'trades_trade'
                  AND attname = 'close_at'
"""
_SERVERS = "SELECT id FROM market_server WHERE %(server)s::int IS NULL OR id = %(server)s"
STANDINGS = {"introduced": 1, "direct": 2, "excluded": 3, "history": 4}
_WITHIN = "e.chain_id IN (SELECT id FROM attribution_chain WHERE partners && %(scope)s::int[])"
_WITHOUT_WAIT = " AND ".join(
    f"NOT EXISTS (SELECT FROM {table} w WHERE w.server_id = t.server_id AND w.ticket = t.ticket)"
    for table in _ONLY
)


def numbered(conn: psycopg.Connection[Any], number: int, server_id: int | None) -> list[Key]:
    """Return the trades that a number may mean: ticket, position, or a deal of the position."""
    values = {"number": number, "servers": _servers(conn, server_id)}
    return conn.execute(_NUMBERED, values).fetchall()


def waiting_keys(
    conn: psycopg.Connection[Any],
    asked: Asked,
    after: tuple[int, int],
    scope: Sequence[int] | None,
    limit: int,
) -> list[Key]:
    """Return trades that wait, by server and ticket, the highest first, from below `after`."""
    only = dict(_ONLY)
    if scope is not None:  # whose the others are is not known, so they are nobody's
        only = {"rating_waiting": "w.partner = ANY(%(scope)s)"}
    tables = " UNION ".join(_WAITS.format(table=name, only=some) for name, some in only.items())
    values = {
        "servers": _servers(conn, asked.server_id), "reason": asked.reason, "limit": limit,
        "server_after": after[0], "ticket_after": after[1],
        "scope": None if scope is None else list(scope),
    }  # fmt: skip
    return conn.execute(_WAITING.format(tables=tables), values).fetchall()


def window(
    conn: psycopg.Connection[Any],
    asked: Asked,
    span: tuple[int, int],
    after: tuple[int, int, int],
    scope: Sequence[int] | None,
    limit: int,
) -> list[tuple[Key, int]]:
    """Return trades of a half-open span (UTC ms) as (key, close), the newest first."""
    tests = [f"t.close_at >= {_MOMENT.format('from')}"] if span[0] > 0 else []
    tests += [
        f"t.close_at < {_MOMENT.format('to')}",
        f"(t.close_at, t.server_id, t.ticket) < ({_MOMENT.format('after')}, %(server_after)s,"
        " %(ticket_after)s)",
        _CURRENT,
        *_tests(asked),
    ]
    needs_entry = scope is not None or asked.standing != ""
    if scope is not None:
        tests.append(_WITHIN)
    query = _WINDOW.format(entry=_ENTRY if needs_entry else "", conditions=" AND ".join(tests))
    values = {
        "from": span[0], "to": span[1], "limit": limit, "after": after[0],
        "server_after": after[1], "ticket_after": after[2], "server": asked.server_id,
        "login": asked.login, "symbol": _like(asked.symbol),
        "standing": STANDINGS.get(asked.standing),
        "scope": None if scope is None else list(scope),
    }  # fmt: skip
    return [((row[0], row[1], row[2]), row[3]) for row in conn.execute(query, values)]


def _tests(asked: Asked) -> list[str]:
    tests = []
    if asked.server_id is not None:
        tests.append("t.server_id = %(server)s")
    if asked.login is not None:
        tests.append("t.login = %(login)s")
    if asked.symbol:
        tests.append("t.symbol ILIKE %(symbol)s")
    if asked.state:
        tests.append({"closed": "t.state = 1", "cancelled": "t.state = 0"}.get(
            asked.state, "t.revision > 1"))  # fmt: skip
    if asked.standing in STANDINGS:
        tests.append("e.standing = %(standing)s")
    elif asked.standing == "unrated":
        tests += ["e.standing IS NULL", _WITHOUT_WAIT]
    return tests


def newest_ms(conn: psycopg.Connection[Any]) -> int:
    """Return about when the newest trade closed (UTC ms): where a search begins, 0 without any."""
    moments = [row[0] for query in (_TAIL, _KNOWN) for row in conn.execute(query)]
    return max((moment for moment in moments if moment is not None), default=0)


def is_small(conn: psycopg.Connection[Any]) -> bool:
    """Whether all trades are as quickly read as any window of them."""
    row = conn.execute("SELECT pg_relation_size('trades_trade') < 16 * 1024 * 1024").fetchone()
    return bool(row and row[0])


def _servers(conn: psycopg.Connection[Any], server_id: int | None) -> list[int]:
    return [row[0] for row in conn.execute(_SERVERS, {"server": server_id})]


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
