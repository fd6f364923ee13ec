"""Load markups and typical spreads: points per symbol and account group, from a moment on."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare.db import Int4, Int8, Text, Timestamp, copy_in, ms, read_columns
from pipshare.facts import history
from pipshare.facts.lookup import look_up, refuse
from pipshare.facts.reading import LoadReport
from pipshare.market.load_groups import LOAD_SERVER
from pipshare.market.servers import servers
from pipshare.market.turn import take_turn

MOST_POINTS = 10**6 * 10**8
_KNOWN = """
SELECT id, coalesce(server_id, 0), symbol, symbol_group, mask, points_e8, {} FROM {}
"""
_SCHEMA = {"id": pl.Int64, "scope": pl.Int64, "symbol": pl.String, "symbol_group": pl.String,
           "group": pl.String, "points": pl.Int64, "from_ms": pl.Int64}  # fmt: skip
_NAMES = ("symbol", "symbol_group", "group")
_KEY = ["scope", *(f"folded_{name}" for name in _NAMES)]


def load_markups(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, *, by: str = "", reason: str = "",
    dry_run: bool = False,
) -> LoadReport:  # fmt: skip
    """Load the `markups` frame of read_table in the caller's transaction."""
    report, records = _merged(conn, "markups", "market_markup", frame)
    copy_in(conn, "market_markup", _columns(records))
    return report


def load_spreads(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, *, by: str = "", reason: str = "",
    dry_run: bool = False,
) -> LoadReport:  # fmt: skip
    """Load the `spreads` frame of read_table in the caller's transaction."""
    report, records = _merged(conn, "spreads", "market_spread", frame)
    copy_in(conn, "market_spread", _columns(records))
    return report


def _merged(
    conn: psycopg.Connection[Any], kind: str, table: str, frame: pl.DataFrame
) -> tuple[LoadReport, pl.DataFrame]:
    """Compare the rows with what is known; every record counts from its moment on."""
    take_turn(conn)
    report = LoadReport(kind, rows=len(frame))
    known_servers = {one.code: one.id for one in servers(conn)}
    named = pl.when(~pl.col("server").is_in(["", "*"])).then("server")
    frame, report.refused = look_up(
        frame.with_columns(server=named), "server", known_servers, "server", LOAD_SERVER
    )
    frame, both = refuse(
        frame, (pl.col("symbol") != "") & (pl.col("symbol_group") != ""), "two_names",
        "a row is for a symbol or for a symbol group: leave one of the two empty",
    )  # fmt: skip
    frame, bad = refuse(
        frame, ~pl.col("points").is_between(0, MOST_POINTS), "bad_points",
        "field points: points are from 0 to 1000000",
    )  # fmt: skip
    report.refused += both + bad
    folded = [pl.col(name).str.to_lowercase().alias(f"folded_{name}") for name in _NAMES]
    known = read_columns(conn, _KNOWN.format(ms("valid_from"), table), schema=_SCHEMA)
    known = known.with_columns(pl.col(_NAMES).fill_null("")).with_columns(folded)
    scope = pl.col("server_id").cast(pl.Int64).fill_null(0)
    rows = frame.with_columns(*folded, scope=scope, from_ms="valid_from")
    keys = pl.concat([known.select(_KEY), rows.select(_KEY)]).unique(maintain_order=True)
    keys = keys.with_row_index("subject").with_columns(pl.col("subject").cast(pl.Int64))
    known = history.resolve(known.join(keys, on=_KEY, maintain_order="left"))
    rows = rows.join(keys, on=_KEY, maintain_order="left")
    merged = history.merge(known, rows, {"points": 0}, first_serves=False)
    history.report(report, merged, lambda subject: " ".join(
        str(part) for part in keys.row(subject)[1:-1] if part))  # fmt: skip
    records = merged.records.join(
        rows.select("line", "scope", *_NAMES), on="line", maintain_order="left"
    )
    if len(records):
        report.touch(int(records["from_ms"].min() or 0))  # type: ignore[arg-type]
    report.refused.sort(key=lambda one: one.line)
    return report, records


def _columns(records: pl.DataFrame) -> dict[str, Any]:
    scope = records["scope"]
    return {
        "server_id": Int4(scope.to_numpy(), valid=(scope != 0).to_numpy()),
        "symbol": Text(records["symbol"]),
        "symbol_group": Text(records["symbol_group"]),
        "mask": Text(records["group"]),
        "points_e8": Int8(records["points"].to_numpy()),
        "valid_from": Timestamp(records["from_ms"].to_numpy(), unbounded=True),
    }
