"""Bulk reads of what attribution depends on: accounts, their states, relations, parents."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare import db
from pipshare.facts import history
from pipshare.period import FOREVER_MS

_KNOWN = "recorded_at <= COALESCE(to_timestamp(%(known)s::bigint / 1000.0), 'infinity')"
# Whom merged clients end up as.
_SAME = f"""(SELECT DISTINCT ON (client_id) client_id, into_id FROM clients_merge
              WHERE {_KNOWN} ORDER BY client_id, id DESC)"""
# The newest correction of who owns an account holds for its whole past.
_ACCOUNTS = f"""
SELECT a.id, a.login, COALESCE(m.into_id, o.client_id, a.client_id)
  FROM clients_account a
  LEFT JOIN (SELECT DISTINCT ON (account_id) account_id, client_id FROM clients_owner
              WHERE {_KNOWN} ORDER BY account_id, id DESC) o ON o.account_id = a.id
  LEFT JOIN {_SAME} m ON m.client_id = COALESCE(o.client_id, a.client_id)
 WHERE a.server_id = %(server)s {{some}} ORDER BY a.login
"""
_STATES = f"""
SELECT s.account_id, s.group_name, s.currency, s.status, {db.ms("s.valid_from")}, s.id,
       s.source = 'first_known'
  FROM clients_account_state s JOIN clients_account a ON a.id = s.account_id
 WHERE a.server_id = %(server)s AND s.{_KNOWN} {{some}} ORDER BY s.account_id, s.id
"""
# An account is held from ever on; decisions (3 pay, 2 none: standing.AGENT_*) come after it.
_AGENTS = f"""
SELECT a.id, 1, 0::bigint, {FOREVER_MS}::bigint, 0
  FROM clients_agent g JOIN clients_account a ON a.server_id = g.server_id AND a.login = g.login
 WHERE g.server_id = %(server)s AND g.{_KNOWN} {{some}} GROUP BY a.id
UNION ALL
SELECT a.id, CASE g.decision WHEN 'pay' THEN 3 ELSE 2 END, {db.ms("g.valid_from")},
       {FOREVER_MS}::bigint, g.id
  FROM clients_agent_decision g
  JOIN clients_account a ON a.server_id = g.server_id AND a.login = g.login
 WHERE g.server_id = %(server)s AND g.{_KNOWN} {{some}}
"""
# What was recorded of clients merged into another fills what is not known of him himself: records
# with higher ids hold.
_RELATIONS = f"""
SELECT r.client_id, COALESCE(r.partner_id, 0), {db.ms("r.valid_from")}, {db.ms("r.valid_to")},
       r.id::bigint
  FROM partners_client r WHERE r.{_KNOWN} {{some}}
UNION ALL
SELECT m.into_id, COALESCE(r.partner_id, 0), {db.ms("r.valid_from")}, {db.ms("r.valid_to")},
       r.id - 4294967296
  FROM {_SAME} m JOIN partners_client r ON r.client_id = m.client_id
 WHERE m.into_id IS NOT NULL AND r.{_KNOWN} {{merged}}
 ORDER BY 1, 5
"""
_PARENTS = f"""
SELECT r.partner_id, COALESCE(r.parent_id, 0), {db.ms("r.valid_from")}, {db.ms("r.valid_to")}, r.id
  FROM partners_parent r WHERE r.{_KNOWN}
"""
_THEIR_LOGINS = "AND a.login = ANY(%(some)s::bigint[])"
_THEIR_CLIENTS = "AND r.client_id = ANY(%(some)s::integer[])"
_MERGED_INTO = "AND m.into_id = ANY(%(some)s::integer[])"
_ACCOUNT = dict.fromkeys(("id", "login", "client"), pl.Int64)
_STATE = {
    "subject": pl.Int64, "group": pl.String, "currency": pl.String, "status": pl.String,
    "from_ms": pl.Int64, "id": pl.Int64, "assumed": pl.Boolean,
}  # fmt: skip
_RELATION = dict.fromkeys(("subject", "above", "start", "end", "id"), pl.Int64)
Ids = list[int] | None


def accounts(
    conn: psycopg.Connection[Any], server_id: int, logins: Ids, known_at: int | None
) -> pl.DataFrame:
    """Return id, login, client of a server's accounts, by login; of all when logins is None."""
    query = _ACCOUNTS.format(some="" if logins is None else _THEIR_LOGINS)
    values = {"server": server_id, "some": logins, "known": known_at}
    return db.read_columns(conn, query, values, schema=_ACCOUNT)


def count(conn: psycopg.Connection[Any], server_id: int) -> int:
    """Return how many accounts a server has."""
    query = "SELECT count(*) FROM clients_account WHERE server_id = %s"
    row = conn.execute(query, (server_id,)).fetchone()
    return row[0] if row else 0


def states(
    conn: psycopg.Connection[Any], server_id: int, logins: Ids, known_at: int | None
) -> pl.DataFrame:
    """Return the states of accounts in force: subject, group, currency, status, from_ms, id.

    `assumed`: what was observed only later serves for this time.
    """
    query = _STATES.format(some="" if logins is None else _THEIR_LOGINS)
    values = {"server": server_id, "some": logins, "known": known_at}
    recorded = db.read_columns(conn, query, values, schema=_STATE)
    return history.resolve(recorded.with_columns(pl.col("group", "currency").fill_null("")))


def agents(
    conn: psycopg.Connection[Any], server_id: int, logins: Ids, known_at: int | None
) -> pl.DataFrame:
    """Return where the platform pays an agent: subject (account), above (AGENT_*), start, end, id.

    Of records that hold at one moment the one with the highest id counts.
    """
    query = _AGENTS.format(some="" if logins is None else _THEIR_LOGINS)
    values = {"server": server_id, "some": logins, "known": known_at}
    return db.read_columns(conn, query, values, schema=_RELATION)


def relations(conn: psycopg.Connection[Any], clients: Ids, known_at: int | None) -> pl.DataFrame:
    """Return clients' relations: subject, above (0 = direct), start, end, id."""
    some = {"some": "", "merged": ""}
    if clients is not None:
        some = {"some": _THEIR_CLIENTS, "merged": _MERGED_INTO}
    query = _RELATIONS.format(**some)
    return db.read_columns(conn, query, {"some": clients, "known": known_at}, schema=_RELATION)


def parents(conn: psycopg.Connection[Any], known_at: int | None) -> pl.DataFrame:
    """Return everybody's parents: subject, above (0 = a root), start, end, id."""
    return db.read_columns(conn, _PARENTS, {"known": known_at}, schema=_RELATION)
