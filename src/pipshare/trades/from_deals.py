"""Assemble positions anew from all their stored deals."""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipshare import db
from pipshare.facts import DEAL, TRADE, State
from pipshare.trades.assemble import ASSEMBLED, assemble
from pipshare.trades.read import read

_COLUMNS = ", ".join("0" if name == "line" else f'd."{name}"' for name in DEAL)
# OFFSET 0 keeps the planner at one index look-up per position: without statistics, as in the
# first import, it would rather read every deal of the server. Only the newest revision counts;
# `revision > 1` finds it by an index that holds nothing else.
_DEALS = f"""
SELECT {_COLUMNS}
  FROM unnest(%(logins)s::bigint[], %(positions)s::bigint[]) AS p (login, position)
 CROSS JOIN LATERAL (
       SELECT * FROM inbox_deal
        WHERE server_id = %(server)s AND login = p.login AND position = p.position
          AND action IN (0, 1, 13, 14)
       OFFSET 0) AS d
 WHERE NOT EXISTS (SELECT FROM inbox_deal n
                    WHERE n.server_id = %(server)s AND n.deal = d.deal
                      AND n.revision > d.revision AND n.revision > 1)"""


def from_deals(
    conn: psycopg.Connection[Any], server_id: int, positions: pl.DataFrame
) -> pl.DataFrame:
    """Return the closed trades of positions as an ASSEMBLED frame, from every current deal.

    `positions`: columns login and position, as DealIntake.positions; a column `undone`, where
    there and not 0, names a deal that was a closing and is none any more: its trade comes back
    cancelled, for the platform itself took that very deal back.
    """
    asked = positions.select("login", "position").unique().sort("position", "login")
    assembled = assemble(deals_of(conn, server_id, asked))
    if "undone" not in positions.columns:
        return assembled
    undone = positions.filter(pl.col("undone") != 0)["undone"].unique()
    gone = undone.filter(~undone.is_in(assembled["ticket"].implode()))
    if not len(gone):
        return assembled
    standing = read(conn, server_id, tickets=gone.to_numpy()).select(list(TRADE))
    taken_back = standing.with_columns(state=pl.lit(State.CANCELLED, ASSEMBLED["state"]))
    return pl.concat([assembled, taken_back.select(list(ASSEMBLED))]).sort("ticket")


def deals_of(
    conn: psycopg.Connection[Any], server_id: int, positions: pl.DataFrame
) -> pl.DataFrame:
    """Return the current trade deals of positions, as a DEAL frame.

    `positions`: columns login and position, each pair once.
    """
    values = {
        "server": server_id,
        "logins": _listed(positions["login"]),
        "positions": _listed(positions["position"]),
    }
    return db.read_columns(conn, _DEALS, values, schema=DEAL)


def _listed(numbers: pl.Series) -> str:
    return "{" + ",".join(map(str, numbers.to_list())) + "}"
