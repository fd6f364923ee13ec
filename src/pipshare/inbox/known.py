"""Look up what is stored of many deals: in columns, by one range or one list of deals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare import db
from pipshare.facts import DEAL
from pipshare.facts.content import UNKNOWN_MS

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
_SOURCES = """
SELECT id, coalesce(({}), {}), name, {} FROM inbox_batch_source
 WHERE id = ANY(%(batches)s::bigint[])"""
_SEEN = """
SELECT d, max({}) FROM inbox_seen, unnest(deals) AS d
 WHERE server_id = %(server)s AND first_deal <= %(high)s AND last_deal >= %(low)s
   AND as_of >= timestamptz '1970-01-01 00:00:00+00' + %(since)s * interval '1 ms'
   AND d = ANY(%(deals)s::bigint[])
 GROUP BY d"""


@dataclass(frozen=True)
class Stored:
    """Current revisions beside arriving rows: `found` per row; columns that hold where found."""

    found: npt.NDArray[np.bool_]
    columns: dict[str, npt.NDArray[Any]]

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.columns[name]


def beside(conn: psycopg.Connection[Any], server_id: int, deals: Column) -> Stored:
    """Return the current revision stored of each deal. `deals` ascend, each once."""
    current = _current(conn, server_id, deals)
    stored = current["deal"].to_numpy()
    if not len(stored):
        nothing = {name: np.zeros(len(deals), np.int64) for name in _KEPT}
        return Stored(np.zeros(len(deals), np.bool_), nothing)
    at = np.minimum(np.searchsorted(stored, deals), len(stored) - 1)
    return Stored(stored[at] == deals, {name: current[name].to_numpy()[at] for name in _KEPT})


def whole(conn: psycopg.Connection[Any], server_id: int, deals: Column) -> pl.DataFrame:
    """Return the current revision of each of these deals as a DEAL frame, ordered by deal."""
    columns = ", ".join("0" if name == "line" else f'"{name}"' for name in DEAL)
    rows = db.read_columns(conn, _LIST.format(columns), _span(server_id, deals), schema=DEAL)
    return rows.unique("deal", keep="last", maintain_order=True)


def sources(conn: psycopg.Connection[Any], batches: Column) -> dict[int, tuple[int, str, int]]:
    """Return of each batch the moment its file speaks of (UNKNOWN_MS when untold), its name, and
    when it was received.
    """
    query = _SOURCES.format(db.ms("as_of"), UNKNOWN_MS, db.ms("received_at"))
    rows = conn.execute(query, {"batches": np.unique(batches).tolist()})
    return {batch: (as_of_ms, name, received) for batch, as_of_ms, name, received in rows}


def as_of(
    conn: psycopg.Connection[Any],
    server_id: int,
    deals: Column,
    batches: Column,
    since_ms: int = UNKNOWN_MS,
    beside_ms: int | None = None,
) -> Column:
    """Return up to which moment each stored deal is known to hold; UNKNOWN_MS where untold.

    That is the latest of the file that brought it and of the files that repeated it since; of the
    latter only those of `since_ms` or later are asked, as there may be very many. A file that tells
    no moment cannot speak of one after it was received: beside a file of a later moment
    (`beside_ms`) that is enough to know which of the two is newer.
    """
    if not len(deals):
        return np.zeros(0, np.int64)
    brought = sources(conn, batches)
    own, code = np.unique(batches, return_inverse=True)
    told = [_moment(brought.get(int(batch)), beside_ms) for batch in own]
    moments = np.array(told, np.int64)[code]
    seen = db.read_columns(
        conn, _SEEN.format(db.ms("as_of")), {**_span(server_id, deals), "since": since_ms},
        schema={"deal": pl.Int64, "ms": pl.Int64},
    ).sort("deal")  # fmt: skip
    place = np.searchsorted(deals, seen["deal"].to_numpy())
    moments[place] = np.maximum(moments[place], seen["ms"].to_numpy())
    return moments


def _moment(source: tuple[int, str, int] | None, beside_ms: int | None) -> int:
    if source is None:
        return UNKNOWN_MS
    as_of_ms, _, received_ms = source
    is_before = beside_ms is not None and received_ms < beside_ms
    return received_ms if as_of_ms == UNKNOWN_MS and is_before else as_of_ms


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
    stored = rows["deal"].to_numpy()
    last = np.ones(len(rows), np.bool_)
    last[:-1] = stored[:-1] != stored[1:]
    return rows if last.all() else rows.filter(pl.Series(last))


def _span(server_id: int, deals: Column) -> dict[str, Any]:
    listed = "{" + ",".join(map(str, deals.tolist())) + "}"
    return {"server": server_id, "low": int(deals[0]), "high": int(deals[-1]), "deals": listed}
