"""Pseudo trades: a period's sum or a client's event as a row that the kernel rates like a trade."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.rating.columns import TradeColumns
from pipshare.rating.places import GroupPlace, SymbolPlace

Int32s = npt.NDArray[np.int32]
ONE_E8 = 10**8
_GROUP = (GroupPlace("", "", Fraction(1)),)


@dataclass(frozen=True)
class PseudoRows:
    """Parallel columns: what is rated, for which chain, at which moment. `client` -1 = of none.

    `currency` is a place in `currencies`, -1 = the rate has the currency; `country` in `countries`;
    `blocked` as in TradeColumns.
    `lots_e8` are those that were summed, None = one for each; `exact` where the value is no whole
    number of 1e-8. `step_from` and `step_to` are steps of a ladder, as in TradeColumns.
    """

    chain: Int32s
    client: Longs
    moment_ms: Longs
    value_e8: Longs
    currency: Int32s
    currencies: tuple[str, ...] = ()
    country: Int32s | None = None
    countries: tuple[str, ...] = ()
    blocked: npt.NDArray[np.bool_] | None = None
    lots_e8: Longs | None = None
    exact: npt.NDArray[np.object_] | None = None
    step_from: Longs | None = None
    step_to: Longs | None = None

    def __len__(self) -> int:
        return len(self.chain)

    def taken(self, rows: Longs) -> PseudoRows:
        """Return these rows only."""
        changed = {
            one.name: held[rows]
            for one in fields(self)
            if isinstance(held := getattr(self, one.name), np.ndarray)
        }
        return replace(self, **changed)  # type: ignore[arg-type]


def as_trades(
    rows: PseudoRows,
) -> tuple[TradeColumns, tuple[SymbolPlace, ...], tuple[GroupPlace, ...]]:
    """Return pseudo rows as trades of one lot, with the symbols and groups to go with them."""
    count = len(rows)
    symbols = [SymbolPlace("", "", currency=name) for name in rows.currencies]
    symbols.append(SymbolPlace("", ""))
    trades = TradeColumns(
        lots_e8=np.full(count, ONE_E8, np.int64) if rows.lots_e8 is None else rows.lots_e8,
        hold_ms=np.zeros(count, np.int64),
        close_utc_ms=rows.moment_ms,
        client=rows.client,
        symbol=np.where(rows.currency < 0, len(rows.currencies), rows.currency).astype(np.int32),
        group=np.zeros(count, np.int32),
        chain=rows.chain,
        currency=rows.currency,
        country=rows.country,
        blocked=rows.blocked,
        qualified_ms=np.zeros(count, np.int64),
        server=np.zeros(count, np.int32),
        ticket=np.arange(count, dtype=np.int64),
        value_e8=rows.value_e8,
        value_currency=rows.currency,
        value_exact=rows.exact,
        step_from=rows.step_from,
        step_to=rows.step_to,
        account_currencies=rows.currencies,
        countries=rows.countries,
    )
    return trades, tuple(symbols), _GROUP
