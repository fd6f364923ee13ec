"""All trades of some trees or clients over some time, from every server of an entity."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare import attribution, trades
from pipshare.market import Server
from pipshare.period import Millis as Longs
from pipshare.pipeline.enrich import WINDOW_COLUMNS, enriched, point_tables
from pipshare.pipeline.run import Run
from pipshare.pipeline.whose import attributed
from pipshare.rating.placed import Placed, joined, placed

CHUNK = 200_000  # trades that are read and placed at a time


@dataclass(frozen=True)
class Gathered:
    """Trades as columns, `live` where they may be booked (closed after their server's go-live)."""

    placed: Placed
    live: npt.NDArray[np.bool_]

    def live_only(self) -> Gathered:
        """Return the trades that may be booked."""
        return Gathered(self.placed.taken(self.live), self.live[self.live])


def read_placed(
    run: Run,
    entity_id: int,
    *,
    start_ms: int,
    end_ms: int,
    shards: Collection[int] | None = None,
    logins: Mapping[int, list[int]] | None = None,
) -> Gathered:
    """Return the introduced trades that closed in [start_ms, end_ms) on an entity's servers.

    `shards`: only these trees; `logins` by server: only these accounts. Servers without
    a go-live book nothing and are left out.
    """
    parts: list[Placed] = []
    live: list[npt.NDArray[np.bool_]] = []
    for server in run.servers.values():
        wanted = None if logins is None else logins.get(server.id, [])
        if server.entity_id != entity_id or server.go_live_ms is None or wanted == []:
            continue
        cursor: int | None = None
        while True:
            frame = trades.read(
                run.conn, server.id, logins=wanted, close_from_ms=start_ms, close_to_ms=end_ms,
                after_ticket=-(2**63) if cursor is None else cursor, limit=CHUNK,
                columns=WINDOW_COLUMNS,
            )  # fmt: skip
            if len(frame):
                part = _placed(run, server, frame, shards)
                parts.append(part)
                live.append(part.trades.close_utc_ms >= server.go_live_ms)
            if len(frame) < CHUNK:
                break
            cursor = int(frame["ticket"][-1])
    return Gathered(joined(parts), np.concatenate([np.zeros(0, np.bool_), *live]))


def _placed(
    run: Run, server: Server, frame: pl.DataFrame, shards: Collection[int] | None
) -> Placed:
    who = attributed(run, server, frame)
    kept = who.standing == attribution.Standing.INTRODUCED
    if shards is not None:
        inside = [bool(chain) and run.shard(chain[0]) in shards for chain in who.chains]
        kept &= np.array([*inside, False])[who.chain]
    rows: Longs = np.flatnonzero(kept)
    told = enriched(run, server, frame, who)
    points = point_tables(run, server, who.group_names)
    return placed(told, who, run.symbols(server), typical=points.typical, markup=points.markup,
                  rows=rows)  # fmt: skip
