"""Hand the scalar twin its facts: the chain of a trade, and the way to exchange rates."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from pipshare import rating
from pipshare.facts.frames import widened
from pipshare.market import CENT_ID, CHAIN_ID, Server
from pipshare.market.fx import Side
from pipshare.pipeline.run import Run
from pipshare.rating.twin_values import Fx, Partner

_FX_ROW = "SELECT base, quote, rate, at, source FROM market_fx WHERE id = %s"


def with_open(server: Server, settled: pl.DataFrame) -> pl.DataFrame:
    """Add the opening in UTC: a holding time is not what two walls of a clock differ by."""
    moments = server.to_utc(settled["open_ms"].cast(pl.Int64).to_numpy())
    return widened(settled, {"open_utc": np.asarray(moments, np.int64)})


def chain_facts(run: Run, who: dict[str, Any]) -> tuple[Partner, ...]:
    """Return the partners of a chain with their histories, the direct IB first."""
    return rating.chain_facts([level["id"] for level in who["chain"]], run.book, run.partners)


def fx_facts(run: Run) -> Fx:
    """Return the twin's way to exchange rates: the same stored rows, with when and from where."""

    told: dict[int, str] = {}

    def source(fx_id: int) -> str:
        if fx_id not in told:
            told[fx_id] = _source(run, fx_id)
        return told[fx_id]

    def find(
        base: str, quote: str, utc_ms: int, side: Side = "mid"
    ) -> tuple[Fraction, int, str] | None:
        found = run.fx.find(base, quote, utc_ms, side)
        if found is None:
            return None
        if found[1] != CHAIN_ID:
            return (*found, source(found[1]))
        legs = run.fx.legs(base, quote, utc_ms, side) or ()
        steps = [f"{leg.base} in {leg.quote} {source(leg.id)}" for leg in legs]
        return (*found, f"({', then '.join(steps)})")

    return find


def _source(run: Run, fx_id: int) -> str:
    if abs(fx_id) in (0, CENT_ID):
        return "(by definition)"
    row = run.conn.execute(_FX_ROW, (abs(fx_id),)).fetchone()
    if row is None:
        return ""
    base, quote, rate, at, source = row
    return f"({base}/{quote} {rate} of {at:%Y-%m-%d %H:%M} UTC, {source})"
