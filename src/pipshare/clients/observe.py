"""What a trade server says of its accounts is kept as observed, and states follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl
import psycopg

from pipshare.clients.agents import note_agents
from pipshare.clients.stage import known_accounts, stage_accounts, take_turn
from pipshare.clients.states import follow_observed
from pipshare.db import Int8, Text, copy_in, ms, read_columns
from pipshare.errors import BadInput

USERS = {"login": pl.Int64, "group": pl.String, "currency": pl.String, "rights": pl.Int64,
         "agent": pl.Int64, "country": pl.String}  # fmt: skip
_ENABLED = 1  # EnUsersRights: the account may connect
_STAGE = """
CREATE TEMP TABLE clients_observed_stage (login bigint, group_name text, currency text, status text,
    rights bigint, agent bigint, country text) ON COMMIT DROP
"""
_LAST = """
SELECT DISTINCT ON (login) id, login, group_name, currency, status, rights, agent, country,
       observed_at
  FROM clients_observed WHERE server_id = %(server)s ORDER BY login, id DESC
"""
# What an operator loaded with a later moment than the last observation may say something else:
# the platform is then observed again, though nothing changed there.
_INSERT = f"""
WITH last AS MATERIALIZED ({_LAST}),
contradicted AS (
    SELECT n.login FROM clients_account a
      JOIN clients_account_state t ON t.account_id = a.id
      JOIN clients_observed_stage n ON n.login = a.login
      JOIN last o ON o.login = a.login
     WHERE a.server_id = %(server)s AND t.source = 'load' AND t.valid_from > o.observed_at
       AND t.valid_from <= to_timestamp(%(at)s / 1000.0)
       AND ((t.group_told AND n.group_name NOT IN ('', t.group_name))
            OR (t.currency_told AND n.currency NOT IN ('', t.currency))))
INSERT INTO clients_observed
       (server_id, login, group_name, currency, status, rights, agent, country, observed_at)
SELECT %(server)s, n.login, n.group_name, n.currency, n.status, n.rights, n.agent, n.country,
       to_timestamp(%(at)s / 1000.0)
  FROM clients_observed_stage n LEFT JOIN last o USING (login)
 WHERE (n.group_name, n.currency, n.status, n.rights, n.agent, n.country)
       IS DISTINCT FROM (o.group_name, o.currency, o.status, o.rights, o.agent, o.country)
    OR n.login IN (SELECT login FROM contradicted)
"""
_HIGHEST = "SELECT coalesce(max(id), 0) FROM clients_observed"
_NEW = "SELECT login FROM clients_observed WHERE server_id = %s AND id > %s ORDER BY login"
_NOW = f"""
SELECT login, group_name, currency, status, rights, agent, country, {ms("observed_at")}
  FROM ({_LAST}) o
"""


@dataclass
class Observed:
    """What an observation came to.

    `changed`: accounts of which something was new; `followed`: logins of those that pipshare knows
    and whose state became another, from `from_ms` (UTC) at the earliest; `agents`: logins of
    which a native agent was seen first.
    """

    accounts: int = 0
    changed: int = 0
    followed: list[int] = field(default_factory=list)
    from_ms: int | None = None
    agents: list[int] = field(default_factory=list)


def observe(
    conn: psycopg.Connection[Any], server_id: int, users: pl.DataFrame, moment_ms: int
) -> Observed:
    """Keep what a server says of its accounts at a moment (UTC ms), where something changed.

    `users` has the columns of USERS: currency "" where the group is not visible, rights null where
    they are not told. In the caller's transaction, which must not book. An account that nobody
    loaded is kept all the same, and used when it is loaded. Nothing follows from absence.
    """
    rows = _checked(users)
    report = Observed(accounts=len(rows))
    if rows.is_empty():
        return report
    take_turn(conn)
    _stage(conn, rows)
    highest = _one(conn, _HIGHEST)
    report.changed = conn.execute(_INSERT, {"server": server_id, "at": moment_ms}).rowcount
    if report.changed:
        new = read_columns(conn, _NEW, [server_id, highest], schema={"login": pl.Int64})
        _follow(conn, server_id, new, report)
    named = rows.filter(pl.col("agent") != 0).select(
        "login", "agent", detail=pl.format("the account's record names agent {}", "agent")
    )
    report.agents = note_agents(conn, server_id, named, "user", moment_ms)
    return report


def observed_now(conn: psycopg.Connection[Any], server_id: int) -> pl.DataFrame:
    """Return what was last observed of each account: USERS, status, and observed_ms."""
    schema = {"login": pl.Int64, "group": pl.String, "currency": pl.String, "status": pl.String,
              "rights": pl.Int64, "agent": pl.Int64, "country": pl.String,
              "observed_ms": pl.Int64}  # fmt: skip
    return read_columns(conn, _NOW, {"server": server_id}, schema=schema)


def _checked(users: pl.DataFrame) -> pl.DataFrame:
    missing = [name for name in USERS if name not in users.columns]
    if missing:
        raise BadInput("bad_users", f"users lack the columns {', '.join(missing)}")
    texts = [name for name, kind in USERS.items() if kind == pl.String]
    return (
        users.select(pl.col(name).cast(kind) for name, kind in USERS.items())
        .with_columns(
            pl.col(texts).fill_null("").str.replace_all("\0", "").str.strip_chars(),
            pl.col("agent").fill_null(0),
            status=pl.when(pl.col("rights").fill_null(_ENABLED) & _ENABLED != 0)
            .then(pl.lit("active")).otherwise(pl.lit("disabled")),
        )
        .with_columns(pl.col("rights").fill_null(_ENABLED), pl.col("currency").str.to_uppercase())
        .filter(pl.col("login") > 0)
        .unique("login", keep="last", maintain_order=True)
        .sort("login")
    )  # fmt: skip


def _stage(conn: psycopg.Connection[Any], rows: pl.DataFrame) -> None:
    conn.execute("DROP TABLE IF EXISTS pg_temp.clients_observed_stage")
    conn.execute(_STAGE)
    copy_in(conn, "clients_observed_stage", {
        "login": Int8(rows["login"].to_numpy()),
        "group_name": Text(rows["group"]),
        **{name: Text(rows[name]) for name in ("currency", "status", "country")},
        **{name: Int8(rows[name].to_numpy()) for name in ("rights", "agent")},
    })  # fmt: skip
    conn.execute("ANALYZE clients_observed_stage")


def _follow(
    conn: psycopg.Connection[Any], server_id: int, logins: pl.DataFrame, report: Observed
) -> None:
    keys = logins.with_row_index("subject").with_columns(
        pl.col("subject").cast(pl.Int64), server_id=pl.lit(server_id, pl.Int64)
    )
    stage_accounts(conn, keys)
    accounts = known_accounts(conn).select("subject", "account_id")
    effects = follow_observed(conn, accounts) if len(accounts) else {}
    names = keys["login"].gather(list(effects))
    report.followed = names.sort().to_list()
    report.from_ms = min(effects.values(), default=None)


def _one(conn: psycopg.Connection[Any], query: str) -> int:
    row = conn.execute(query).fetchone()
    assert row is not None
    return int(row[0])
