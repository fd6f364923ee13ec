"""The trades' own exchange rates, in columns: what stands in where no rate is recorded.

A platform says of a closing deal what it turned the symbol's profit currency into the account's
with (MetaTrader's RateProfit). That is a rate of one pair at one moment, for its own trade only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipshare.market.fx import DEAL_ID, FxColumn
from pipshare.money.currencies import CENT_CURRENCIES
from pipshare.period import Millis as Longs

Int32s = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
_E8 = 10**8


@dataclass(frozen=True)
class OwnRates:
    """Trades as parallel columns: one unit of base cost rate_e8 / 1e8 of quote, at the close.

    `base` and `quote` are places in `bases` and `quotes`; -1, or the name "", is a currency that
    is not known. A `rate_e8` of 0 or less is no rate.
    """

    rate_e8: Longs
    base: Int32s
    quote: Int32s
    bases: tuple[str, ...]
    quotes: tuple[str, ...]

    def find_pair(self, base: str, quote: str, trades: Longs) -> FxColumn:
        """Return the rates of a pair, not of one currency and its cents, by the trades' own.

        The trade's pair may be this one or its inverse (negative id), each currency or its cents.
        """
        rate, mine, other = self.rate_e8[trades], self.base[trades], self.quote[trades]
        known = rate > 0
        same = known & _is(self.bases, base)[mine] & _is(self.quotes, quote)[other]
        back = known & _is(self.bases, quote)[mine] & _is(self.quotes, base)[other]
        bases, quotes = _cents(self.bases)[mine], _cents(self.quotes)[other]
        low, high = _cents((base,))[0], _cents((quote,))[0]
        # One hundred cents or one unit on each side: 1e8 takes them all without a remainder.
        unit = np.where(same, _E8 * quotes * low // (bases * high),
                        _E8 * quotes * high // (bases * low))  # fmt: skip
        found = same | back
        return FxColumn(
            np.where(found, np.where(same, rate, unit), 0),
            np.where(found, np.where(same, unit, rate), 1),
            np.where(same, DEAL_ID, np.where(back, -DEAL_ID, 0)).astype(np.int32),
            found,
        )


def _is(names: tuple[str, ...], wanted: str) -> Bools:
    """Tell which names are a currency or its cents; False for the place -1 (none)."""
    main = CENT_CURRENCIES.get(wanted, wanted)
    return np.array([*(CENT_CURRENCIES.get(name, name) == main for name in names), False])


def _cents(names: tuple[str, ...]) -> Longs:
    """Return how many of each name make one of its main currency; 1 for the place -1 (none)."""
    return np.array([*(100 if name in CENT_CURRENCIES else 1 for name in names), 1], np.int64)
