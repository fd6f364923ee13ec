"""Read current trades back from the table, in columns, for whoever rates them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare import db
from pipshare.facts import TRADE

# What the next stages take: trades as they now stand. `close_utc` is in UTC milliseconds.
SETTLED: dict[str, pl.DataType | type[pl.DataType]] = {
    **TRADE,
    "server_id": pl.Int32,
    "revision": pl.Int16,
    "state": pl.Int8,
    "close_utc": pl.Int64,
}
_READ = """
SELECT {columns} FROM trades_trade t
 WHERE t.server_id = %(server)s AND {conditions}
   AND NOT EXISTS (SELECT FROM trades_trade n
                    WHERE n.server_id = %(server)s AND n.ticket = t.ticket
                      AND n.revision > t.revision AND n.revision > 1 {newer})
 ORDER BY t.ticket {limit}"""
_EPOCH = "timestamptz '1970-01-01 00:00:00+00'"
_DERIVED = {"line": "0", "close_utc": "(extract(epoch FROM t.close_at) * 1000)::bigint"}


def read(
    conn: psycopg.Connection[Any],
    server_id: int,
    *,
    tickets: npt.NDArray[np.int64] | list[int] | None = None,
    logins: npt.NDArray[np.int64] | list[int] | None = None,
    close_from_ms: int | None = None,
    close_to_ms: int | None = None,
    after_ticket: int | None = None,
    limit: int | None = None,
    columns: Sequence[str] = tuple(SETTLED),
) -> pl.DataFrame:
    """Return the current revision of the server's trades as a SETTLED frame, ordered by ticket.

    Conditions add up: `tickets`, `logins`; closed from and before (UTC milliseconds, half-open);
    `after_ticket` with `limit` reads in chunks, the last ticket of one being the cursor of the
    next. Cancelled trades are among them (state 0), and those with an unknown opening.
    """
    values: dict[str, Any] = {"server": server_id, "after": after_ticket, "limit": limit}
    conditions = ["TRUE"]
    for name, wanted in (("ticket", tickets), ("login", logins)):
        if wanted is not None:
            values[name] = "{" + ",".join(map(str, np.asarray(wanted, np.int64).tolist())) + "}"
            conditions.append(f"t.{name} = ANY(%({name})s::bigint[])")
    for sign, name, moment in ((">=", "from", close_from_ms), ("<", "to", close_to_ms)):
        if moment is not None:
            values[name] = moment
            conditions.append(f"t.close_at {sign} {_EPOCH} + %({name})s * interval '1 ms'")
    if after_ticket is not None:
        conditions.append("t.ticket > %(after)s")
    query = _READ.format(
        columns=", ".join(_DERIVED.get(name, f"t.{name}") for name in columns),
        conditions=" AND ".join(conditions),
        newer="AND n.ticket > %(after)s" if after_ticket is not None else "",
        limit="LIMIT %(limit)s" if limit is not None else "",
    )
    return db.read_columns(conn, query, values, schema={name: SETTLED[name] for name in columns})
