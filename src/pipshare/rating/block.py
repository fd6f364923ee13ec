"""One block of lines on its way through the kernel: outcomes, amounts per lot, shares, wallets.

Columns by line are views into the kernel's output; columns by trade (`deal`, `lots_e8`,
`close_utc_ms`) are reached through `trade`; the run's own rates through `trade` + `start`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.plans.terms import FxSide
from pipshare.rating.compile import Tables
from pipshare.rating.exact import exactly, scaled, scaled_twice
from pipshare.rating.prices import FIRST
from pipshare.rating.reasons import FIRST_WAIT, Reason, Wait
from pipshare.rating.slots import WHOLE

DROPPED = -1  # an outcome: no line at all
_SAFE = 2**62
Bools = npt.NDArray[np.bool_]
Int32s = npt.NDArray[np.int32]
Rates = tuple[Longs, Longs, Int32s, Bools]


Column = TypeVar("Column", bound=np.generic)


def gather(
    table: npt.NDArray[Column], places: Longs, out: npt.NDArray[Column] | None = None
) -> npt.NDArray[Column]:
    """Return table[places]. Places must be inside: "clip" only saves numpy a pass to check it."""
    return np.take(table, places, out=out, mode="clip")


class FxColumns(Protocol):
    """Where rates come from: exact fractions by moment, with the id of the stored rate."""

    def find_pair(self, base: str, quote: str, utc_ms: Longs, side: FxSide = "mid") -> Rates:
        """Return (top, bottom, id, found) for one unit of base in quote at each moment.

        `side` is that of the pair as it is stored; it is given only where it is not the middle.
        """
        ...


class OwnColumns(Protocol):
    """The rates that trades came with, for where FxColumns has none: by trade, not by moment."""

    def find_pair(self, base: str, quote: str, trades: Longs) -> Rates:
        """Return (top, bottom, id, found) for one unit of base in quote, for each trade."""
        ...


@dataclass
class Block:
    """Lines of some tens of thousands of trades."""

    tables: Tables
    fx: FxColumns
    own: OwnColumns | None
    start: int
    trade: Longs
    slot: Longs
    price: Longs
    deal: Longs
    lots_e8: Longs
    close_utc_ms: Longs
    outcome: npt.NDArray[np.int16]
    rate_id: Int32s
    currency: Int32s
    wallet: Int32s
    orig_e8: Longs
    amount_e8: Longs
    fx_id: Int32s
    place: Longs

    def decide(
        self,
        hold_ms: Longs,
        client: Longs,
        cancelled: Bools | None,
        barred: npt.NDArray[np.int16] | None = None,
    ) -> None:
        """Set the outcomes that no amount is needed for, from the weakest to the strongest."""
        slots, flags, out = self.tables.slots, self.tables.flags, self.outcome
        if int(self.price.min()) < FIRST:
            out[:] = self.tables.prices.outcome[self.price]
        unknown = hold_ms < 0
        if unknown.any():
            out[unknown[self.trade] & slots.needs_opening[self.slot]] = Wait.OPENING_UNKNOWN
        if int(self.lots_e8.min()) <= 0:
            # A close by an opening that is not there may not even know its volume.
            out[(self.lots_e8 <= 0)[self.trade]] = Wait.OPENING_UNKNOWN
        if flags.outcomes:
            fixed = slots.outcome[self.slot]
            waiting = fixed >= FIRST_WAIT
            out[waiting] = fixed[waiting]
        if barred is not None:
            why = np.where(slots.position[self.slot] == WHOLE, 0, barred[self.trade])
            out[:] = np.where(why != 0, why, out)
        if flags.min_hold:
            short = (hold_ms >= 0)[self.trade] & (
                hold_ms[self.trade] < slots.min_hold_ms[self.slot]
            )
            out[short] = Reason.TOO_SHORT
        if flags.own_clients:
            own = slots.own_client[self.slot]
            out[(own >= 0) & (own == client[self.trade])] = Reason.OWN_TRADING
        if flags.outcomes:
            settled = (fixed > 0) & ~waiting
            out[settled] = fixed[settled]
        if cancelled is not None:
            gone = cancelled[self.trade]
            whole = slots.position[self.slot] == WHOLE
            out[gone] = np.where(whole[gone], DROPPED, Reason.CANCELLED)

    def price_lots(self) -> None:
        """Work out the lines that are priced per lot, in the rate's and the wallet's currency."""
        prices = self.tables.prices
        large = self._multiply()
        lots = gather(self.lots_e8, self.trade) if prices.exact or self._converts else None
        if prices.exact and lots is not None:
            large = self._multiply_exact(lots, large)
        if large is not None:
            self.outcome[large & (self.outcome == Reason.PAID)] = Wait.TOO_LARGE
        if self._converts and lots is not None:
            self.amount_e8[:] = self.orig_e8
            self._convert(np.flatnonzero(self._foreign() & (prices.of[self.price] < 0)), lots)

    def take_shares(self) -> None:
        """Work out the lines that are a share of the child's, component after component."""
        if self.tables.slots.at is None:
            return
        share = np.flatnonzero(self.tables.prices.of[self.price] >= 0)
        position = self.tables.slots.position[self.slot[share]]
        for one in np.unique(position).tolist():
            self._share(share[position == one])

    @property
    def _converts(self) -> bool:
        return self.tables.flags.only_currency < 0

    def _multiply(self) -> Bools | None:
        """Set orig_e8 to lots x price for all lines (0 for shares); tell those too large."""
        prices, lots = self.tables.prices, self.lots_e8
        if not prices.common or int(np.abs(lots).max()) * prices.common_most >= _SAFE:
            top = np.where(prices.of[self.price] >= 0, 0, prices.top[self.price])
            bottom = prices.bottom[self.price]
            self.orig_e8[:], large = scaled(lots[self.trade], top, bottom)
            return large
        gather(prices.common_top, self.price, self.orig_e8)
        whole = lots // prices.common
        if np.array_equal(whole * prices.common, lots):
            # Lots come in hundredths: with a usual denominator there is nothing to round.
            self.orig_e8 *= gather(whole, self.trade)
            return None
        self.orig_e8 *= gather(lots, self.trade)
        quotient = self.orig_e8 // prices.common
        rest = self.orig_e8 - quotient * prices.common
        missing = prices.common - rest
        quotient += (rest > missing) | ((rest == missing) & (quotient & 1 == 1))
        self.orig_e8[:] = quotient
        return None

    def _multiply_exact(self, lots: Longs, large: Bools | None) -> Bools | None:
        exact = self.tables.prices.exact
        rows = np.flatnonzero(np.isin(self.price, list(exact)))
        factors = [exact[price] for price in self.price[rows].tolist()]
        self.orig_e8[rows], too_large = exactly(lots[rows], factors)
        if too_large is None:
            return large
        large = np.zeros(len(lots), np.bool_) if large is None else large
        large[rows[too_large]] = True
        return large

    def clear_unpaid(self) -> None:
        """Leave no amount, rate or foreign currency on lines that pay nothing."""
        if not self.outcome.any():
            return
        unpaid = np.flatnonzero(self.outcome != Reason.PAID)
        self.orig_e8[unpaid] = self.amount_e8[unpaid] = 0
        self.rate_id[unpaid] = self.fx_id[unpaid] = 0
        settled = unpaid[self.outcome[unpaid] < FIRST_WAIT]
        self.currency[settled] = self.wallet[settled]

    def _share(self, rows: Longs) -> None:
        slots, prices, at = self.tables.slots, self.tables.prices, self.tables.slots.at
        assert at is not None
        price, level = self.price[rows], slots.level[self.slot[rows]]
        slot = at[self.deal[self.trade[rows]], prices.of[price], np.maximum(level - 2, 0)]
        exists = (slot >= 0) & (level > 1)
        child = rows + np.where(exists, slot - self.slot[rows], 0)
        exists &= self.outcome[child] != DROPPED
        self.outcome[rows[~exists]] = DROPPED
        open_ = exists & (self.outcome[rows] == Reason.PAID)
        rows, child, price = rows[open_], child[open_], price[open_]
        below = self.outcome[child]
        told = np.where(below >= FIRST_WAIT, Wait.CHILD_WAITS, Reason.NOTHING_BELOW)
        self.outcome[rows] = np.where(below == Reason.PAID, Reason.PAID, told)
        values = self.orig_e8[child]
        self.currency[rows] = self.currency[child]
        self.orig_e8[rows], _ = scaled(values, prices.top[price], prices.bottom[price])
        self.amount_e8[rows] = self.orig_e8[rows]
        if self._converts:
            whole = np.zeros(len(self.slot), np.int64)
            whole[rows] = values
            self._convert(rows[self._foreign()[rows]], whole)

    def _foreign(self) -> Bools:
        """Tell the paid lines whose currency is not the wallet's."""
        foreign: Bools = (self.currency != self.wallet) & (self.outcome == Reason.PAID)
        return foreign

    def _convert(self, rows: Longs, values: Longs) -> None:
        """Turn values x price into the wallet's currency for these lines, with one rounding."""
        prices, names = self.tables.prices, self.tables.currencies
        price = self.price[rows]
        pays = (values[rows] != 0) & (prices.top[price] != 0)
        if prices.exact:
            pays |= np.isin(price, list(prices.exact))
        rows = rows[pays]
        pair = self.currency[rows].astype(np.int64) * len(names) + self.wallet[rows]
        for code in np.unique(pair).tolist():
            base, quote = names[code // len(names)], names[code % len(names)]
            self._convert_pair(rows[pair == code], values, base, quote)

    def _convert_pair(self, rows: Longs, values: Longs, base: str, quote: str) -> None:
        prices = self.tables.prices
        moment = self.close_utc_ms[self.trade[rows]]
        rates = self.fx.find_pair(base, quote, moment)
        if self.own is not None and not rates[3].all():
            missing = np.flatnonzero(~rates[3])
            trades = self.trade[rows[missing]] + self.start
            rates = filled(rates, missing, self.own.find_pair(base, quote, trades))
        top, bottom, number, found = rates
        self.outcome[rows[~found]] = Wait.NO_FX
        rows, top, bottom = rows[found], top[found], bottom[found]
        price = self.price[rows]
        self.fx_id[rows] = number[found]
        self.amount_e8[rows], large = scaled_twice(
            values[rows], prices.top[price], prices.bottom[price], top, bottom
        )
        if prices.exact:
            large = self._convert_exact(rows, values, top, bottom, large)
        if large is not None:
            self.outcome[rows[large]] = Wait.TOO_LARGE

    def _convert_exact(
        self, rows: Longs, values: Longs, top: Longs, bottom: Longs, large: Bools | None
    ) -> Bools | None:
        """Do again the lines whose price does not fit 64 bits."""
        exact = self.tables.prices.exact
        odd = np.flatnonzero(np.isin(self.price[rows], list(exact)))
        factors = [
            exact[price] * Fraction(high, low)
            for price, high, low in zip(self.price[rows[odd]].tolist(), top[odd].tolist(),
                                        bottom[odd].tolist(), strict=True)
        ]  # fmt: skip
        self.amount_e8[rows[odd]], too_large = exactly(values[rows[odd]], factors)
        if too_large is None:
            return large
        large = np.zeros(len(rows), np.bool_) if large is None else large
        large[odd[too_large]] = True
        return large


def filled(rates: Rates, rows: Longs, others: Rates) -> Rates:
    """Return the rates with those of these rows taken from `others`, which has no more rows."""
    (top, bottom, number, found), (tops, bottoms, numbers, founds) = rates, others
    top, bottom, number, found = top.copy(), bottom.copy(), number.copy(), found.copy()
    top[rows], bottom[rows], number[rows], found[rows] = tops, bottoms, numbers, founds
    return top, bottom, number, found
