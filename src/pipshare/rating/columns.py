"""Introduced trades as parallel columns: all that rating may want to know of a trade.

Only the first eight columns have to be there. An optional column that is None is unknown for every
trade; inside a column a value that is not known is written as told below. What a plan needs and
nobody told makes a line wait, it is never taken as zero.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.rating.own_rates import OwnRates

Bools = npt.NDArray[np.bool_]
Int8s = npt.NDArray[np.int8]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
NO_QUOTE, DEAL, IMPORTED, TYPICAL = 0, 1, 2, 3  # where a quote was found
QUOTE_SOURCES = ("", "deal", "imported", "typical")
PASSED, MADE = 0, 1  # the account's book: passed through, market-made
NOT_CLOSED_BY, COUNTS, COUNTED_BEFORE = 0, 1, 2  # close-by: the side that counts, the other one
HELD_NOT, HELD_SUSPENDED, HELD_KYC = 0, 1, 2  # why a line accrues held


@dataclass(frozen=True)
class TradeColumns:
    """Introduced trades as parallel columns.

    `hold_ms`: from opening to close, -1 = opening unknown. `client`: -1 = none. `symbol`, `group`
    and `chain` are places in the lists given beside them. `cancelled` None = no trade is.
    `trade_row`: what to call each trade in the result, None = its place here. `own`: the exchange
    rates that the trades came with, used where none is recorded; None = there are none.

    Prices and quotes are e8, 0 = unknown. Where several deals opened a trade `open_spread_e16` is
    the exact sum of lots x spread of each (trades.quotes_of), of which the pair is the mean,
    rounded; 0 = the pair is exact. `open_quote` and `close_quote` say where the quote of
    that end was found (NO_QUOTE, DEAL, IMPORTED). `contract_e8`: the deal's own contract size, 0 =
    the symbol's. `typical_points_e8` and `markup_points_e8` override what the symbol's place says,
    -1 = it stands. Money columns are the client's, in the account's currency: a commission of -7
    was charged to him. `side` +1 bought, -1 sold, 0 unknown. `reason` is an EnDealReason, -1
    unknown. `account`: a number per account. `currency` and `country` are places in
    `account_currencies` and `countries`, -1 unknown. `blocked`: nobody earns by clients of his
    country; None = no country is blocked. `qualified_ms`: UTC ms, 0 = always, -1 = not
    qualified; `registered_ms` 0 = unknown. `bonus_top` / `bonus_bottom`: the credit coefficient of
    the last snapshot before the close, bottom 0 = there is none; `snapshot_age_ms` how old it was.
    `negative`: the order drove the account below zero. `book`: PASSED or MADE. `server` and
    `ticket` settle the order of trades that closed in one millisecond, None = by place here.

    `value_e8`: the value of a pseudo trade (a period's sum), used instead of any basis; its
    currency is `value_currency`, a place in `account_currencies`, -1 = has none. `value_exact`: a
    Fraction where the sum is no whole number of 1e-8, else None. `step_from` and `step_to`: of a
    pseudo trade that is paid by a client's ladder, the steps (from 1, 0 = none) up to which was
    paid, and is due; None = it is not.
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
    open_utc_ms: Longs | None = None
    side: Int8s | None = None
    open_price_e8: Longs | None = None
    close_price_e8: Longs | None = None
    open_bid_e8: Longs | None = None
    open_ask_e8: Longs | None = None
    open_spread_e16: Longs | None = None
    close_bid_e8: Longs | None = None
    close_ask_e8: Longs | None = None
    open_quote: Int8s | None = None
    close_quote: Int8s | None = None
    contract_e8: Longs | None = None
    typical_points_e8: Longs | None = None
    gateway_markup_points_e8: Longs | None = None
    markup_points_e8: Longs | None = None
    commission_e8: Longs | None = None
    fee_e8: Longs | None = None
    swap_e8: Longs | None = None
    profit_e8: Longs | None = None
    reason: Int16s | None = None
    partial: Bools | None = None
    close_by: Int8s | None = None
    account: Longs | None = None
    currency: Int32s | None = None
    country: Int32s | None = None
    blocked: Bools | None = None
    qualified_ms: Longs | None = None
    registered_ms: Longs | None = None
    kyc_held: Bools | None = None
    bonus_top: Longs | None = None
    bonus_bottom: Longs | None = None
    snapshot_age_ms: Longs | None = None
    negative: Bools | None = None
    book: Int8s | None = None
    server: Int32s | None = None
    ticket: Longs | None = None
    value_e8: Longs | None = None
    value_currency: Int32s | None = None
    value_exact: npt.NDArray[np.object_] | None = None
    step_from: Longs | None = None
    step_to: Longs | None = None
    account_currencies: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.lots_e8)

    def taken(self, rows: Longs | slice) -> TradeColumns:
        """Return these rows only, in the order given."""
        changed: dict[str, Any] = {}
        for one in fields(self):
            held = getattr(self, one.name)
            if isinstance(held, np.ndarray):
                changed[one.name] = held[rows]
            elif isinstance(held, OwnRates):
                changed[one.name] = replace(
                    held, rate_e8=held.rate_e8[rows], base=held.base[rows], quote=held.quote[rows]
                )
        return replace(self, **changed)
