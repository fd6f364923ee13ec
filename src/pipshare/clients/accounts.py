"""Accounts as columns: whose they are, and their states over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare.db import Int8, copy_in, ms, read_columns
from pipshare.facts import history
from pipshare.period import Millis

_MANY = 200_000  # logins: from here on the whole server is read faster than by login
_STAGE = "CREATE TEMP TABLE clients_login_stage (login bigint) ON COMMIT DROP"
_SOME = " AND a.login IN (SELECT login FROM clients_login_stage)"
_ACCOUNTS = """
SELECT a.login, a.id, coalesce(m.into_id, o.client_id, a.client_id) AS client_id
  FROM clients_account a
  LEFT JOIN (SELECT DISTINCT ON (account_id) account_id, client_id FROM clients_owner
              ORDER BY account_id, id DESC) o ON o.account_id = a.id
  LEFT JOIN clients_same m ON m.client_id = coalesce(o.client_id, a.client_id)
 WHERE a.server_id = %s
"""
_OWNED = "SELECT x.*, c.code FROM ({accounts}) x JOIN clients_client c ON c.id = x.client_id"
_STATES = f"""
SELECT t.account_id, t.id, {ms("t.valid_from")}, t.group_name, t.currency, t.status
  FROM clients_account a JOIN clients_account_state t ON t.account_id = a.id
 WHERE a.server_id = %s
"""
_STATE_SCHEMA = {"subject": pl.Int64, "id": pl.Int64, "from_ms": pl.Int64, "group_name": pl.String,
                 "currency": pl.String, "status": pl.String}  # fmt: skip


@dataclass(frozen=True)
class Accounts:
    """A server's accounts (parallel columns, in order of login) and their states.

    `states`: account_id, from_ms, group_name, currency, status; what was true, in order of the
    first two: a row holds until the account's next. Before an account's first row that row serves
    too, and `state_at` says so.
    """

    login: npt.NDArray[np.int64]
    account_id: npt.NDArray[np.int64]
    client_id: npt.NDArray[np.int64]
    code: pl.Series  # the client's
    states: pl.DataFrame

    def state_at(
        self, account_id: Millis, utc_ms: Millis
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return (row of `states`, -1 unknown account; was it observed by then) per moment."""
        ids, starts = (self.states[c].to_numpy() for c in ("account_id", "from_ms"))
        if not len(ids):
            return np.full(len(account_id), -1, np.int64), np.zeros(len(account_id), np.bool_)
        first = np.searchsorted(ids, account_id, side="left")
        # Few records each: a scan over the later ones costs less than a joint key.
        after = np.searchsorted(ids, account_id, side="right")
        place, known = first.copy(), first < after
        for step in range(1, int((after - first).max(initial=0))):
            later = np.minimum(first + step, len(ids) - 1)
            place = np.where((first + step < after) & (starts[later] <= utc_ms), later, place)
        held = np.minimum(place, len(ids) - 1)
        return np.where(known, place, -1), known & (starts[held] <= utc_ms)


def accounts(
    conn: psycopg.Connection[Any], server_id: int, logins: npt.NDArray[np.int64] | None = None
) -> Accounts:
    """Return the accounts of a server, or those of some logins that are known."""
    some = ""
    if logins is not None and len(logins) < _MANY:
        some = _SOME
        conn.execute("DROP TABLE IF EXISTS pg_temp.clients_login_stage")
        conn.execute(_STAGE)
        copy_in(conn, "clients_login_stage", {"login": Int8(np.unique(logins))})
        conn.execute("ANALYZE clients_login_stage")
    schema = {"login": pl.Int64, "id": pl.Int64, "client_id": pl.Int64, "code": pl.String}
    query = _OWNED.format(accounts=_ACCOUNTS + some)
    found = read_columns(conn, query, [server_id], schema=schema).sort("login")
    states = history.resolve(read_columns(conn, _STATES + some, [server_id], schema=_STATE_SCHEMA))
    return Accounts(
        found["login"].to_numpy(), found["id"].to_numpy(), found["client_id"].to_numpy(),
        found["code"], states.drop("id").rename({"subject": "account_id"}),
    )  # fmt: skip


_LOGINS = """
SELECT server_id, array_agg(login ORDER BY login) FROM clients_account_owner
 WHERE client_id = ANY(%s::int[]) GROUP BY server_id
"""


def logins_of(conn: psycopg.Connection[Any], client_ids: list[int]) -> dict[int, list[int]]:
    """Return the accounts that clients own by now, by server id."""
    return dict(conn.execute(_LOGINS, (client_ids,)).fetchall())


_OWNERS = """
SELECT client_id, server_id, login FROM clients_account_owner
 WHERE client_id = ANY(%s::int[]) ORDER BY client_id, server_id, login
"""


def owned_by(conn: psycopg.Connection[Any], client_ids: list[int]) -> pl.DataFrame:
    """Return the accounts that clients own by now: client_id, server_id and login."""
    schema = {"client_id": pl.Int64, "server_id": pl.Int64, "login": pl.Int64}
    return read_columns(conn, _OWNERS, (client_ids,), schema=schema)
