"""A batch of settled trades as the kernel takes it, with all that the plans in force ask for."""

from __future__ import annotations

import polars as pl

from pipshare.attribution import Attributed
from pipshare.market import Server
from pipshare.pipeline.enrich import enriched, point_tables
from pipshare.pipeline.lives import with_lives
from pipshare.pipeline.run import Run
from pipshare.rating.placed import Placed, placed


def place(run: Run, server: Server, settled: pl.DataFrame, who: Attributed) -> Placed:
    """Return the introduced trades of a batch as columns."""
    frame = enriched(run, server, settled, who)
    points = point_tables(run, server, who.group_names)
    made = placed(frame, who, run.symbols(server), typical=points.typical, markup=points.markup)
    return with_lives(run, server.entity_id, made)
