"""Load account groups: lot factor, type and treatment of a group or mask from a moment on."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare.db import Int4, Text, Timestamp, copy_in, ms, read_columns
from pipshare.facts import history
from pipshare.facts.lookup import look_up, refuse
from pipshare.facts.reading import LoadReport
from pipshare.facts.values import Refusal
from pipshare.market.fx import LARGEST
from pipshare.market.servers import servers
from pipshare.market.turn import take_turn
from pipshare.money import parse_rate

LOAD_SERVER = "load it first with `pipshare load servers`"
VALUES = {"type": "", "lot_factor": "1", "treatment": "normal", "currency": "", "book": ""}
_KNOWN = f"""
SELECT id, server_id, mask, {ms("valid_from")} AS from_ms, type, lot_factor, treatment, currency,
       book
  FROM market_group
"""
_SCHEMA = {"id": pl.Int64, "server_id": pl.Int32, "group": pl.String, "from_ms": pl.Int64,
           **dict.fromkeys(VALUES, pl.String)}  # fmt: skip
_KEY = ["server_id", "folded"]


def load_groups(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, *, by: str = "", reason: str = "",
    dry_run: bool = False,
) -> LoadReport:  # fmt: skip
    """Load the `groups` frame of read_table in the caller's transaction.

    A new mask may take accounts from one that covered them before, so every added or changed row
    counts as a change from its moment on.
    """
    take_turn(conn)
    report = LoadReport("groups", rows=len(frame))
    known_servers = {one.code: one.id for one in servers(conn)}
    frame, report.refused = look_up(frame, "server", known_servers, "server", LOAD_SERVER)
    frame, bad = _checked(frame)
    report.refused += bad
    folded = pl.col("group").str.to_lowercase().alias("folded")
    known = read_columns(conn, _KNOWN, schema=_SCHEMA).with_columns(folded)
    rows = frame.with_columns(folded, from_ms="valid_from")
    keys = pl.concat([known.select(_KEY), rows.select(_KEY)]).unique(maintain_order=True)
    keys = keys.with_row_index("subject").with_columns(pl.col("subject").cast(pl.Int64))
    known = history.resolve(known.join(keys, on=_KEY, maintain_order="left"))
    rows = rows.join(keys, on=_KEY, maintain_order="left")
    merged = history.merge(known, rows, VALUES, first_serves=False)
    history.report(report, merged, lambda subject: f"group {keys['folded'][subject]}")
    _store(conn, merged.records.join(rows.select("line", "server_id", "group"), on="line",
                                     maintain_order="left"))  # fmt: skip
    if len(merged.records):
        report.touch(int(merged.records["from_ms"].min() or 0))  # type: ignore[arg-type]
    report.refused.sort(key=lambda one: one.line)
    return report


def _checked(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Refusal]]:
    factors = {text: parse_rate(text) for text in frame["lot_factor"].drop_nulls().unique()}
    wrong = [text for text, rate in factors.items()
             if not 0 < rate.numerator <= LARGEST or rate.denominator > LARGEST]  # fmt: skip
    frame, refused = refuse(
        frame, pl.col("lot_factor").is_in(wrong), "bad_lot_factor",
        "field lot_factor: {lot_factor} is not a factor; it has to be more than 0 and exact in 16 "
        "digits. To pay nothing for a group, mark it treatment excluded or direct",
    )  # fmt: skip
    # One spelling per factor, so that 0.01 and 1/100 are no change.
    plain = {text: str(rate) for text, rate in factors.items()}
    return frame.with_columns(pl.col("lot_factor").replace(plain)), refused


def _store(conn: psycopg.Connection[Any], records: pl.DataFrame) -> None:
    copy_in(conn, "market_group", {
        "server_id": Int4(records["server_id"].to_numpy()),
        "mask": Text(records["group"]),
        **{name: Text(records[name]) for name in VALUES},
        "valid_from": Timestamp(records["from_ms"].to_numpy(), unbounded=True),
    })  # fmt: skip
