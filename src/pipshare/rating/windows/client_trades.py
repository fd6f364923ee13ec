"""What clients' trades add to a qualification: lots, spread, commission, revenue, orders."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from pipshare.money.amounts import half_even
from pipshare.period import Millis as Longs
from pipshare.plans.qualifying import Qualify
from pipshare.plans.terms import Component, Programme, Spread
from pipshare.rating.exact import scaled_twice
from pipshare.rating.parts import Part
from pipshare.rating.qualify import ClientTrades, asks_trades, reached
from pipshare.rating.values import Values
from pipshare.rating.windows.given import Given
from pipshare.rating.windows.values import counted, excluded


def trades_moments(given: Given, part: Part, asked: Qualify, currency: str) -> dict[int, int]:
    """Return since when each client's trades are enough for what is asked (qualify.reached)."""
    if not asks_trades(asked):
        return {}
    if given.moments is not None:
        return given.moments(part, asked, currency)
    trades = given.placed.trades
    kept = trades.client >= 0
    if trades.cancelled is not None:
        kept &= ~trades.cancelled
    rows = np.flatnonzero(kept)
    plain = replace(part, programme=_unconditional(part.programme))
    rows = rows[excluded(given, plain, given.known(rows)) == 0]
    money = {
        f"{basis}_e8": _money(given, plain, basis, currency, rows)
        for basis in ("spread", "commission", "revenue") if getattr(asked, basis) is not None
    }  # fmt: skip
    return reached(ClientTrades(
        client=trades.client[rows],
        close_utc_ms=trades.close_utc_ms[rows],
        lots_e8=standard_lots(given, rows),
        **money,
    ), asked, given.clock)  # fmt: skip


def _unconditional(programme: Programme) -> Programme:
    """A client's trades count before he qualifies, or he never would; also the direct IB's own."""
    return replace(programme, qualify=None, own_trading="pay")


def standard_lots(given: Given, rows: Longs) -> Longs:
    """Return lots by the lot factor of the account group, in e8."""
    trades = given.placed.trades
    group, lots = trades.group[rows], trades.lots_e8[rows]
    for place, one in enumerate(given.placed.groups):
        if one.lot_factor is not None and one.lot_factor != 1:
            for row in np.flatnonzero(group == place).tolist():
                exact = int(lots[row]) * one.lot_factor
                lots[row] = half_even(exact.numerator, exact.denominator)
    return lots


def _money(given: Given, part: Part, basis: str, currency: str, rows: Longs) -> Longs:
    """Return money of each trade in a currency; 0 where it is not known yet."""
    component = part.component
    measured = Spread() if basis == "commission" else component.spread
    plain = Component(
        "", basis, "per_level", None, (), currency=currency, spread=measured,  # type: ignore[arg-type]
        conditions=replace(component.conditions, excluded_reasons=()),
    )  # fmt: skip
    found = counted(given, replace(part, component=plain), rows)
    amounts = in_e8(found.values)
    amounts[found.values.outcome != 0] = 0
    return amounts


def in_e8(values: Values) -> Longs:
    """Return all values in 1e-8, quantised once."""
    unit = values.unit * 10**8
    ones = np.ones(len(values.num), np.int64)
    if max(unit.numerator, unit.denominator) < 2**62:
        top, bottom = ones * unit.numerator, ones * unit.denominator
        rates = (ones, ones) if values.top is None or values.bottom is None else (
            values.top, values.bottom)  # fmt: skip
        found, _ = scaled_twice(values.num, top, bottom, *rates)
    else:
        found = np.array([_whole(values.at(row)) for row in range(len(ones))], np.int64)
    for row, exact in values.odd.items():
        found[row] = _whole(exact)
    return found


def _whole(exact: Fraction) -> int:
    return half_even(exact.numerator * 10**8, exact.denominator)
