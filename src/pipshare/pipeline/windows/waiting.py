"""Which trades wait in windows that are settled block by block, named by server and ticket."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from pipshare import rating
from pipshare.period import Millis as Longs
from pipshare.pipeline.run import Run
from pipshare.rating.windows.by_block import Block
from pipshare.rating.windows.lines import WAITS

# WAITS whose trades are called by their tickets, and the server; both -1 = of no trade.
NAMED = {**WAITS, "server_id": pl.Int64}


class Waiting:
    """Takes up what waits, and which trades that waited for the component were looked at again."""

    def __init__(self, run: Run, entity_id: int, component: int) -> None:
        self._stored = {
            server.id: rating.window_waiting(run.conn, server.id, component).to_numpy()
            for server in run.servers.values()
            if server.entity_id == entity_id and server.go_live_ms is not None
        }
        self._known: dict[int, list[Longs]] = {one: [] for one in self._stored}
        self._waits = [pl.DataFrame(schema=NAMED)]

    def noted(self, block: Block, waits: pl.DataFrame) -> None:
        """Take up the waits of a block's trades (by_block.Noted)."""
        trades = block.given.placed.trades
        if not len(trades):
            return
        assert trades.server is not None
        assert trades.ticket is not None
        for server, stored in self._stored.items():
            if len(stored):
                mine = trades.ticket[trades.server == server]
                self._known[server].append(mine[np.isin(mine, stored)])
        if len(waits):
            place = waits["trade_row"].to_numpy()
            told = waits.with_columns(
                trade_row=pl.Series(trades.ticket[place]),
                server_id=pl.Series(trades.server[place]),
            )
            self._waits.append(told.cast(pl.Schema(NAMED)))

    def known(self) -> dict[int, pl.Series]:
        """Return by server the tickets that waited before, of the trades looked at."""
        none = np.zeros(0, np.int64)
        return {server: pl.Series(np.unique(np.concatenate([none, *parts])))
                for server, parts in self._known.items()}  # fmt: skip

    def named(self, others: pl.DataFrame, blocks: Iterable[Block]) -> pl.DataFrame:
        """Return all that waits as NAMED, with `others` (WAITS), which no trade waits for.

        They wait by the last trade before them of the payee's (of any, where they are of no payee):
        taking that up settles its window again.
        """
        rows = list(zip(others["partner_id"].to_list(), others["moment_ms"].to_list(), strict=True))
        last = _last_of(set(rows), blocks) if rows else {}
        named = [last.get(row, (-1, -1, -1)) for row in rows]
        told = others.with_columns(
            trade_row=pl.Series([one[2] for one in named], dtype=pl.Int64),
            server_id=pl.Series([one[1] for one in named], dtype=pl.Int64),
        ).cast(pl.Schema(NAMED))
        return pl.concat([*self._waits, told]).unique(maintain_order=True)


def _last_of(
    rows: set[tuple[int, int]], blocks: Iterable[Block]
) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Return (close, server, ticket) of the last trade by (partner or 0, moment)."""
    found: dict[tuple[int, int], tuple[int, int, int]] = {}
    for block in blocks:
        trades, chains = block.given.placed.trades, block.given.placed.chains
        if not len(trades):
            continue
        assert trades.server is not None
        assert trades.ticket is not None
        for moment in {moment for _, moment in rows}:
            before = np.flatnonzero(trades.close_utc_ms <= moment)
            # The last one written stays: the first of those that closed last.
            order = before[np.lexsort([-before, trades.close_utc_ms[before]])]
            last = np.full(len(chains) + 1, -1, np.int64)
            last[trades.chain[order]] = order
            for number, row in enumerate(last[:-1].tolist()):
                if row < 0:
                    continue
                told = int(trades.close_utc_ms[row]), int(trades.server[row]), int(
                    trades.ticket[row])  # fmt: skip
                for partner in {0, *chains[number]}:
                    key = partner, moment
                    if key in rows and told[0] > found.get(key, (-1, 0, 0))[0]:
                        found[key] = told
    return found
