"""A journal's rows beside the platform's own: the same trade is not booked under two numbers.

A journal's identity is made of ticket, close time and volume (sources/journal), so that it never
meets the platform's. What they share is the printed ticket, kept as the row's position: the ticket
of MT4, the position of MT5.
"""

from __future__ import annotations

import polars as pl
import psycopg

from pipshare import trades
from pipshare.facts import Refusal, State
from pipshare.market import Server
from pipshare.sources.reading import Chunk

_PLATFORM = """
SELECT ticket, position FROM trades_current
 WHERE server_id = %(server)s AND ticket > 0 AND state = 1
   AND (ticket = ANY(%(printed)s)
        OR login = ANY(%(logins)s) AND position = ANY(%(printed)s))
"""
_JOURNALS = """
SELECT ticket, position FROM trades_current
 WHERE server_id = %s AND ticket < 0 AND state = 1
"""


def name_account(chunk: Chunk, login: int | None) -> None:
    """Give rows that name no account the one that a person named."""
    if login is not None and len(chunk.trades):
        named = pl.when(pl.col("login") == 0).then(login).otherwise("login").alias("login")
        chunk.trades = chunk.trades.with_columns(named)


def told_by_platform(
    conn: psycopg.Connection, server: Server, rows: pl.DataFrame
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Return a journal's rows without those that the platform has told already; and these."""
    known = _known(conn, server, rows)
    refused = [
        Refusal(line, "told_by_platform", (
            f"ticket {printed}: the platform's own export has brought this trade already, and the"
            " journal would book it twice; there is nothing to do"
        ))
        for line, printed in rows.filter(pl.col("position").is_in(known)).select("line", "position")
        .iter_rows()
    ]  # fmt: skip
    return rows.filter(~pl.col("position").is_in(known)), refused


def with_platforms_tickets(
    conn: psycopg.Connection, server: Server, rows: pl.DataFrame
) -> pl.DataFrame:
    """Give a journal's rows the ticket and login under which the platform told the same trades.

    So they can be compared. Of rows that share a printed ticket the first is compared.
    """
    printed = rows["position"].unique().to_numpy()
    stored = trades.read(conn, server.id, tickets=printed).select(
        "position", pl.col("ticket").alias("theirs"), pl.col("login").alias("owner")
    )
    found = rows.join(
        stored.drop("position"), left_on="position", right_on="theirs", how="left",
        coalesce=False, maintain_order="left",
    )  # fmt: skip
    return found.with_columns(
        ticket=pl.coalesce("theirs", "ticket"), login=pl.coalesce("owner", "login")
    ).select(rows.columns)


def replaced(conn: psycopg.Connection, server: Server, told: pl.DataFrame) -> pl.DataFrame:
    """Return a server's journal trades that the platform now tells itself, as cancelled.

    `told` are trades of the platform: columns ticket and position. To be taken in as revisions.
    """
    held = conn.execute(_JOURNALS, (server.id,)).fetchall()
    numbers = {*told["ticket"].to_list(), *told["position"].to_list()} - {0} if held else set()
    gone = [int(ticket) for ticket, printed in held if printed in numbers]
    standing = trades.read(conn, server.id, tickets=gone) if gone else told.clear()
    return standing.with_columns(state=pl.lit(State.CANCELLED, pl.Int8))


def _known(conn: psycopg.Connection, server: Server, rows: pl.DataFrame) -> list[int]:
    printed = rows["position"].unique().to_list()
    logins = rows["login"].filter(rows["login"] > 0).unique().to_list()
    asked = {"server": server.id, "printed": printed, "logins": logins}
    found = conn.execute(_PLATFORM, asked).fetchall()
    numbers = {number for row in found for number in row}
    return sorted(numbers.intersection(printed))
