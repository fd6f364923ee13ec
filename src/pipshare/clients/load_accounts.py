"""Load trading accounts: whose they are, and their group, currency and status over time."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare.clients.owner import settle_owners
from pipshare.clients.settle_events import take_up_events
from pipshare.clients.stage import (
    known_accounts,
    known_clients,
    known_states,
    numbers,
    stage_accounts,
    stage_clients,
    take_turn,
)
from pipshare.clients.states import follow_observed, store_states
from pipshare.db import Int4, Int8, copy_in
from pipshare.facts import history
from pipshare.facts.lookup import look_up, refuse
from pipshare.facts.reading import LoadReport

VALUES = {"group": "", "currency": "USD", "status": "active"}
_SERVERS = "SELECT code, id, entity_id FROM market_server"
_KEY = ["server_id", "login"]


def load_accounts(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, *, by: str = "", reason: str = "",
    dry_run: bool = False,
) -> LoadReport:  # fmt: skip
    """Load the `accounts` frame of read_table in the caller's transaction.

    An account of another client is proposed for correction when `by` and `reason` are given, else
    refused. A dry run is the same, rolled back by the caller.
    """
    take_turn(conn)
    report = LoadReport("accounts", rows=len(frame))
    frame = _with_servers(conn, frame, report)
    frame = _with_clients(conn, frame, report)
    keys = frame.select(_KEY).unique(maintain_order=True).with_row_index("subject")
    keys = keys.with_columns(pl.col("subject").cast(pl.Int64))
    rows = frame.join(keys, on=_KEY, maintain_order="left")
    stage_accounts(conn, keys)
    known = known_accounts(conn)
    rows, proposed = settle_owners(conn, rows, known, report, by=by, reason=reason)
    told = rows.with_columns(from_ms="valid_from")
    merged = history.merge(history.resolve(known_states(conn)), told, VALUES)
    _report(report, merged, keys, proposed)
    accounts = _with_ids(conn, keys, known, rows, merged)
    _store_states(conn, merged, rows, accounts)
    for subject, effect in follow_observed(conn, accounts).items():
        if subject in known["subject"]:
            report.touch(effect)
    take_up_events(conn)
    report.refused.sort(key=lambda one: one.line)
    return report


def _with_servers(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, report: LoadReport
) -> pl.DataFrame:
    servers = conn.execute(_SERVERS).fetchall()
    ids = {code: id_ for code, id_, _ in servers}
    frame, unknown = look_up(
        frame, "server", ids, "server", "load it first with `pipshare load servers`"
    )
    frame, bad = refuse(
        frame, pl.col("login") <= 0, "bad_login", "field login: {login} is no account number"
    )
    report.refused += unknown + bad
    entity = {id_: entity_id for _, id_, entity_id in servers}
    return frame.with_columns(
        entity_id=pl.col("server_id").replace_strict(entity, default=None, return_dtype=pl.Int64)
    )


def _with_clients(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, report: LoadReport
) -> pl.DataFrame:
    """Add client_id: the client of that code in the server's entity."""
    frame = frame.rename({"client": "code"})
    keys = frame.select("entity_id", "code").unique(maintain_order=True).with_row_index("subject")
    stage_clients(conn, keys)
    known = keys.with_columns(pl.col("subject").cast(pl.Int64)).join(
        known_clients(conn), on="subject"
    )
    frame = frame.join(
        known.drop("subject"), on=["entity_id", "code"], how="left", maintain_order="left"
    )
    frame, unknown = refuse(
        frame, pl.col("client_id").is_null(), "unknown_client",
        "field client: {code} is not known in the server's entity; load it first with "
        "`pipshare load clients`",
    )  # fmt: skip
    report.refused += unknown
    return frame


def _report(
    report: LoadReport, merged: history.Merged, keys: pl.DataFrame, proposed: pl.DataFrame
) -> None:
    """Count the rows; one whose owner is proposed counts as that, whatever it says besides."""
    once = merged.rows.join(proposed.select("line"), on="line", how="anti", maintain_order="left")
    part = history.Merged(merged.records, once, merged.from_ms)
    history.report(report, part, lambda subject: f"account {keys['login'][subject]}")
    told = proposed.join(merged.rows, on="line", maintain_order="left")
    refused = told["verdict"].is_in([history.TWICE, history.UNDATED])
    for line, login in told.filter(refused).select("line", "login").iter_rows():
        report.notes.append(
            f"line {line}, account {login}: the new owner is proposed; what it says of group, "
            "currency and status cannot be placed in time and was left out"
        )


def _with_ids(
    conn: psycopg.Connection[Any], keys: pl.DataFrame, known: pl.DataFrame, rows: pl.DataFrame,
    merged: history.Merged,
) -> pl.DataFrame:  # fmt: skip
    """Create the accounts that are not there; return subject, account_id of all."""
    owners = rows.unique("subject", keep="first").select("subject", "client_id")
    told = merged.records.select("subject").unique()
    new = (
        keys.join(known, on="subject", how="anti")
        .join(told, on="subject", how="semi")
        .join(owners, on="subject")
        .sort(_KEY)
    )
    new = new.with_columns(account_id=numbers(conn, "clients_account", len(new)))
    copy_in(conn, "clients_account", {
        "id": Int4(new["account_id"].to_numpy()),
        "server_id": Int4(new["server_id"].to_numpy()),
        "login": Int8(new["login"].to_numpy()),
        "client_id": Int4(new["client_id"].to_numpy()),
    })  # fmt: skip
    columns = ["subject", "account_id"]
    return pl.concat([known.select(columns), new.select(columns)])


def _store_states(
    conn: psycopg.Connection[Any], merged: history.Merged, rows: pl.DataFrame,
    accounts: pl.DataFrame,
) -> None:  # fmt: skip
    told = rows.select(
        "line", group_told=pl.col("group").is_not_null(),
        currency_told=pl.col("currency").is_not_null(),
    )  # fmt: skip
    records = merged.records.join(told, on="line").with_columns(source=pl.lit("load"))
    store_states(conn, records, accounts)
