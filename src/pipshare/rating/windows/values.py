"""What each trade adds to a period: the value of a component's basis, if its conditions hold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.rating.bases import BASES
from pipshare.rating.conditions import Conditions, bonus_share
from pipshare.rating.known import Known
from pipshare.rating.parts import Part
from pipshare.rating.reasons import FIRST_WAIT, Reason, Wait
from pipshare.rating.values import RATES_OWN, Values
from pipshare.rating.windows.given import Given

Int16s = npt.NDArray[np.int16]
_BY_LOTS = ("lot", "spread", "markup")
_SAFE = 2**62


@dataclass(frozen=True)
class Counted:
    """Trades of one component: `values` by row (of `known`), `outcome` 0 = it counts, else why not.

    `names` are the currencies that the values' codes point at, RATES_OWN has none; `target` is
    the one that they were converted into, "" = each keeps its own.
    """

    known: Known
    values: Values
    outcome: Int16s
    names: tuple[str, ...]
    target: str


def counted(given: Given, part: Part, rows: Longs) -> Counted:
    """Return what these trades add to a component, in its currency where it has one."""
    component = part.component
    known = given.known(rows, [component.currency] if component.currency else [])
    values = BASES[component.basis](component, known)
    names = known.places.names
    _with_lot_factors(values, known, by_lots=component.basis in _BY_LOTS)
    outcome = excluded(given, part, known)
    open_ = outcome == 0
    own = bonus_share(part, known)
    if own is not None:
        top, bottom, missing = own
        values.times(np.flatnonzero(open_), top[open_], bottom[open_])
        values.outcome[missing != 0] = missing[missing != 0]
    if component.currency:
        _converted(values, known, names.index(component.currency), component.value_fx, open_)
    outcome[open_] = values.outcome[open_]
    return Counted(known, values, outcome, names, component.currency)


def excluded(given: Given, part: Part, known: Known) -> Int16s:
    """Return for each trade the first reason (or wait) for which it does not count, 0 = none.

    What the direct IB trades himself does not count where the programme does not pay for that.
    """
    asked = Conditions(part, known, given.clock)
    outcome = np.where(asked.reason != 0, asked.reason, asked.unclear).astype(np.int16)
    trades, least = known.trades, 1000 * (part.component.min_hold_s or 0)
    unknown = (trades.hold_ms < 0) & (part.programme.unknown_opening == "wait")
    outcome[(unknown | (trades.lots_e8 <= 0)) & (outcome == 0)] = Wait.OPENING_UNKNOWN
    outcome[(trades.hold_ms >= 0) & (trades.hold_ms < least)] = Reason.TOO_SHORT
    if part.programme.own_trading == "none":
        outcome[_own(given, known)] = Reason.OWN_TRADING
    if trades.cancelled is not None:
        outcome[trades.cancelled] = Reason.CANCELLED
    return outcome


def _own(given: Given, known: Known) -> npt.NDArray[np.bool_]:
    directs = np.array([*(one[0] if one else -1 for one in given.placed.chains), -1], np.int64)
    place, told = given.payees.find(directs[known.trades.chain])
    own = np.where(told, given.payees.own_client[place], -1)
    return np.asarray((own >= 0) & (own == known.trades.client))


def waits(outcome: Int16s) -> npt.NDArray[np.bool_]:
    """Tell which outcomes are waits."""
    return np.asarray(outcome >= FIRST_WAIT)


def _with_lot_factors(values: Values, known: Known, *, by_lots: bool) -> None:
    """Lots count by the factor of their group, wherever the value itself is in lots."""
    if not by_lots:
        return
    factors = [group.lot_factor for group in known.places.groups]
    rows = np.flatnonzero(values.currency == RATES_OWN)
    group = known.trades.group[rows]
    unknown = np.array([factor is None for factor in factors], np.bool_)
    lost = rows[unknown[group]]
    values.outcome[lost[values.outcome[lost] == 0]] = Wait.NO_LOT_FACTOR
    for place, factor in enumerate(factors):
        mine = rows[group == place]
        if factor is None or factor == 1:
            continue
        if max(factor.numerator, factor.denominator) < _SAFE:
            ones = np.ones(len(mine), np.int64)
            values.times(mine, ones * factor.numerator, ones * factor.denominator)
            continue
        for row in mine.tolist():
            values.odd[row], values.num[row] = values.at(row) * factor, 0


def _converted(
    values: Values, known: Known, target: int, side: str, open_: npt.NDArray[np.bool_]
) -> None:
    rows = np.flatnonzero(open_ & (values.outcome == 0) & (values.currency != RATES_OWN))
    rows = rows[values.currency[rows] != target]
    if not len(rows):
        return
    quote = np.full(len(rows), target, np.int32)
    top, bottom, _, found = known.exchange.find(
        values.currency[rows], quote, known.trades.close_utc_ms[rows], known.row[rows],
        side,  # type: ignore[arg-type]
    )  # fmt: skip
    values.outcome[rows[~found]] = Wait.NO_FX
    values.times(rows[found], top[found], bottom[found])
    values.currency[rows[found]] = target


def plain_part(part: Part, **changes: object) -> Part:
    """Return a part with some of its component's settings changed."""
    return replace(part, component=replace(part.component, **changes))  # type: ignore[arg-type]
