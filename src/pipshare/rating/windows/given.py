"""What windows are settled from: trades with their lists, the book, people, rates, the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.facts.jurisdictions import Jurisdictions
from pipshare.period import FOREVER_MS, Clock
from pipshare.period import Millis as Longs
from pipshare.plans.book import Book
from pipshare.plans.qualifying import Qualify
from pipshare.rating.block import FxColumns
from pipshare.rating.columns import TradeColumns
from pipshare.rating.exchange import Exchange
from pipshare.rating.known import Known, Places
from pipshare.rating.parts import Part
from pipshare.rating.payees import Payees
from pipshare.rating.places import GroupPlace, SymbolPlace

Int32s = npt.NDArray[np.int32]
# (client, moment) -> the place of his chain in `chains` then, -1 = nobody introduced him.
ChainsAt = Callable[[Longs, Longs], Int32s]
# (part, what is asked, currency) -> since when clients' trades are enough for it.
MomentsOf = Callable[[Part, Qualify, str], dict[int, int]]
# What is known of windows before the first trade: kind "earned" (the payee's amount in the wallet's
# currency), "carried" (his balance at the window's end, below zero), "measure" (what the tier of
# the component measured of him in the window, in 1e-8: lots, money, or how many).
HISTORY: dict[str, pl.DataType | type[pl.DataType]] = {
    "component_id": pl.Int32, "partner_id": pl.Int32, "window_start_ms": pl.Int64,
    "kind": pl.String, "value_e8": pl.Int64,
}  # fmt: skip


class PlacedTrades(Protocol):
    """Introduced trades and the lists that they point into (rating.placed.Placed is one)."""

    @property
    def trades(self) -> TradeColumns: ...
    @property
    def symbols(self) -> Sequence[SymbolPlace]: ...
    @property
    def groups(self) -> Sequence[GroupPlace]: ...
    @property
    def chains(self) -> Sequence[tuple[int, ...]]: ...


@dataclass(frozen=True)
class Given:
    """All that settling looks at. Trades are complete for the windows that are asked for; what they
    say of their clients (qualified, KYC) is told by standing.of_clients.

    `events`: facts.events.EVENT and `client_id`; complete for every client in it. `clients_at` says
    whose clients they are. `history`: HISTORY. `as_of_ms`: what is forfeited is by then.
    `countries`: client_id, from_ms, country as loaded; they go before what registrations say.
    `live_ms`: what clients cost before it is taken from nothing. `blocks`: countries by whose
    clients nobody earns. `moments`: since when clients'
    trades are enough to qualify, where these are not among those given.
    """

    placed: PlacedTrades
    book: Book
    payees: Payees
    fx: FxColumns
    clock: Clock
    events: pl.DataFrame | None = None
    chains_at: ChainsAt | None = None
    history: pl.DataFrame | None = None
    countries: pl.DataFrame | None = None
    as_of_ms: int = FOREVER_MS - 1
    live_ms: int = 0
    blocks: Jurisdictions | None = None
    moments: MomentsOf | None = None

    def known(self, rows: Longs, more: Sequence[str] = ()) -> Known:
        """Return some trades as the bases take them; `more` are currencies that are asked for."""
        placed = self.placed
        trades = placed.trades
        names = dict.fromkeys(
            [*trades.account_currencies, *(one.currency for one in placed.symbols),
             *(one.currency for one in placed.groups), *more]
        )  # fmt: skip
        names.pop("", None)
        places = Places(placed.symbols, placed.groups, tuple(names))
        exchange = Exchange(self.fx, trades.own, tuple(names))
        return Known(trades.taken(rows), places, exchange, rows)
