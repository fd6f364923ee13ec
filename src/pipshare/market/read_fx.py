"""Read the recorded exchange rates."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import psycopg

from pipshare.db import ms
from pipshare.market.fx import PIVOTS, FxRow, FxTable
from pipshare.money import parse_rate

_RATES = f"SELECT id, base, quote, {ms('at')}, rate, bid, ask FROM market_fx"
_OWN = "SELECT currency FROM market_entity ORDER BY id"


def fx_table(conn: psycopg.Connection[Any]) -> FxTable:
    """Return all recorded rates."""
    exact: dict[str | None, Fraction | None] = {None: None}

    def read(text: str | None) -> Fraction | None:
        if text not in exact:
            exact[text] = parse_rate(str(text))
        return exact[text]

    rows = [
        FxRow(id_, base, quote, at_ms, read(rate) or Fraction(0), read(bid), read(ask))
        for id_, base, quote, at_ms, rate, bid, ask in conn.execute(_RATES)
    ]  # fmt: skip
    own = [row[0] for row in conn.execute(_OWN)]
    return FxTable(rows, (*PIVOTS, *own))
