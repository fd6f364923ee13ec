"""Write states of accounts: what a load tells, and what follows from observations."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare.clients.follow import follow
from pipshare.clients.stage import known_observations, known_states
from pipshare.db import Bool, Int4, Text, Timestamp, copy_in


def store_states(
    conn: psycopg.Connection[Any], records: pl.DataFrame, accounts: pl.DataFrame
) -> None:
    """Append records (follow.SCHEMA) of the accounts with these `subject`, `account_id`."""
    rows = records.join(accounts, on="subject").sort("account_id", "from_ms")
    copy_in(conn, "clients_account_state", {
        "account_id": Int4(rows["account_id"].to_numpy()),
        "group_name": Text(rows["group"]),
        "currency": Text(rows["currency"]),
        "status": Text(rows["status"]),
        "valid_from": Timestamp(rows["from_ms"].to_numpy(), unbounded=True),
        "source": Text(rows["source"]),
        "group_told": Bool(rows["group_told"].to_numpy()),
        "currency_told": Bool(rows["currency_told"].to_numpy()),
    })  # fmt: skip


def follow_observed(conn: psycopg.Connection[Any], accounts: pl.DataFrame) -> dict[int, int]:
    """Bring the staged accounts' states in line with what was observed of them.

    `accounts`: subject, account_id of those that exist. Returns for each subject that got another
    state the moment (UTC ms) from which its truth differs.
    """
    observed = known_observations(conn)
    if observed.is_empty():
        return {}
    records = follow(known_states(conn), observed)
    store_states(conn, records, accounts)
    return dict(records.group_by("subject").agg(pl.col("effect").min()).iter_rows())
