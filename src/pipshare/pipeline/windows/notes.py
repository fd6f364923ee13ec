"""Note the windows that a batch of trades touches, with what touched them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from pipshare.attribution import Attributed
from pipshare.market import Server
from pipshare.period import HOUR_MS, Clock
from pipshare.period import Millis as Longs
from pipshare.pipeline.run import Run
from pipshare.plans.book import Book
from pipshare.rating.columns import TradeColumns
from pipshare.rating.window_store import Due, mark_due
from pipshare.rating.windows.touches import touches

NAMED = 500  # trades in a batch up to which each window's note names its own
_INTRODUCED = 1
# Where the trades stood before: a change of the close, the client's partner or the plan touches the
# windows in which they counted, too.
_BEFORE = """
SELECT DISTINCT e.day - date '1970-01-01', c.partners
  FROM (SELECT DISTINCT ON (ticket) ticket, day, chain_id FROM rating_entry
         WHERE server_id = %s AND ticket = ANY(%s::bigint[]) ORDER BY ticket, seq DESC) e
  JOIN attribution_chain c ON c.id = e.chain_id
"""
_BOOKED = """
SELECT DISTINCT component, shard, (extract(epoch FROM window_start) * 1000)::bigint,
       (extract(epoch FROM window_end) * 1000)::bigint
  FROM rating_window_line
 WHERE shard = ANY(%s) AND client_id = 0
   AND window_start <= to_timestamp(%s / 1000.0) AND window_end > to_timestamp(%s / 1000.0)
"""


def builds_up(book: Book) -> bool:
    """Tell whether any component of any programme depends on more than one trade."""
    return any(
        component.builds_up
        for version in book.versions
        for component in version.programme.components
    )


def note_windows(
    run: Run, server: Server, settled: pl.DataFrame, who: Attributed, *, fresh: bool
) -> None:
    """Note what a batch touches, in its transaction; costs nothing where no plan builds up.

    `fresh`: none of these trades was rated before, so that none stood anywhere else.
    """
    if not builds_up(run.book):
        return
    rows = np.flatnonzero(who.standing == _INTRODUCED)
    clock = run.day_clock(server)
    found: dict[tuple[int, int, int, int, int], dict[str, list[Any]]] = {}
    close = settled["close_utc"].to_numpy()
    tickets = settled["ticket"].to_list()
    chains = [tuple(who.chains[place]) for place in who.chain[rows].tolist()]
    named = len(rows) <= NAMED
    for component, shard, start, end, client, row in _touched(
        run, chains, close[rows], who.client_id[rows], clock, named=named
    ):
        causes = found.setdefault((component, shard, start, end, client), {})
        told = f"{server.code} {tickets[rows[row]]}" if named else ""
        causes.setdefault("trades" if named else "because", [])
        if told:
            causes["trades"].append(told)
        else:
            causes["because"] = [f"{len(settled)} trades of {server.code}"]
    if not fresh:
        _add_former(run, server.id, tickets, clock, found)
    mark_due(run.conn, server.entity_id, [Due(*key, causes) for key, causes in found.items()])


def _touched(
    run: Run,
    chains: Sequence[tuple[int, ...]],
    close_ms: Longs,
    client: Longs,
    clock: Clock,
    *,
    named: bool,
) -> list[tuple[int, int, int, int, int, int]]:
    """Return (component, shard, start, end, client or 0, row) of each window touched.

    With `named` a row for each trade that touches it, else for one of them.
    """
    if not chains:
        return []
    lists = list(chains) if named else list(dict.fromkeys(chains))
    places = {chain: place for place, chain in enumerate(lists)}
    chain = np.arange(len(chains)) if named else np.array([places[one] for one in chains])
    nothing = np.zeros(len(chains), np.int32)
    trades = TradeColumns(
        lots_e8=np.zeros(len(chains), np.int64), hold_ms=np.zeros(len(chains), np.int64),
        close_utc_ms=close_ms, client=client, symbol=nothing, group=nothing,
        chain=chain.astype(np.int32),
    )  # fmt: skip
    table = touches(run.book, lists, trades, clock)
    return [
        (one["component_id"], run.shard(lists[one["chain"]][0]) if one["client"] < 0 else 0,
         one["window_start_ms"], one["window_end_ms"], max(one["client"], 0), one["row"])
        for one in table.iter_rows(named=True)
    ]  # fmt: skip


def _add_former(
    run: Run,
    server_id: int,
    tickets: list[int],
    clock: Clock,
    found: dict[tuple[int, int, int, int, int], dict[str, list[Any]]],
) -> None:
    """Add the windows in which the trades counted so far, and what is booked in those touched."""
    rows = run.conn.execute(_BEFORE, (server_id, tickets)).fetchall()
    days = np.array([day for day, _ in rows], np.int64)
    noon = clock.to_utc(days * 24 * HOUR_MS + 12 * HOUR_MS)
    chains = [tuple(partners) for _, partners in rows]
    nobody = np.full(len(rows), -1, np.int64)
    for *key, _ in _touched(run, chains, noon, nobody, clock, named=False):
        found.setdefault(tuple(key), {"because": ["trades that counted here before"]})  # type: ignore[arg-type]
    windows = [key for key in found if key[4] == 0]
    moments = [*noon.tolist(), *(start for _, _, start, _, _ in windows)]
    shards = sorted({shard for _, shard, *_ in windows}
                    | {run.shard(partner) for chain in chains for partner in chain})  # fmt: skip
    if not moments or not shards:
        return
    # A component that a newer version no longer has is touched by nothing any more.
    span = (shards, max(moments), min(moments))
    for component, shard, start, end in run.conn.execute(_BOOKED, span).fetchall():
        found.setdefault((component, shard, start, end, 0), {"because": ["the plan changed"]})
