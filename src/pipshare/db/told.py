"""Stored revisions beside arriving rows, and up to which moment each of them is known to hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare.db.read import ms
from pipshare.facts.content import UNKNOWN_MS

Column = npt.NDArray[np.int64]
_SOURCES = """
SELECT id, coalesce(({}), {}), name, {} FROM inbox_batch_source
 WHERE id = ANY(%(batches)s::bigint[])"""


@dataclass(frozen=True)
class Stored:
    """Current revisions beside arriving rows: `found` per row; columns that hold where found."""

    found: npt.NDArray[np.bool_]
    columns: dict[str, npt.NDArray[Any]]

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.columns[name]


def laid_beside(current: pl.DataFrame, wanted: Column) -> Stored:
    """Lay stored rows beside arriving ones, by their first column; both ascend, each once."""
    stored = current[:, 0].to_numpy()
    if not len(stored):
        nothing = {name: np.zeros(len(wanted), np.int64) for name in current.columns}
        return Stored(np.zeros(len(wanted), np.bool_), nothing)
    at = np.minimum(np.searchsorted(stored, wanted), len(stored) - 1)
    columns = {name: current[name].to_numpy()[at] for name in current.columns}
    return Stored(stored[at] == wanted, columns)


def newest(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the last row of each number; rows ascend by it, their first column, and revision."""
    stored = rows[:, 0].to_numpy()
    last = np.ones(len(rows), np.bool_)
    last[:-1] = stored[:-1] != stored[1:]
    return rows if last.all() else rows.filter(pl.Series(last))


def sources(conn: psycopg.Connection[Any], batches: Column) -> dict[int, tuple[int, str, int]]:
    """Return of each batch the moment its file speaks of (UNKNOWN_MS when untold), its name, and
    when it was received.
    """
    query = _SOURCES.format(ms("as_of"), UNKNOWN_MS, ms("received_at"))
    rows = conn.execute(query, {"batches": np.unique(batches).tolist()})
    return {batch: (as_of_ms, name, received) for batch, as_of_ms, name, received in rows}


def told_until(
    conn: psycopg.Connection[Any], batches: Column, numbers: Column, seen: pl.DataFrame,
    beside_ms: int | None,
) -> Column:  # fmt: skip
    """Return up to which moment each stored row is known to hold; UNKNOWN_MS where untold.

    That is the latest of the file that brought it (`batches`, parallel to `numbers`) and of those
    that repeated it since (`seen`: number, ms). A file that tells no moment cannot speak of one
    after it was received: beside a file of a later moment (`beside_ms`) that is enough to know
    which of the two is newer.
    """
    brought = sources(conn, batches)
    own, code = np.unique(batches, return_inverse=True)
    told = [_moment(brought.get(int(batch)), beside_ms) for batch in own]
    moments = np.array(told, np.int64)[code]
    place = np.searchsorted(numbers, seen[:, 0].to_numpy())
    moments[place] = np.maximum(moments[place], seen["ms"].to_numpy())
    return moments


def _moment(source: tuple[int, str, int] | None, beside_ms: int | None) -> int:
    if source is None:
        return UNKNOWN_MS
    as_of_ms, _, received_ms = source
    is_before = beside_ms is not None and received_ms < beside_ms
    return received_ms if as_of_ms == UNKNOWN_MS and is_before else as_of_ms
