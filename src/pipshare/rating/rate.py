"""Rate trades: from columns of attributed trades to lines, and to what waits for something.

`rate_trades` is the whole of it; `pipshare.rating.intake` brings a frame of settled trades and
their attribution into its shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.period import Millis as Longs
from pipshare.plans.book import Book
from pipshare.rating.block import Bools, FxColumns
from pipshare.rating.compile import compile_tables
from pipshare.rating.kernel import KernelInput, rate_columns
from pipshare.rating.own_rates import OwnRates
from pipshare.rating.payees import Payees
from pipshare.rating.places import GroupPlace, SymbolPlace
from pipshare.rating.rated import WAITS, Lines, Rated, sort_out

Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True)
class TradeColumns:
    """Introduced trades as parallel columns.

    `hold_ms`: from opening to close, -1 = opening unknown. `client`: -1 = none. `symbol`, `group`
    and `chain` are places in the lists given beside them. `cancelled` None = no trade is.
    `trade_row`: what to call each trade in the result, None = its place here. `own`: the exchange
    rates that the trades came with, used where none is recorded; None = there are none.
    """

    lots_e8: Longs
    hold_ms: Longs
    close_utc_ms: Longs
    client: Longs
    symbol: Int32s
    group: Int32s
    chain: Int32s
    cancelled: Bools | None = None
    trade_row: Longs | None = None
    own: OwnRates | None = None


def rate_trades(
    trades: TradeColumns,
    symbols: Sequence[SymbolPlace],
    groups: Sequence[GroupPlace],
    chains: Sequence[tuple[int, ...]],
    *,
    book: Book,
    payees: Payees,
    fx: FxColumns,
) -> Rated:
    """Rate introduced trades. `chains` hold partner ids, the direct IB first.

    Pure; order and batch size do not matter. Raises Missing for a partner of a chain who is not
    among the payees; everything that is merely missing makes a line wait.
    """
    if not len(trades.lots_e8):
        return nothing_rated()
    used = np.bincount(trades.chain, minlength=len(chains)) > 0
    span = int(trades.close_utc_ms.min()), int(trades.close_utc_ms.max())
    tables = compile_tables(book, payees, symbols, groups, chains, used, span)
    place = trades.group.astype(np.int64) * len(symbols) + trades.symbol
    given = KernelInput(
        lots_e8=trades.lots_e8,
        hold_ms=trades.hold_ms,
        close_utc_ms=trades.close_utc_ms,
        client=trades.client,
        place=place,
        deal=tables.stretches.of(trades.chain, trades.close_utc_ms),
        cancelled=trades.cancelled,
        tables=tables,
        fx=fx,
        own=trades.own,
    )
    out = rate_columns(given)
    return sort_out(out, trades.trade_row, tables.currencies, symbols, groups, place)


def nothing_rated() -> Rated:
    """Return the result of rating no trade at all."""
    none, none32 = np.zeros(0, np.int64), np.zeros(0, np.int32)
    none16 = np.zeros(0, np.int16)
    lines = Lines(none, none32, none16, none32, none32, none16, none, none32, none, none32,
                  none32, np.zeros(0, np.bool_))  # fmt: skip
    return Rated(lines, (), pl.DataFrame(schema=WAITS))
