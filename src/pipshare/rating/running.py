"""What builds up over many trades: netting, tiers and caps, in canonical order.

Trades come in the order of close, server and ticket, block by block. Where a component has a tier
there are two passes: the first rates nothing, and learns what every trade that meets the conditions
adds to the measures of all partners above it; the second rates, with the totals before and after
each trade beside the final ones. Netting and caps are totals that are carried from block to block,
and (carried.Carried) on to trades that are not in memory yet.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.period import Clock
from pipshare.period import Millis as Longs
from pipshare.plans.periods import Cap
from pipshare.rating.bands import rate_bands, rate_steps
from pipshare.rating.bases import notional
from pipshare.rating.carried import Carried, Tally
from pipshare.rating.columns import TradeColumns
from pipshare.rating.exact import exactly_rounded, rounded, scaled
from pipshare.rating.known import Known
from pipshare.rating.measured import History as History
from pipshare.rating.measured import Measured, unit_of
from pipshare.rating.parts import Part
from pipshare.rating.reasons import Wait
from pipshare.rating.rules import is_factored
from pipshare.rating.standing import Standing, times_factors
from pipshare.rating.totals import (
    WINDOW,
    Column,
    Numbers,
    Totals,
    lots_in_units,
    lots_unit,
    packed,
    windows,
)
from pipshare.rating.values import Ratio, Values, multiplied

if TYPE_CHECKING:
    from pipshare.rating.work import Gross, Work

Bools = npt.NDArray[np.bool_]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
MEASURES = {"component_id": pl.Int32, "partner_id": pl.Int32, "unit": pl.String,
            "window": pl.Int64, "measure_e8": pl.Int64}  # fmt: skip
_CAPS = {"client_day": "day", "client_life": "life", "partner_day": "day",
         "partner_week": "week", "partner_month": "month"}  # fmt: skip
_POTS = ("pot_split", "share_up")
_E8 = 10**8
# Bits of a key. People are numbered by run; a partner is told by his id.
_WHO, _SYMBOL, _LEVEL = 31, 13, 13


class Running:
    """One pass over a block. `final` None = this one measures, else what that pass measured.

    `carried` is what the pass knows of the blocks before; it is changed. Of a measuring pass:
    `only` these components are measured, and `ahead` tells what whole windows come to.
    """

    def __init__(
        self,
        trades: TradeColumns,
        clock: Clock,
        history: History | None = None,
        final: Running | None = None,
        *,
        carried: Carried | None = None,
        only: Collection[int] | None = None,
        ahead: Mapping[int, Tally] | None = None,
    ) -> None:
        self.trades, self.clock, self.history, self.final = trades, clock, history, final
        self.carried = Carried() if carried is None else carried
        self._only, self._ahead = only, ahead or {}
        self._lots_unit = 0
        self._measured: dict[int, Measured] = {}
        self._windows: dict[str, Longs] = {} if final is None else final._windows
        self._people: dict[str, Longs] = {}

    def window(self, unit: str, known: Known) -> Longs:
        """Return the window of each trade; worked out once for all trades of the run."""
        if unit not in self._windows:
            self._windows[unit] = windows(self.trades.close_utc_ms, unit, self.clock)
        return self._windows[unit][known.row]

    def who(self, by: str, known: Known) -> Longs:
        """Return a small number for each trade's client, or account: numbered once for the pass.

        A client that is not known is told by his account.
        """
        if by not in self._people:
            account = self.trades.account
            account = np.zeros(len(self.trades), np.int64) if account is None else account
            who = account
            if by == "client":
                client = self.trades.client
                who = np.where(client >= 0, client, -2 - account)
            self._people[by] = self.carried.people.setdefault(by, Numbers()).of(who)
        return self._people[by][known.row]

    def _symbol(self, known: Known) -> Longs:
        """Return a number for each trade's symbol; names compare without regard to case."""
        numbers = self.carried.symbols
        names = [one.name.casefold() for one in known.places.symbols]
        return known.of_symbol(
            np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
        )

    def _unit_of_lots(self, known: Known) -> int:
        """Return the unit in which volumes are counted: every lot factor so far is whole in it."""
        if not self._lots_unit:
            self._lots_unit = self.carried.in_unit(lots_unit(known))
        return self._lots_unit

    def close(self) -> None:
        """End the measuring pass."""
        for number, one in self._measured.items():
            one.close(self.history, self._ahead.get(number))

    def frame(self) -> pl.DataFrame:
        """Return what was measured: a row per component, payee and window."""
        rows = [
            (one.component_id, who, unit_of(one.tier), window, total * _E8 // one.unit)
            for one in self._measured.values()
            for (who, window), total in one.finals.items()
        ]
        return pl.DataFrame(rows, schema=MEASURES, orient="row").sort(list(MEASURES))

    def net(self, part: Part, known: Known, fit: Bools) -> Ratio:
        """Let hedged volume count once; return the part of each trade (of those that fit).

        What a trade adds to the larger side of its window counts.
        """
        asked = part.component.conditions.hedged
        top, bottom = np.ones(len(known), np.int64), np.ones(len(known), np.int64)
        if asked is None or known.trades.value_e8 is not None:
            return top, bottom
        rows = np.flatnonzero(fit)
        lots = lots_in_units(known, self._unit_of_lots(known))[rows]
        window = self.window(asked.window, known)
        who, symbol = self.who(asked.by, known), self._symbol(known)
        key = packed((who, _WHO), (symbol, _SYMBOL), (window, WINDOW))[rows]
        bought = np.ones(len(rows), np.bool_)
        if known.trades.side is not None:
            bought = known.trades.side[rows] >= 0
        long, short = np.where(bought, lots, 0), np.where(bought, 0, lots)
        sums = [
            self.carried.lots.setdefault((part.component_id, side), Totals())
            for side in ("long", "short")
        ]
        before = sums[0].add(key, long), sums[1].add(key, short)
        counts = np.maximum(before[0] + long, before[1] + short) - np.maximum(*before)
        top[rows], bottom[rows] = _ratio(counts, lots)
        return top, bottom

    def given(self, work: Work, at: Longs, price: Longs, stop: Int16s) -> Gross | None:
        """Return what rates with bands give; None = the component has no tier, or no bands."""
        tier = work.part.component.tier
        if tier is None:
            return None
        if work.known.trades.step_to is not None:
            told = self.final is not None and work.block.tables.prices.bands is not None
            return rate_steps(work, at, price, stop) if told else None
        _, lost = self._told(work)
        group = work.group[at]
        missing = lost[group] * (self._counts(work)[at])
        stop[:] = np.where((stop == 0) & (missing != 0), missing, stop)
        if self.final is None or work.block.tables.prices.bands is None:
            return None
        measured = self.final.of(work)
        window = self.window(unit_of(tier), work.known)
        return rate_bands(work, measured, at, price, stop, _payees(work)[at],
                          window[group], work.known.row[group])  # fmt: skip

    def of(self, work: Work) -> Measured:
        """Return what a part's component was measured at, nothing but its history if not here."""
        number = work.part.component_id
        if number not in self._measured:
            ahead, tally = self._ahead.get(number), self.carried.tallies.get(number)
            if tally is None and ahead is not None and number not in (self._only or ()):
                tally = ahead
            found = Measured(number, tally or self._tally(work.part, work.known))
            found.close(self.history, ahead)
            self._measured[number] = found
        return self._measured[number]

    def _tally(self, part: Part, known: Known) -> Tally:
        assert part.component.tier is not None
        ahead = self._ahead.get(part.component_id)
        tier = part.component.tier if ahead is None else ahead.tier
        return Tally(tier, self._unit(part, known))

    def _counts(self, work: Work) -> Bools:
        """Tell the rows whose payee's measure their trade adds to."""
        assert work.part.component.tier is not None
        if work.part.component.tier.of == "network":
            return np.ones(len(work.rows), np.bool_)
        own: Bools = _payees(work) == work.directs()
        return own

    def _told(self, work: Work) -> tuple[Column, Int16s]:
        if work.adds is None:
            adds, lost, work.tier_pair = self._adds(work.part, work.known, work.values)
            work.adds = adds, lost
        return work.adds

    def learn(self, told: Standing, fit: Bools, above: Longs, own: Longs) -> None:
        """Count what trades add to the measures of those above them.

        `above` [trade, level] are partner ids, -1 = nobody whose measure it counts in; `own` the
        clients whose trades do not count for the partner, -1 = none.
        """
        part, known = told.part, told.known
        tier = part.component.tier
        assert tier is not None
        if self._only is not None and part.component_id not in self._only:
            return
        adds, lost, _ = self._adds(part, known, told.values)
        fit = fit & (told.values.outcome == 0) & (lost == 0)
        number, tallies = part.component_id, self.carried.tallies
        if number not in self._measured:
            if number not in tallies:
                tallies[number] = self._tally(part, known)
            self._measured[number] = Measured(number, tallies[number])
        measured = self._measured[number]
        window = self.window(unit_of(tier), known)
        client = self.who("client", known) if tier.measure == "clients" else None
        for level in range(above.shape[1] if tier.of == "network" else 1):
            mine = (own[:, level] >= 0) & (own[:, level] == known.trades.client)
            rows = np.flatnonzero(fit & (above[:, level] >= 0) & ~mine)
            who = None if client is None else client[rows]
            measured.add(known.row[rows], above[rows, level], window[rows], adds[rows], who)

    def _unit(self, part: Part, known: Known) -> int:
        assert part.component.tier is not None
        measure = part.component.tier.measure
        if measure == "lots":
            return _E8 * self._unit_of_lots(known)
        return 1 if measure in ("trades", "clients", "conversions") else _E8

    def _adds(
        self, part: Part, known: Known, values: Values
    ) -> tuple[Column, Int16s, tuple[Int32s, Int32s] | None]:
        """Return what trades add to the measure, what is missing to tell, and of which pair."""
        tier = part.component.tier
        assert tier is not None
        lost = np.zeros(len(known), np.int16)
        if tier.measure == "lots":
            return values.netted(lots_in_units(known, self._unit_of_lots(known))), lost, None
        if tier.measure in ("trades", "clients", "conversions"):
            ones = np.ones(len(known), np.int64)
            if part.component.basis == "fixed" and tier.measure != "clients":
                # An event that is taken back is one less.
                ones[values.signs() < 0] = -1
            return ones, lost, None
        if tier.measure == "notional":
            nets, values = values.nets, notional.value(part.component, known)
            lost[:] = values.outcome
            if nets is not None:
                values.times(np.arange(len(known)), *nets)
        elif is_factored(part.component):
            # In a value the lot factor counts; rates per lot have it in the price.
            values = values.copy()
            times_factors(part, known, values, 1)
        adds, pair = _money(tier.currency, known, values, lost)
        return adds, lost, pair

    def cap(self, work: Work, rows: Longs, cap: Cap, place: int, limit: Longs) -> None:
        """Cut these rows (in canonical order) by a cap that holds for all of a key together."""
        known, group = work.known, work.group[rows]
        window = self.window(_CAPS[cap.per], known)[group]
        if cap.per.startswith("client"):
            who = self.who("client", known)[group]
        else:
            who = work.block.tables.slots.partner_id[work.slot[rows]].astype(np.int64)
        key = packed((work.level[rows].astype(np.int64), _LEVEL), (who, _WHO), (window, WINDOW))
        name = (work.part.component_id, "cap", place)
        if cap.unit == "lots":
            unit = self._unit_of_lots(known)
            totals = self.carried.lots.setdefault(name, Totals())
            self._cap_lots(work, rows, cap, totals, key, unit)
            return
        amounts = work.orig[rows]
        before = self.carried.totals.setdefault(name, Totals()).add(key, amounts)
        left = np.minimum(before + amounts, limit) - np.minimum(before, limit)
        work.orig[rows] = left.astype(np.int64)

    def _cap_lots(
        self, work: Work, rows: Longs, cap: Cap, totals: Totals, key: Longs, unit: int
    ) -> None:
        known, group = work.known, work.group[rows]
        lots = work.values.netted(lots_in_units(known, unit))[group]
        before = totals.add(key, lots)
        exact = cap.amount * _E8 * unit
        # In whole numbers: lots x the cap's denominator against its numerator.
        after = np.minimum((before + lots) * exact.denominator, exact.numerator)
        counted = after - np.minimum(before * exact.denominator, exact.numerator)
        cut = np.flatnonzero(counted != lots * exact.denominator)
        top, bottom = _ratio(counted[cut], lots[cut] * exact.denominator)
        work.orig[rows[cut]] = scaled(work.orig[rows[cut]], top, bottom)[0]


def _payees(work: Work) -> Longs:
    """Return whose measure counts for each row: the direct IB's where the rate is of a pot."""
    if work.part.component.mode in _POTS:
        return work.directs()
    return work.block.tables.slots.partner_id[work.slot].astype(np.int64)


def _ratio(top: Column, bottom: Column) -> tuple[Longs, Longs]:
    """Return fractions in lowest terms, as columns of 64 bits."""
    safe = np.where(bottom == 0, 1, bottom)
    common = np.maximum(np.gcd(top, safe), 1)
    return (top // common).astype(np.int64), (safe // common).astype(np.int64)


def _money(
    currency: str, known: Known, values: Values, lost: Int16s
) -> tuple[Column, tuple[Int32s, Int32s] | None]:
    """Return values in a tier's currency, in 1e-8: money is measured to the eighth decimal.

    And the pairs of currencies whose rates were needed; `lost` gets the wait where there is none.
    """
    unit = values.unit * _E8
    count = len(known)
    top = np.ones(count, np.int64) if values.top is None else values.top
    bottom = np.ones(count, np.int64) if values.bottom is None else values.bottom
    fx_top, fx_bottom = np.ones(count, np.int64), np.ones(count, np.int64)
    pair = None
    code = int(known.places.codes((currency,))[0]) if currency else -1
    foreign = np.flatnonzero((values.currency >= 0) & (values.currency != code) & (code >= 0))
    foreign = foreign[values.signs()[foreign] != 0]
    if len(foreign):
        quote = np.full(len(foreign), code, np.int32)
        found = known.exchange.find(
            values.currency[foreign], quote, known.trades.close_utc_ms[foreign], known.row[foreign]
        )
        none = foreign[~found[3]]
        lost[none] = Wait.NO_FX
        pair = values.currency.copy(), np.full(count, code, np.int32)
        fx_top[foreign], fx_bottom[foreign] = found[0], np.maximum(found[1], 1)
    ratio = multiplied((top, bottom), (fx_top, fx_bottom))
    whole = multiplied(
        ratio[:2], (np.full(count, unit.numerator), np.full(count, unit.denominator))
    )
    bad = np.zeros(count, np.bool_)
    for over in (ratio[2], whole[2]):
        bad = bad if over is None else bad | over
    result, _ = rounded(values.num, whole[0], whole[1], None, "even")
    bad[list(values.odd)] = True
    for row in np.flatnonzero(bad).tolist():
        fx = Fraction(int(fx_top[row]), int(fx_bottom[row]))
        result[row] = exactly_rounded(values.at(row) * fx * _E8, None, "even")
    return result, pair
