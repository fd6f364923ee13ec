"""Rate trades: from columns of attributed trades to lines, and to what waits for something.

`rate_trades` is the whole of it; `pipshare.rating.intake` brings a frame of settled trades and
their attribution into its shape.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.plans.book import Book
from pipshare.rating.block import FxColumns
from pipshare.rating.columns import TradeColumns as TradeColumns
from pipshare.rating.compile import compile_tables
from pipshare.rating.kernel import KernelInput, rate_columns
from pipshare.rating.payees import Payees
from pipshare.rating.places import GroupPlace, SymbolPlace
from pipshare.rating.rated import WAITS, Lines, Rated, sort_out

Int32s = npt.NDArray[np.int32]


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
    chains, chain = _narrowed(chains, trades.chain)
    used = np.bincount(chain, minlength=len(chains)) > 0
    span = int(trades.close_utc_ms.min()), int(trades.close_utc_ms.max())
    tables = compile_tables(book, payees, symbols, groups, chains, used, span)
    place = trades.group.astype(np.int64) * len(symbols) + trades.symbol
    given = KernelInput(
        lots_e8=trades.lots_e8,
        hold_ms=trades.hold_ms,
        close_utc_ms=trades.close_utc_ms,
        client=trades.client,
        place=place,
        deal=tables.stretches.of(chain, trades.close_utc_ms),
        cancelled=trades.cancelled,
        tables=tables,
        fx=fx,
        own=trades.own,
    )
    out = rate_columns(given)
    return sort_out(out, trades.trade_row, tables.currencies, symbols, groups, place)


def _narrowed(
    chains: Sequence[tuple[int, ...]], chain: Int32s
) -> tuple[Sequence[tuple[int, ...]], Int32s]:
    """Leave out the chains that a few trades do not have: thousands may be known."""
    if len(chains) <= len(chain):
        return chains, chain
    used, rank = np.unique(chain, return_inverse=True)
    return [chains[place] for place in used.tolist()], rank.astype(np.int32)


def nothing_rated() -> Rated:
    """Return the result of rating no trade at all."""
    none, none32 = np.zeros(0, np.int64), np.zeros(0, np.int32)
    none16 = np.zeros(0, np.int16)
    lines = Lines(none, none32, none16, none32, none32, none16, none, none32, none, none32,
                  none32, np.zeros(0, np.bool_))  # fmt: skip
    return Rated(lines, (), pl.DataFrame(schema=WAITS))
