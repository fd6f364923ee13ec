"""Find many clients and accounts at once: keys go up as columns, numbers come back as columns."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare.db import Int4, Int8, Text, copy_in, ms, read_columns

_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('pipshare clients', 0))"
_CLIENT_STAGE = """
CREATE TEMP TABLE clients_client_stage (subject integer, entity_id integer, code text)
ON COMMIT DROP
"""
_CLIENTS = """
SELECT s.subject, c.id FROM clients_client_stage s
  JOIN clients_client c ON c.entity_id = s.entity_id AND c.code = s.code
"""
_ACCOUNT_STAGE = """
CREATE TEMP TABLE clients_account_stage (subject integer, server_id integer, login bigint)
ON COMMIT DROP
"""
_ACCOUNTS = """
SELECT s.subject, a.id, coalesce(o.client_id, a.client_id) FROM clients_account_stage s
  JOIN clients_account a ON a.server_id = s.server_id AND a.login = s.login
  LEFT JOIN (SELECT DISTINCT ON (account_id) account_id, client_id FROM clients_owner
              ORDER BY account_id, id DESC) o ON o.account_id = a.id
"""
_STATES = f"""
SELECT s.subject, t.id, t.group_name, t.currency, t.status, {ms("t.valid_from")}, t.source,
       t.group_told, t.currency_told
  FROM clients_account_stage s
  JOIN clients_account a ON a.server_id = s.server_id AND a.login = s.login
  JOIN clients_account_state t ON t.account_id = a.id
"""
_OBSERVED = f"""
SELECT s.subject, o.id, o.group_name, o.currency, o.status, {ms("o.observed_at")}
  FROM clients_account_stage s
  JOIN clients_observed o ON o.server_id = s.server_id AND o.login = s.login
"""
_COUNTRIES = f"""
SELECT s.subject, t.id, t.country, {ms("t.valid_from")} FROM clients_client_stage s
  JOIN clients_client c ON c.entity_id = s.entity_id AND c.code = s.code
  JOIN clients_country t ON t.client_id = c.id
"""
_SEEN = {"subject": pl.Int64, "id": pl.Int64, "group": pl.String, "currency": pl.String,
         "status": pl.String, "from_ms": pl.Int64}  # fmt: skip
# A thousand in a row: rows are what costs.
_NUMBERS = """
SELECT '{' || string_agg(nextval(s.name)::text, ',') || '}'
  FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name) s, generate_series(0, %s - 1) n
 GROUP BY n / 1000 ORDER BY min(n)
"""


def take_turn(conn: psycopg.Connection[Any]) -> None:
    """Wait until no other load of clients or accounts runs; holds until the transaction ends."""
    conn.execute(_TURN)


def stage_clients(conn: psycopg.Connection[Any], keys: pl.DataFrame) -> None:
    """Send up `subject`, `entity_id`, `code`, for the two readings below."""
    conn.execute("DROP TABLE IF EXISTS pg_temp.clients_client_stage")
    conn.execute(_CLIENT_STAGE)
    copy_in(conn, "clients_client_stage", {
        "subject": Int4(keys["subject"].to_numpy()),
        "entity_id": Int4(keys["entity_id"].to_numpy()),
        "code": Text(keys["code"]),
    })  # fmt: skip
    conn.execute("ANALYZE clients_client_stage")


def known_clients(conn: psycopg.Connection[Any]) -> pl.DataFrame:
    """Return `subject`, `client_id` of those staged clients that exist."""
    return read_columns(conn, _CLIENTS, schema={"subject": pl.Int64, "client_id": pl.Int64})


def known_countries(conn: psycopg.Connection[Any]) -> pl.DataFrame:
    """Return `subject`, `id`, `country`, `from_ms` of the staged clients."""
    schema = {"subject": pl.Int64, "id": pl.Int64, "country": pl.String, "from_ms": pl.Int64}
    return read_columns(conn, _COUNTRIES, schema=schema)


def stage_accounts(conn: psycopg.Connection[Any], keys: pl.DataFrame) -> None:
    """Send up `subject`, `server_id`, `login`, for the readings below."""
    conn.execute("DROP TABLE IF EXISTS pg_temp.clients_account_stage")
    conn.execute(_ACCOUNT_STAGE)
    copy_in(conn, "clients_account_stage", {
        "subject": Int4(keys["subject"].to_numpy()),
        "server_id": Int4(keys["server_id"].to_numpy()),
        "login": Int8(keys["login"].to_numpy()),
    })  # fmt: skip
    conn.execute("ANALYZE clients_account_stage")


def known_accounts(conn: psycopg.Connection[Any]) -> pl.DataFrame:
    """Return `subject`, `account_id`, `owner_id` (client) of the staged accounts that exist."""
    schema = {"subject": pl.Int64, "account_id": pl.Int64, "owner_id": pl.Int64}
    return read_columns(conn, _ACCOUNTS, schema=schema)


def known_states(conn: psycopg.Connection[Any]) -> pl.DataFrame:
    """Return all records of the staged accounts: `subject`, `id`, `group`, `currency`, `status`,
    `from_ms`, `source`, `group_told`, `currency_told`."""
    schema = {**_SEEN, "source": pl.String, "group_told": pl.Boolean, "currency_told": pl.Boolean}
    return read_columns(conn, _STATES, schema=schema)


def known_observations(conn: psycopg.Connection[Any]) -> pl.DataFrame:
    """Return what was observed of the staged accounts, whether they exist or not: `subject`, `id`,
    `group`, `currency`, `status`, `from_ms`."""
    return read_columns(conn, _OBSERVED, schema=_SEEN)


def numbers(conn: psycopg.Connection[Any], table: str, count: int) -> pl.Series:
    """Take `count` new ids of a table, so that rows that refer to each other go up as columns."""
    found = read_columns(conn, _NUMBERS, [table, count], schema={"id": pl.List(pl.Int64)})
    return found["id"].explode().sort()
