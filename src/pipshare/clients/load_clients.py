"""Load clients: new ones, and their countries from a moment on.

Who introduced a client is a relation and belongs to partners: the rows that name a partner are
handed on in the report (`relations`) as they are.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare.clients.settle_events import take_up_events
from pipshare.clients.stage import known_clients, known_countries, numbers, stage_clients, take_turn
from pipshare.db import Int4, Text, Timestamp, copy_in
from pipshare.facts import history
from pipshare.facts.lookup import look_up, refuse
from pipshare.facts.reading import LoadReport

_ENTITIES = "SELECT code, id FROM market_entity"
_KEY = ["entity_id", "code"]


def load_clients(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, *, by: str = "", reason: str = "",
    dry_run: bool = False,
) -> LoadReport:  # fmt: skip
    """Load the `clients` frame of read_table in the caller's transaction.

    The report's `relations` has client, entity, partner, valid_from and line for each row taken
    that names a partner. A dry run is the same, rolled back by the caller.
    """
    take_turn(conn)
    report = LoadReport("clients", rows=len(frame))
    entities = dict(conn.execute(_ENTITIES).fetchall())
    frame, report.refused = look_up(
        frame, "entity", entities, "entity", "load it first with `pipshare load entities`"
    )
    frame = frame.with_columns(pl.col("country").str.to_uppercase())
    frame, bad = refuse(
        frame, (pl.col("country") != "") & ~pl.col("country").str.contains("^[A-Z]{2}$"),
        "bad_country", "field country: {country} is not a two-letter code of ISO 3166 such as CY",
    )  # fmt: skip
    report.refused += bad
    rows = frame.rename({"client": "code"})
    keys = rows.select(_KEY).unique(maintain_order=True).with_row_index("subject")
    keys = keys.with_columns(pl.col("subject").cast(pl.Int64))
    rows = rows.join(keys, on=_KEY, maintain_order="left")
    stage_clients(conn, keys)
    countries = _countries(conn, rows, report, keys["code"])
    rows = rows.join(countries.rows.filter(pl.col("verdict").is_in([history.TWICE,
                     history.UNDATED])).select("line"), on="line", how="anti",
                     maintain_order="left")  # fmt: skip
    keys = keys.join(rows.select("subject").unique(), on="subject", how="semi")
    ids, new = _with_ids(conn, keys)
    _count(report, rows, new, countries)
    _store_countries(conn, countries, ids)
    report.relations = rows.filter(pl.col("partner").is_not_null()).select(
        pl.col("code").alias("client"), "entity", "partner", "valid_from", "line"
    )
    take_up_events(conn)
    report.refused.sort(key=lambda one: one.line)
    return report


def _countries(
    conn: psycopg.Connection[Any], rows: pl.DataFrame, report: LoadReport, codes: pl.Series
) -> history.Merged:
    told = rows.filter(pl.col("country").is_not_null()).with_columns(from_ms="valid_from")
    known = known_countries(conn) if len(told) else known_countries(conn).clear()
    merged = history.merge(history.resolve(known), told, {"country": ""})
    part = LoadReport("clients")
    history.report(part, merged, lambda subject: f"client {codes[subject]}, field country")
    report.refused += part.refused
    report.touch(merged.from_ms)
    return merged


def _with_ids(
    conn: psycopg.Connection[Any], keys: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Create the clients that are not there; return subject, client_id of all, and the new."""
    known = known_clients(conn)
    new = keys.join(known, on="subject", how="anti", maintain_order="left").sort(_KEY)
    new = new.with_columns(client_id=numbers(conn, "clients_client", len(new)))
    copy_in(conn, "clients_client", {
        "id": Int4(new["client_id"].to_numpy()),
        "entity_id": Int4(new["entity_id"].to_numpy()),
        "code": Text(new["code"]),
    })  # fmt: skip
    return pl.concat([known, new.select("subject", "client_id")]), new


def _count(
    report: LoadReport, rows: pl.DataFrame, new: pl.DataFrame, countries: history.Merged
) -> None:
    """A row counts as added when it is a new client's first, as changed when a country is new."""
    first = rows.group_by("subject").agg(pl.col("line").min())
    added = first.join(new, on="subject", how="semi").select("line")
    stored = countries.records.select("line").join(added, on="line", how="anti")
    report.added, report.changed = len(added), len(stored)
    report.same = len(rows) - len(added) - len(stored)


def _store_countries(
    conn: psycopg.Connection[Any], countries: history.Merged, ids: pl.DataFrame
) -> None:
    records = countries.records.join(ids, on="subject", maintain_order="left")
    copy_in(conn, "clients_country", {
        "client_id": Int4(records["client_id"].to_numpy()),
        "country": Text(records["country"]),
        "valid_from": Timestamp(records["from_ms"].to_numpy(), unbounded=True),
    })  # fmt: skip
