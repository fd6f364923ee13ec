"""The lines of one part in one block on their way: gross by rate, caps, rebate, wallet.

A mode (rating/modes) drives it from the client upward. Rows are the part's lines by trade and
level; a *group* is a trade's lines of this part. Amounts are 1e-8 integers, quantised once by the
rate; what a mode gives beside the rate's own amount is worked out of quantised amounts.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from pipshare.money.amounts import MAX_E8
from pipshare.period import Millis as Longs
from pipshare.rating.block import DROPPED, Block, gather
from pipshare.rating.caps import cut
from pipshare.rating.exact import exactly_rounded, rounded
from pipshare.rating.gross import Gross as Gross
from pipshare.rating.known import Known
from pipshare.rating.parts import Part
from pipshare.rating.prices import BLANK, FIRST, over_one
from pipshare.rating.reasons import FIRST_WAIT, Reason, Wait
from pipshare.rating.rebates import Clients as Clients
from pipshare.rating.rebates import Purse
from pipshare.rating.running import Running
from pipshare.rating.values import RATES_OWN, Values, multiplied
from pipshare.rating.wallets import into_wallets

Bools = npt.NDArray[np.bool_]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
_SAFE = 2**62
_E8 = 10**8
_FEW = 10**6  # a denominator that all prices may be brought to: one number divides fast


class Work:
    """A part's lines. `seen` is what a share of a line is taken of; `capped` tells cut lines."""

    def __init__(
        self,
        part: Part,
        block: Block,
        known: Known,
        values: Values,
        rows: Longs,
        first: Longs,
        block_seen: Longs,
        running: Running | None,
        clients: Clients,
    ) -> None:
        self.part, self.block, self.known, self.values = part, block, known, values
        self.rows, self.first, self.clients = rows, first, clients
        self.block_seen, self.running = block_seen, running
        count = len(rows)
        self.groups = len(first)
        self.length = np.diff(np.r_[first, count])
        self.group = np.repeat(np.arange(self.groups), self.length)
        slots = block.tables.slots
        # Where every line of the block is one of these, slices spare a copy by rows.
        self.lines = slice(None) if count == len(block.slot) else rows
        self.slot, self.price = block.slot[self.lines], block.price[self.lines]
        self.level = slots.level[self.slot]
        self.wallet = slots.wallet[self.slot].astype(np.int32)
        self.outcome = block.outcome[self.lines].copy()
        self.orig = np.zeros(count, np.int64)
        self.amount = np.zeros(count, np.int64)
        self.seen = np.zeros(count, np.int64)
        self.currency = np.full(count, -1, np.int32)
        self.fx_id = np.zeros(count, np.int32)
        self.used = np.full(count, BLANK, np.int64)
        self.capped = np.zeros(count, np.bool_)
        self.waiting = np.zeros(self.groups, np.bool_)
        # The exact product of each row: x_num x x_top / x_bottom (1e-8), or a fraction in x_odd.
        self.x_num: Longs | None = None
        self.x_top = self.x_bottom = np.zeros(0, np.int64)
        self.x_odd: dict[int, Fraction] = {}
        self._factors: tuple[Longs, Longs, Bools] | None = None
        self.tier_pair: tuple[Int32s, Int32s] | None = None
        self.adds: tuple[npt.NDArray[Any], Int16s] | None = None

    def spots(self, rows: Longs) -> slice | Longs:
        """Return rows as an index; of all rows a slice, which spares a copy."""
        return slice(None) if len(rows) == len(self.rows) else rows

    def slot_column(self, name: str) -> Longs:
        """Return a column of the slots for each row."""
        column: Longs = getattr(self.block.tables.slots, name)[self.slot]
        return column

    def levels(self) -> Iterator[tuple[Longs, Longs]]:
        """Go upward, level by level: (rows, their groups)."""
        for level in range(1, int(self.level.max(initial=0)) + 1):
            at = np.flatnonzero(self.level == level)
            if not len(at):
                continue
            group = self.group[at]
            yield at, group
            self.waiting[group] |= self.outcome[at] >= FIRST_WAIT

    def wait_above(self, at: Longs, group: Longs) -> None:
        """Let open rows wait where a level below waits."""
        self.stop(at[self.waiting[group]], Wait.CHILD_WAITS)

    def stop(self, at: Longs, why: int) -> None:
        """Settle these rows, where they are open, at zero, or let them wait."""
        self.outcome[at[self.outcome[at] == 0]] = why

    def quantised(self, e8: Longs, top: Longs, bottom: Longs) -> Longs:
        """Return a share of quantised amounts, rounded as the plan says for what a rate gives."""
        how = self.part.component.rounding
        return rounded(e8, top, bottom, how.amount, how.how)[0]

    def rank_prices(self, number: int) -> Longs | None:
        """Return the price of each row by the rate of one rank; None where it has no rates."""
        part, tables = self.part, self.block.tables
        sheet = tables.sheets.only(part.version, part.position, part.component.ranks[number])
        if sheet is None:
            return None
        width = tables.width
        trade = self.block.trade[self.rows]
        return tables.cells[sheet * width + self.block.place[trade]].astype(np.int64)

    def by_rate(self, at: Longs) -> Gross:
        """Return what the rows' own rates give, be they on the basis or shares of other lines."""
        price = self.price[self.spots(at)]
        if not self.block.tables.sheets.have_shares:
            return self.by_price(at, price)
        of = self.block.tables.prices.of[price]
        share = of >= 0
        if not share.any():
            return self.by_price(at, price)
        self._drop(at[share], of[share])
        gross = self.by_price(at, np.where(share, BLANK, price))
        spots = np.flatnonzero(share)
        self._shares(at[spots], of[spots], gross, spots)
        return gross

    def by_price(self, at: Longs, price: Longs) -> Gross:
        """Return value x rate for these rows, and keep the exact product for the wallet.

        A rate of 0 gives nothing whatever the value is, and waits for nothing: in its currency,
        else in the payee's.
        """
        prices = self.block.tables.prices
        free = None if prices.nothing is None else prices.nothing[price]
        if free is None or not free.any():
            return self._by_value(at, price)
        rest, zero = np.flatnonzero(~free), np.flatnonzero(free)
        gross = Gross.none(len(at))
        if len(rest):
            gross = self._by_value(at[rest], price[rest]).spread_over(len(at), rest)
        gross.price[zero], own = price[zero], prices.named[price[zero]]
        gross.currency[zero] = np.where(own, prices.currency[price[zero]], self.wallet[at[zero]])
        return gross

    def _by_value(self, at: Longs, price: Longs) -> Gross:
        prices, values = self.block.tables.prices, self.values
        group = self.group[self.spots(at)]
        stop = np.zeros(len(at), np.int16)
        if int(price.min(initial=FIRST)) < FIRST:
            stop = prices.outcome[price].astype(np.int16)
        if values.outcome.any():
            stop = np.where(stop != 0, stop, values.outcome[group]).astype(np.int16)
        given = None if self.running is None else self.running.given(self, at, price, stop)
        if given is not None:
            return given
        return self.product(at, group, price, stop)

    def directs(self) -> Longs:
        """Return the direct IB of each row's trade, as a partner id."""
        found: Longs = self.block.tables.directs[self.block.deal[self.block.trade[self.rows]]]
        return found

    def product(self, at: Longs, group: Longs, price: Longs, stop: Int16s) -> Gross:
        """Multiply values by prices with one rounding."""
        prices, values, how = self.block.tables.prices, self.values, self.part.component.rounding
        tops, bottoms, odd_price = self._priced()
        num, top, bottom = values.num[group], gather(tops, price), gather(bottoms, price)
        bad = gather(odd_price, price) if odd_price.any() else None
        if values.top is not None and values.bottom is not None:
            top, bottom, over = multiplied((top, bottom), (values.top[group], values.bottom[group]))
            if over is not None:
                bad = over if bad is None else bad | over
        e8, large = rounded(num, top, bottom, how.amount, how.how)
        self._keep_exact(at, num, top, bottom)
        if values.odd:
            strange = np.isin(group, list(values.odd))
            bad = strange if bad is None else bad | strange
        if bad is not None and bad.any():
            rates = {int(p): self.rate_of(int(p)) for p in np.unique(price[bad])}
            for i in np.flatnonzero(bad).tolist():
                exact = values.at(int(group[i])) * rates[int(price[i])] * _E8
                e8[i], too_large = self.odd_row(int(at[i]), exact)
                if too_large:
                    large = np.zeros(len(at), np.bool_) if large is None else large
                    large[i] = True
        if large is not None:
            stop[large & (stop == 0)] = Wait.TOO_LARGE
        currency = values.currency[group]
        if int(values.currency.min()) == RATES_OWN:
            currency = np.where(currency == RATES_OWN, prices.currency[price], currency)
        return Gross(e8, currency.astype(np.int32), stop, price)

    def odd_row(self, row: int, exact: Fraction) -> tuple[int, bool]:
        """Keep a row's exact product (1e-8) as a fraction; return it rounded, and if too large."""
        how = self.part.component.rounding
        self.x_odd[row] = exact
        units = exactly_rounded(exact, how.amount, how.how)
        return (0, True) if abs(units) > MAX_E8 else (units, False)

    def rate_of(self, price: int) -> Fraction:
        """Return a price as an exact fraction."""
        prices = self.block.tables.prices
        return prices.exact.get(price) or Fraction(
            int(prices.top[price]), int(prices.bottom[price])
        )

    def _priced(self) -> tuple[Longs, Longs, Bools]:
        """Return each price x the unit of values, in 1e-8 (top, bottom), and what does not fit."""
        if self._factors is None:
            prices, unit = self.block.tables.prices, self.values.unit * _E8
            high = np.full(len(prices.top), min(unit.numerator, _SAFE), np.int64)
            low = np.full(len(prices.top), min(unit.denominator, _SAFE), np.int64)
            top, bottom, over = multiplied((prices.top, prices.bottom), (high, low))
            common = np.maximum(np.gcd(top, bottom), 1)
            odd = np.zeros(len(top), np.bool_) if over is None else over
            if max(unit.numerator, unit.denominator) >= _SAFE:
                odd[:] = True
            odd[list(prices.exact)] = True
            top, bottom = np.where(odd, 0, top // common), np.where(odd, 1, bottom // common)
            shared, tops = over_one(top, bottom, _FEW)
            if shared:
                top, bottom = tops, np.full(len(tops), shared)
            self._factors = top, bottom, odd
        return self._factors

    def _keep_exact(self, at: Longs, num: Longs, top: Longs, bottom: Longs) -> None:
        if not self.part.exact:
            return
        if self.x_num is None and len(at) == len(self.rows):
            self.x_num, self.x_top, self.x_bottom = num, top, bottom
            return
        if self.x_num is None:
            self.x_num = np.zeros(len(self.rows), np.int64)
            self.x_top, self.x_bottom = self.x_num.copy(), np.ones(len(self.rows), np.int64)
        self.x_num[at], self.x_top[at], self.x_bottom[at] = num, top, bottom

    def _child(self, at: Longs, of: Int32s) -> tuple[Longs, Bools]:
        """Return the block's line that each row takes a share of, and whether there is one."""
        block, slots = self.block, self.block.tables.slots
        assert slots.at is not None
        rows, level = self.rows[at], self.level[at]
        slot = slots.at[block.deal[block.trade[rows]], of, np.maximum(level - 2, 0)]
        exists = (slot >= 0) & (level > 1)
        child = rows + np.where(exists, slot - self.slot[at], 0)
        return child, exists & (block.outcome[child] != DROPPED)

    def _drop(self, at: Longs, of: Int32s) -> None:
        self.outcome[at[~self._child(at, of)[1]]] = DROPPED

    def _shares(self, at: Longs, of: Int32s, gross: Gross, spots: Longs) -> None:
        """Put into `gross` what the rows get of other components' lines of the level below."""
        block, prices = self.block, self.block.tables.prices
        child, _ = self._child(at, of)
        price, below = self.price[at], block.outcome[child]
        top, bottom, seen = prices.top[price], prices.bottom[price], self.block_seen[child]
        stop = np.where(below >= FIRST_WAIT, Wait.CHILD_WAITS, Reason.NOTHING_BELOW)
        gross.stop[spots] = np.where(below == Reason.PAID, 0, stop)
        gross.e8[spots] = self.quantised(seen, top, bottom)
        gross.currency[spots] = block.currency[child]
        gross.price[spots] = price
        if self.x_odd:
            for row in at.tolist():
                self.x_odd.pop(row, None)
        self._keep_exact(at, seen, top, bottom)

    def earns(self, at: Longs, gross: Gross, amounts: Longs | None = None) -> None:
        """Let the open rows earn their gross, or `amounts` (parallel to `at`), and settle them."""
        open_ = np.flatnonzero(self.outcome[at] == 0)
        rows = at[open_]
        if not len(rows):
            return
        spots = self.spots(rows)
        self.orig[spots] = gross.e8[spots] if amounts is None else amounts[open_]
        self.currency[spots], self.used[spots] = gross.currency[spots], gross.price[spots]
        exact = self.part.exact and amounts is None
        if self.running is not None or self.part.component.caps:
            cut = self._cap(rows)
            rows, exact_rows = rows[self.outcome[rows] == 0], ~cut[self.outcome[rows] == 0]
        else:
            exact_rows = None
        spots = self.spots(rows)
        self.seen[spots] = self.orig[spots]
        into_wallets(self, rows, exact, exact_rows)
        if self.part.component.rebate is not None:
            self._rebate(rows[(self.level[rows] == 1) & (self.outcome[rows] == 0)])

    def _cap(self, rows: Longs) -> Bools:
        """Cut what caps do not allow; tell which rows were cut."""
        was = self.orig[rows].copy()
        cut(self, rows)
        changed = self.orig[rows] != was
        self.capped[rows[changed]] = True
        return changed

    def _rebate(self, rows: Longs) -> None:
        """Give the client his share of what the direct IB earns, out of that."""
        rebate = self.part.component.rebate
        assert rebate is not None
        if not len(rows):
            return
        share = np.full(len(rows), rebate.share.numerator, np.int64)
        whole = np.full(len(rows), rebate.share.denominator, np.int64)
        given = self.quantised(self.orig[rows], share, whole)
        account = self.known.account_currency[self.group[rows]]
        wallet = np.where(account < 0, self.currency[rows], account).astype(np.int32)
        client = Purse(self, rows, given, wallet)
        self.orig[rows] -= given
        if rebate.taken == "before":
            self.seen[rows] = self.orig[rows]
        self.fx_id[rows] = 0
        into_wallets(self, rows, False)
        client.add_to(self.clients)

    def write(self) -> None:
        """Put the rows into the block: outcomes, amounts, rates, and what shares are taken of."""
        block, rows = self.block, self.lines
        prices = block.tables.prices
        block.outcome[rows] = self.outcome
        block.orig_e8[rows] = self.orig
        block.fx_id[rows] = self.fx_id
        block.rate_id[rows] = prices.rate_id[self.used]
        self.block_seen[rows] = self.seen
        block.amount_e8[rows] = self.amount
        block.currency[rows] = np.maximum(self.currency, 0)
        block.wallet[rows] = self.wallet
        waits = self.outcome == Wait.NO_FX
        if waits.any():
            self._name_missing_rate(np.flatnonzero(waits & (self.currency < 0)))

    def _name_missing_rate(self, at: Longs) -> None:
        """Where the value itself could not be converted the pair is that of the value."""
        by_value = self.values.outcome[self.group[at]] == Wait.NO_FX
        for pair, rows in ((self.values.no_rate, at[by_value]), (self.tier_pair, at[~by_value])):
            if pair is not None:
                base, quote = pair
                self.block.currency[self.rows[rows]] = base[self.group[rows]]
                self.block.wallet[self.rows[rows]] = quote[self.group[rows]]
