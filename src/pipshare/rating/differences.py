"""What a second rating of a trade posts: the difference to what stands, line by line."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import psycopg

from pipshare import db

_KEY = ["ticket", "component", "level", "partner", "account", "day"]
_POSTED = """
SELECT ticket, component, level, partner, account, day - date '1970-01-01' AS day,
       sum(amount_e8)::bigint AS amount_e8,
       sum(orig_e8)::bigint AS orig_e8
  FROM rating_line
 WHERE server_id = %(server)s AND ticket = ANY(%(tickets)s::bigint[])
 GROUP BY 1, 2, 3, 4, 5, 6
"""
_LATEST = """
SELECT DISTINCT ON (ticket) ticket, seq, revision, standing, chain_id
  FROM rating_entry
 WHERE server_id = %(server)s AND ticket = ANY(%(tickets)s::bigint[])
 ORDER BY ticket, seq DESC
"""
_POSTED_SCHEMA = {
    "ticket": pl.Int64, "component": pl.Int64, "level": pl.Int64, "partner": pl.Int64,
    "account": pl.Int64, "day": pl.Int64, "amount_e8": pl.Int64, "orig_e8": pl.Int64,
}  # fmt: skip
_LATEST_SCHEMA = {
    "ticket": pl.Int64, "seq": pl.Int64, "revision": pl.Int64, "standing": pl.Int64,
    "chain_id": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True)
class Before:
    """What stands for some trades: their newest entries, and their lines as summed up so far."""

    entries: pl.DataFrame
    lines: pl.DataFrame


_TOUCHED = """
SELECT EXISTS (SELECT FROM rating_entry WHERE server_id = %(s)s AND ticket BETWEEN %(a)s AND %(b)s)
    OR EXISTS (SELECT FROM rating_waiting WHERE server_id = %(s)s
                                            AND ticket BETWEEN %(a)s AND %(b)s)
"""


def untouched(conn: psycopg.Connection, server_id: int, low: int, high: int) -> bool:
    """Tell that no trade with a ticket from `low` to `high` was rated, and none of them waits."""
    row = conn.execute(_TOUCHED, {"s": server_id, "a": low, "b": high}).fetchone()
    return row is not None and not row[0]


def before(conn: psycopg.Connection, server_id: int, tickets: pl.Series) -> Before:
    """Return what stands for these trades of a server."""
    wanted = tickets.to_list()
    return Before(latest(conn, server_id, wanted), posted(conn, server_id, wanted))


def next_seq(trades: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Number the next entries of each trade, and drop the wish for one where nothing is new.

    Pure. `trades` has a row per trade and earned day: ticket, day, revision, standing, chain_id,
    has_lines and wanted; `entries` is what `latest` returns. A trade that has come to another chain
    gets an entry though it has no line: entries tell in whose windows a trade counted so far
    (pipeline.windows.notes). One rated before that now waits as a whole still takes its lines back.
    """
    known = entries.rename({"seq": "old_seq", "revision": "old_rev", "standing": "old_standing",
                            "chain_id": "old_chain"})  # fmt: skip
    both = trades.join(known, on="ticket", how="left", maintain_order="left")
    is_first = pl.col("old_seq").is_null()
    says_more = (
        pl.col("has_lines")
        | (pl.col("revision") != pl.col("old_rev"))
        | (pl.col("standing") != pl.col("old_standing"))
        | (pl.col("chain_id") != pl.col("old_chain"))
    )
    kept = (pl.col("wanted") & (is_first | says_more)) | (~is_first & pl.col("has_lines"))
    return both.filter(kept).with_columns(
        seq=pl.col("old_seq").fill_null(0) + pl.int_range(1, pl.len() + 1).over("ticket")
    )


def posted(conn: psycopg.Connection, server_id: int, tickets: list[int]) -> pl.DataFrame:
    """Return what stands posted for these trades, one row per line identity and account."""
    params = {"server": server_id, "tickets": as_array(tickets)}
    return db.read_columns(conn, _POSTED, params, schema=_POSTED_SCHEMA)


def latest(conn: psycopg.Connection, server_id: int, tickets: list[int]) -> pl.DataFrame:
    """Return each trade's newest entry: ticket, seq, revision, standing and chain_id.

    No row = it was never rated.
    """
    params = {"server": server_id, "tickets": as_array(tickets)}
    return db.read_columns(conn, _LATEST, params, schema=_LATEST_SCHEMA)


def as_array(numbers: list[int]) -> str:
    """Write numbers as PostgreSQL's array text: a driver quotes each of 100,000 by itself."""
    return "{" + ",".join(map(str, numbers)) + "}"


def difference(rated: pl.DataFrame, standing: pl.DataFrame) -> pl.DataFrame:
    """Return the lines to post so that what stands becomes what was rated.

    Pure. `rated` has ticket, component, level, partner, account, day, rate, reason, amount_e8,
    orig_e8, fx, contra; `standing` is what `posted` returns. A line posted before and rated no
    more comes back with the opposite amount, rate 0, reason 0 and no contra account; one whose
    earned day moved is taken back on the old day and posted on the new. A line of zero is new
    only when nothing of its identity was posted before.
    """
    before = standing.rename({"amount_e8": "amount_before", "orig_e8": "orig_before"})
    both = rated.join(before, on=_KEY, how="full", coalesce=True)
    is_new = pl.col("amount_before").is_null()
    zero = pl.lit(0, pl.Int64)
    both = both.with_columns(
        fresh=is_new,
        amount_e8=pl.col("amount_e8").fill_null(zero) - pl.col("amount_before").fill_null(zero),
        orig_e8=pl.col("orig_e8").fill_null(zero) - pl.col("orig_before").fill_null(zero),
        rate=pl.col("rate").fill_null(zero),
        reason=pl.col("reason").fill_null(zero),
        fx=pl.col("fx").fill_null(zero),
    )
    wanted = both.filter((pl.col("amount_e8") != 0) | pl.col("fresh"))
    return wanted.drop("fresh", "amount_before", "orig_before")
