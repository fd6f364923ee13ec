"""Keep what waits in a window and is of no trade: bonuses, costs and sums of periods."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipshare import partners
from pipshare.period import FOREVER_MS
from pipshare.pipeline.run import Run
from pipshare.pipeline.windows.work import Target
from pipshare.plans.book import Book
from pipshare.rating.window_waits import Lasting, store_lasting


def keep_lasting(run: Run, entity_id: int, target: Target) -> None:
    """Note what of a target waits without a trade, so that it is listed and taken up again.

    A tree's sum mostly waits by its last trade (keep_waits); this is for what has none.
    """
    start = run.live_ms(entity_id)
    if not _is_ever_in_force(run.book, target.component):
        start = FOREVER_MS  # what a plan that never held would ask is nobody's business
    of_clients = bool(target.clients)
    waits = target.waits.filter(
        (pl.col("trade_row") < 0) & pl.col("component_id").is_in([target.component, 0])
        & (((pl.col("moment_ms") == 0) & (start < FOREVER_MS)) | (pl.col("moment_ms") >= start))
    )  # fmt: skip
    if not of_clients:
        mine = pl.col("partner_id").is_in([0, *run.members(sorted(target.shards))])
        span = pl.col("moment_ms").is_between(target.first_ms, target.last_ms, closed="left")
        waits = waits.filter(mine & span)
    who = sorted(set(waits["client"].to_list()) - {-1})
    near = partners.introducers(run.conn, who) if who and not of_clients else {}
    found = []
    for row in waits.iter_rows(named=True):
        client, partner = max(row["client"], 0), row["partner_id"]
        shard = 0
        if of_clients:
            client = client or target.due[0].client_id
        else:
            shards = {run.shard(one) for one in ({partner} if partner else near.get(client, ()))}
            shard = min(shards & target.shards or target.shards)
        found.append(Lasting(shard, client, row["level"], partner, row["event"], row["moment_ms"],
                             row["reason"], row["key"]))  # fmt: skip
    store_lasting(
        run.conn, entity_id, target.component, found, clients=target.clients,
        shards=() if of_clients else target.shards, first_ms=target.first_ms,
        last_ms=target.last_ms,
    )  # fmt: skip


def _is_ever_in_force(book: Book, component: int) -> bool:
    """Tell whether any version that has the component ever holds: newer ones may replace it."""
    for place, version in enumerate(book.versions):
        if component in version.component_ids:
            begins = max(version.valid_from_ms, 0)
            at = book.version_at(np.array([version.programme_id]), np.array([begins]))
            if at[0] == place:
                return True
    return False
