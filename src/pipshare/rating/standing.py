"""How a trade stands in a component, before anything is known of levels: its value, and whether it
meets the conditions. What it adds to tiers and to hedged volume goes by this alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from pipshare.period import Clock
from pipshare.period import Millis as Longs
from pipshare.rating.bases import SIGNED, value_of
from pipshare.rating.bases.spread import cap_per_lot
from pipshare.rating.conditions import Conditions, bonus_share
from pipshare.rating.exact import exactly_rounded, rounded
from pipshare.rating.known import Known
from pipshare.rating.parts import Part
from pipshare.rating.reasons import Reason
from pipshare.rating.rules import is_factored
from pipshare.rating.values import Values

Bools = npt.NDArray[np.bool_]
Int16s = npt.NDArray[np.int16]
_E8 = 10**8


@dataclass
class Standing:
    """Trades of a part: values (rounded as the plan says), and what stands in their way.

    `reason` and `unclear` are of the conditions; `nothing`: there is nothing to take a share of.
    `share` is what own money earned of the pay (top, bottom, what is missing), None = all.
    """

    part: Part
    known: Known
    values: Values
    reason: Int16s
    unclear: Int16s
    nothing: Bools
    share: tuple[Longs, Longs, Int16s] | None

    def counts(self) -> Bools:
        """Tell the trades that meet every condition, whoever has a line of them."""
        trades, component = self.known.trades, self.part.component
        fit = (self.reason == 0) & (self.unclear == 0) & ~self.nothing
        if trades.cancelled is not None:
            fit &= ~trades.cancelled
        if trades.value_e8 is not None:
            return fit
        fit &= trades.lots_e8 > 0
        if self.part.programme.unknown_opening == "wait":
            fit &= trades.hold_ms >= 0
        fit &= (trades.hold_ms < 0) | (trades.hold_ms >= 1000 * (component.min_hold_s or 0))
        if is_factored(component):
            told = [group.lot_factor is not None for group in self.known.places.groups]
            fit &= np.array(told, np.bool_)[trades.group]
        return fit

    def net(self, top: Longs, bottom: Longs) -> None:
        """Let only a part of the volume count: what does not hedge the other side."""
        cut = np.flatnonzero(top != bottom)
        if len(cut):
            self.values.times(cut, top[cut], bottom[cut])
            self.values.net(cut, top[cut], bottom[cut])

    def less_bonus(self) -> None:
        """Take from the value what was funded by bonus, by the account's last snapshot."""
        if self.share is None:
            return
        values, (top, bottom, missing) = self.values, self.share
        less = np.flatnonzero((missing == 0) & (top != bottom))
        values.times(less, top[less], bottom[less])
        waits = (missing != 0) & (values.outcome == 0)
        values.outcome[waits] = missing[waits]


def standing(part: Part, known: Known, clock: Clock) -> Standing:
    """Return how trades stand in a part."""
    reason, unclear = conditions(part, known, clock)
    values = value_of(part.component, known)
    share, nothing = None, np.zeros(len(known), np.bool_)
    if known.trades.value_e8 is None:
        nothing = _nothing_to_share(part, values) & (reason == 0)
        share = bonus_share(part, known)
        if share is not None:
            reason[(reason == 0) & (share[2] == 0) & (share[0] == 0)] = Reason.BONUS_FUNDED
    in_currency(part, known, values)
    if part.component.rounding.value is not None:
        times_factors(part, known, values, 1)
        round_value(part, values)
        # The lot factor is in the price: out of the value again.
        times_factors(part, known, values, -1)
    return Standing(part, known, values, reason, unclear, nothing, share)


def times_factors(part: Part, known: Known, values: Values, power: int) -> None:
    """Multiply (power -1: divide) values that count lots by the lot factors of their groups."""
    if not is_factored(part.component) or known.trades.value_e8 is not None:
        return
    for place, group in enumerate(known.places.groups):
        factor = (group.lot_factor or Fraction(1)) ** power
        rows = np.flatnonzero(known.trades.group == place)
        if factor == 1 or not len(rows):
            continue
        if max(factor.numerator, factor.denominator) < 2**62:
            ones = np.ones(len(rows), np.int64)
            values.times(rows, ones * factor.numerator, ones * factor.denominator)
            continue
        for row in rows.tolist():
            values.odd[row], values.num[row] = values.at(row) * factor, 0
            if values.top is not None and values.bottom is not None:
                values.top[row] = values.bottom[row] = 1


def conditions(part: Part, known: Known, clock: Clock) -> tuple[Int16s, Int16s]:
    """Return by trade why it is not paid for, and what is missing to tell.

    Sums of a period met them trade by trade; of what is paid for clients the component has left
    what is asked of the client (client_pass).
    """
    if known.trades.value_e8 is not None and not part.component.of_clients:
        nothing = np.zeros(len(known), np.int16)
        return nothing, nothing
    asked = Conditions(part, known, clock)
    return asked.reason, asked.unclear


def _nothing_to_share(part: Part, values: Values) -> Bools:
    """Tell where a basis of money is zero or below, where each trade stands for itself."""
    component = part.component
    signed = component.basis in SIGNED and component.per == "trade" and component.carry is None
    if not signed:
        return np.zeros(len(values.num), np.bool_)
    nothing: Bools = (values.outcome == 0) & ~values.parted & (values.signs() <= 0)
    return nothing


def in_currency(part: Part, known: Known, values: Values) -> None:
    """Bring values into the component's currency, where it has one, and cap them per lot."""
    component = part.component
    if component.currency:
        _into_currency(part, known, values)
    if component.basis == "spread" and component.spread.cap_per_lot is not None:
        cap_per_lot(component.spread, known, values, component.value_fx)


def _into_currency(part: Part, known: Known, values: Values) -> None:
    component = part.component
    code = known.places.codes((component.currency,))[0]
    foreign = (values.currency >= 0) & (values.currency != code) & (values.outcome == 0)
    rows = np.flatnonzero(foreign & (values.signs() != 0))
    if len(rows):
        top, bottom, _, found = known.exchange.find(
            values.currency[rows], np.full(len(rows), code, np.int32),
            known.trades.close_utc_ms[rows], known.row[rows], component.value_fx,
        )  # fmt: skip
        lost = rows[~found]
        values.lacks_rate(lost, values.currency[lost], np.full(len(lost), code, np.int32))
        values.times(rows[found], top[found], bottom[found])
        foreign[rows[~found]] = False
    values.currency = np.where(foreign, code, values.currency).astype(np.int32)


def round_value(part: Part, values: Values) -> None:
    """Round values as the plan says, in place."""
    how = part.component.rounding
    unit = values.unit * _E8
    ones = np.ones(len(values.num), np.int64)
    top = ones if values.top is None else values.top
    bottom = ones if values.bottom is None else values.bottom
    fits = max(int(top.max(initial=1)) * unit.numerator,
               int(bottom.max(initial=1)) * unit.denominator) < 2**62  # fmt: skip
    if fits:
        num, _ = rounded(
            values.num, top * unit.numerator, bottom * unit.denominator, how.value, how.how
        )
    else:
        rows = range(len(values.num))
        exact = [exactly_rounded(values.at(row) * _E8, how.value, how.how) for row in rows]
        num = np.array(exact, np.int64)
    for row in values.odd:
        num[row] = exactly_rounded(values.at(row) * _E8, how.value, how.how)
    values.num, values.unit = num, Fraction(1, _E8)
    values.top, values.bottom, values.odd = None, None, {}
