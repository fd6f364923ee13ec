"""Look up what is stored of many deals: in columns, by one range or one list of deals."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare import db
from pipshare.db.told import Stored, laid_beside, newest, sources, told_until
from pipshare.facts import DEAL
from pipshare.facts.content import UNKNOWN_MS

__all__ = ["Stored", "as_of", "beside", "remember", "sources", "whole"]
Column = npt.NDArray[np.int64]
_KEPT: dict[str, Any] = {
    "deal": pl.Int64, "revision": pl.Int16, "content": pl.Int64, "reason": pl.Int16,
    "login": pl.Int64, "position": pl.Int64, "action": pl.Int16, "entry": pl.Int16,
    "batch_id": pl.Int64,
}  # fmt: skip
_RANGE = """
SELECT {} FROM inbox_deal WHERE server_id = %(server)s AND deal BETWEEN %(low)s AND %(high)s
 ORDER BY deal, revision LIMIT %(limit)s"""
_LIST = """
SELECT {} FROM inbox_deal WHERE server_id = %(server)s AND deal = ANY(%(deals)s::bigint[])
 ORDER BY deal, revision"""
_SEEN = """
SELECT d, max({}) FROM inbox_seen, unnest(deals) AS d
 WHERE server_id = %(server)s AND first_deal <= %(high)s AND last_deal >= %(low)s
   AND as_of >= timestamptz '1970-01-01 00:00:00+00' + %(since)s * interval '1 ms'
   AND d = ANY(%(deals)s::bigint[])
 GROUP BY d"""


def beside(conn: psycopg.Connection[Any], server_id: int, deals: Column) -> Stored:
    """Return the current revision stored of each deal. `deals` ascend, each once."""
    return laid_beside(_current(conn, server_id, deals), deals)


def whole(conn: psycopg.Connection[Any], server_id: int, deals: Column) -> pl.DataFrame:
    """Return the current revision of each of these deals as a DEAL frame, ordered by deal."""
    columns = ", ".join("0" if name == "line" else f'"{name}"' for name in DEAL)
    rows = db.read_columns(conn, _LIST.format(columns), _span(server_id, deals), schema=DEAL)
    return rows.unique("deal", keep="last", maintain_order=True)


def as_of(
    conn: psycopg.Connection[Any],
    server_id: int,
    deals: Column,
    batches: Column,
    since_ms: int = UNKNOWN_MS,
    beside_ms: int | None = None,
) -> Column:
    """Return up to which moment each stored deal is known to hold; UNKNOWN_MS where untold.

    Of the files that repeated it since only those of `since_ms` or later are asked, as there may be
    very many; `beside_ms` as in told_until.
    """
    if not len(deals):
        return np.zeros(0, np.int64)
    seen = db.read_columns(
        conn, _SEEN.format(db.ms("as_of")), {**_span(server_id, deals), "since": since_ms},
        schema={"deal": pl.Int64, "ms": pl.Int64},
    ).sort("deal")  # fmt: skip
    return told_until(conn, batches, deals, seen, beside_ms)


def remember(
    conn: psycopg.Connection[Any], server_id: int, batch_id: int, as_of_ms: int, deals: Column
) -> None:
    """Note that a file of a known moment repeated these deals as they are stored."""
    if len(deals):
        one = np.ones(1, np.int64)
        db.copy_in(conn, "inbox_seen", {
            "server_id": db.Int4(one * server_id),
            "batch_id": db.Int8(one * batch_id),
            "as_of": db.Timestamp(one * as_of_ms),
            "first_deal": db.Int8(deals[:1]),
            "last_deal": db.Int8(deals[-1:]),
            "deals": db.Int8Array(deals, one * len(deals)),
        })  # fmt: skip


def _current(conn: psycopg.Connection[Any], server_id: int, deals: Column) -> pl.DataFrame:
    """Read by range, as arriving deals mostly lie close together; by list where they do not."""
    if not len(deals):
        return pl.DataFrame(schema=_KEPT)
    names = ", ".join(_KEPT)
    limit = 2 * len(deals) + 1000
    values = {"server": server_id, "low": int(deals[0]), "high": int(deals[-1]), "limit": limit}
    rows = db.read_columns(conn, _RANGE.format(names), values, schema=_KEPT)
    if len(rows) == limit:
        span = _span(server_id, deals)
        rows = db.read_columns(conn, _LIST.format(names), span, schema=_KEPT)
    return newest(rows)


def _span(server_id: int, deals: Column) -> dict[str, Any]:
    listed = "{" + ",".join(map(str, deals.tolist())) + "}"
    return {"server": server_id, "low": int(deals[0]), "high": int(deals[-1]), "deals": listed}
