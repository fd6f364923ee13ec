"""How many trades there are: where to cut time, and clients, so that what is read fits memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
import polars as pl

from pipshare import clients, db
from pipshare.period import Span
from pipshare.pipeline.run import Run

AT_ONCE = 200_000  # trades that are settled together in memory
_MINUTE_MS = 60_000
# The first minute of each block. What was revised is counted with what it was before.
_CUTS = """
SELECT min(minute)::bigint FROM (
    SELECT minute, (sum(many) OVER (ORDER BY minute) - many) / %(most)s AS block FROM (
        SELECT floor(extract(epoch FROM close_at) / 60) AS minute, count(*) AS many
          FROM trades_trade
         WHERE server_id = ANY(%(servers)s::int[])
           AND close_at >= to_timestamp(%(start)s / 1000.0)
           AND close_at < to_timestamp(%(end)s / 1000.0) {some}
         GROUP BY 1) m) b
 GROUP BY floor(block) ORDER BY 1
"""
_SOME = "AND login = ANY(%(logins)s::bigint[])"
_BY_LOGIN = """
SELECT server_id, login, count(*) FROM trades_trade
 WHERE server_id = ANY(%(servers)s::int[]) AND login = ANY(%(logins)s::bigint[]) GROUP BY 1, 2
"""


def in_blocks(
    run: Run, entity_id: int, span: Span, logins: Mapping[int, Sequence[int]] | None
) -> list[Span]:
    """Cut a span of UTC ms so that not many more than AT_ONCE trades closed in any part.

    `logins` by server: only those of these accounts are counted (None = of all).
    """
    values = {"servers": _servers(run, entity_id), "start": span.start, "end": span.end,
              "most": AT_ONCE}  # fmt: skip
    if logins is not None:
        values["logins"] = sorted(set().union(*logins.values()))
    query = _CUTS.format(some="" if logins is None else _SOME)
    found = db.read_columns(run.conn, query, values, schema={"minute": pl.Int64})["minute"]
    cuts = [max(span.start, one * _MINUTE_MS) for one in found[1:].to_list()]
    edges = [span.start, *cuts, span.end]
    return [Span(start, end) for start, end in pairwise(edges) if start < end]


def few_clients(run: Run, entity_id: int, who: Collection[int]) -> Iterator[list[int]]:
    """Part clients so that those of a part have not many more than AT_ONCE trades."""
    owned = clients.owned_by(run.conn, sorted(who))
    values = {"servers": _servers(run, entity_id), "logins": owned["login"].unique().to_list()}
    schema = {"server_id": pl.Int64, "login": pl.Int64, "many": pl.Int64}
    many = db.read_columns(run.conn, _BY_LOGIN, values, schema=schema)
    each = owned.join(many, on=["server_id", "login"]).group_by("client_id").agg(
        pl.col("many").sum()).sort("client_id")  # fmt: skip
    total = each["many"].cum_sum().to_numpy()
    part = (total - each["many"].to_numpy()) // AT_ONCE
    mine = each["client_id"].to_numpy()
    for one in np.unique(part).tolist():
        yield mine[part == one].tolist()


def _servers(run: Run, entity_id: int) -> list[int]:
    return [server.id for server in run.servers.values()
            if server.entity_id == entity_id and server.go_live_ms is not None]  # fmt: skip
