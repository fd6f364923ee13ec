"""Compare trades of a document that books nothing with the trades that are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare.facts import Opening, State
from pipshare.market import Server
from pipshare.trades.differ import CLOSING, COMPARED, named, unequal
from pipshare.trades.read import read

SHOWN = 20
_OPENING = tuple(name for name in COMPARED if name not in (*CLOSING, "reason"))


@dataclass(frozen=True)
class Difference:
    """One trade told in two ways: per field what the document says and what is stored.

    Values are those of TRADE's columns; field `state` says that the stored trade is cancelled.
    """

    ticket: int
    line: int
    fields: dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Comparison:
    """How many of a document's trades match, differ, and are not stored; the first differences."""

    matching: int
    differing: int
    missing: int
    differences: list[Difference]
    missing_tickets: list[int]


def compare(
    conn: psycopg.Connection[Any], server: Server, trades: pl.DataFrame, shown: int = SHOWN
) -> Comparison:
    """Compare a TRADE frame with the server's current trades, by ticket; nothing is written.

    At most `shown` differences, and as many missing tickets, are named.

    Counted as in the fingerprint: times in seconds, symbols without case, reasons where both tell.
    What depends on the opening (its time and price, the charges) is compared only where both know
    the opening.
    """
    rows = trades.unique("ticket", keep="first").sort("ticket")
    stored = read(conn, server.id, tickets=rows["ticket"].to_numpy())
    here = rows.join(stored.select("ticket"), on="ticket", how="semi").sort("ticket")
    missing = rows.join(stored.select("ticket"), on="ticket", how="anti")["ticket"].sort()
    masks = unequal(here, stored)
    known = ((here["opening"] == Opening.KNOWN) & (stored["opening"] == Opening.KNOWN)).to_numpy()
    for name in _OPENING:
        masks[name] &= known
    masks["state"] = (stored["state"] != State.CLOSED).to_numpy()
    differs = np.logical_or.reduce(list(masks.values()))
    return Comparison(
        matching=int((~differs).sum()),
        differing=int(differs.sum()),
        missing=len(missing),
        differences=[
            _difference(here.row(at, named=True), stored.row(at, named=True), named(masks, at))
            for at in np.flatnonzero(differs)[:shown].tolist()
        ],
        missing_tickets=missing.head(shown).to_list(),
    )


def _difference(here: dict[str, Any], there: dict[str, Any], names: list[str]) -> Difference:
    told = {**here, "state": int(State.CLOSED)}
    fields = {name: (told[name], there[name]) for name in names}
    return Difference(here["ticket"], here["line"], fields)
