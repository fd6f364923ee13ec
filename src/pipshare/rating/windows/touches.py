"""Which windows of which components a trade touches: what has to be settled again because of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.period import Clock
from pipshare.period import Millis as Longs
from pipshare.plans.book import Book
from pipshare.plans.terms import Programme
from pipshare.rating.columns import TradeColumns
from pipshare.rating.deciding import deciding as deciding
from pipshare.rating.qualify import asks_trades
from pipshare.rating.windows.calendar import bounds, numbers
from pipshare.rating.windows.reach import is_of_clients, reach

# `client` is -1 but for components of clients, whose window is the client's life.
TOUCHED: dict[str, pl.DataType | type[pl.DataType]] = {
    "component_id": pl.Int32, "chain": pl.Int32, "client": pl.Int64, "window_start_ms": pl.Int64,
    "window_end_ms": pl.Int64, "row": pl.Int64,
}  # fmt: skip
Ints = npt.NDArray[np.integer[Any]]


def touches(
    book: Book, chains: Sequence[tuple[int, ...]], trades: TradeColumns, clock: Clock
) -> pl.DataFrame:
    """Return TOUCHED: each window that some trade touches, with one of those trades (`row`).

    A trade touches the window of its close and, where later windows look back, these too. By
    chain: the caller knows which chains belong together.
    """
    version = deciding(book, chains, trades.chain, trades.close_utc_ms)
    parts = [pl.DataFrame(schema=TOUCHED)]
    for place in np.unique(version[version >= 0]).tolist():
        held = book.versions[place]
        rows = np.flatnonzero(version == place)
        for component, number in zip(held.programme.components, held.component_ids, strict=True):
            if component.builds_up:
                reached = reach(component, held.programme)
                window = numbers(trades.close_utc_ms[rows], reached.window, clock)
                of_clients = is_of_clients(component)
                if of_clients and not _looks_at_trades(held.programme, number, held.component_ids):
                    continue
                for step in range(reached.back + 1):
                    start, end = bounds(window + step, reached.window, clock)
                    client = trades.client[rows] if of_clients else np.full(len(rows), -1, np.int64)
                    parts.append(_part(number, trades.chain[rows], client, start, end, rows))
    by = [name for name in TOUCHED if name != "row"]
    return pl.concat(parts).unique(by, keep="first", maintain_order=True)


def _part(
    number: int, chain: Ints, client: Longs, start: Longs, end: Longs, rows: Longs
) -> pl.DataFrame:
    columns = {"component_id": np.full(len(rows), number), "chain": chain, "client": client,
               "window_start_ms": start, "window_end_ms": end, "row": rows}  # fmt: skip
    return pl.DataFrame(columns).cast(pl.Schema(TOUCHED))


def _looks_at_trades(programme: Programme, number: int, numbers_: Sequence[int]) -> bool:
    """Tell whether a client's trades can make him qualify for a component."""
    asked = programme.components[list(numbers_).index(number)].qualify or programme.qualify
    return asked is not None and asks_trades(asked)
