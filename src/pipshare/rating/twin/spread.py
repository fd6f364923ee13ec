"""The spread of one trade: from the best quote that the plan allows, at the ends it measures."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from pipshare.money.amounts import SCALE
from pipshare.plans.terms import Spread
from pipshare.rating.reasons import Wait
from pipshare.rating.twin_values import Step, TradeFacts, number_text


class Measured(NamedTuple):
    """A spread in points: as it counts, and as it was before cap and guard."""

    points: Fraction
    steps: tuple[Step, ...]


def measure(trade: TradeFacts, asked: Spread) -> Measured | Wait:
    """Return the spread in points by the plan's way of measuring, or what is missing for it."""
    if trade.digits < 0:
        return Wait.NO_CONTRACT
    ends = {"open": ("open",), "close": ("close",)}.get(asked.measured, ("open", "close"))
    found: list[Fraction] = []
    steps: list[Step] = []
    for end in ends:
        one = _at(trade, asked, end)
        if one is None:
            return Wait.NO_QUOTE
        found.append(one[0])
        steps.append(Step(f"spread at {end}", one[1]))
    points = sum(found, Fraction(0)) / len(found)
    if len(found) == 2:
        steps.append(Step("spread", f"mean of both ends: {number_text(points)} points"))
    return _limited(trade, asked, points, steps)


def _limited(
    trade: TradeFacts, asked: Spread, points: Fraction, steps: list[Step]
) -> Measured | Wait:
    counted = points
    if asked.cap_points is not None and points > asked.cap_points:
        counted = asked.cap_points
        steps.append(Step("spread", f"counts at most {number_text(counted)} points"))
    if asked.guard:
        usual = trade.typical_points
        if usual is None:
            return Wait.NO_TYPICAL_SPREAD
        if points > usual:
            counted = counted * usual / points
            steps.append(Step("spread", f"above its average of {number_text(usual)} points: "
                              f"counts as {number_text(counted)}"))  # fmt: skip
    return Measured(counted, tuple(steps))


def _at(trade: TradeFacts, asked: Spread, end: str) -> tuple[Fraction, str] | None:
    """Return (points, words) of the first source that has a good quote."""
    bid, ask, held = trade.open_bid_e8, trade.open_ask_e8, trade.open_quote
    if end == "close":
        bid, ask, held = trade.close_bid_e8, trade.close_ask_e8, trade.close_quote
    for source in asked.quotes:
        if source == "typical":
            if trade.typical_points is not None:
                text = number_text(trade.typical_points)
                return trade.typical_points, f"{text} points (typical)"
        elif source == held and 0 < bid <= ask:
            points = Fraction(ask - bid, SCALE) * 10**trade.digits
            sides = f"{number_text(Fraction(bid, SCALE))}/{number_text(Fraction(ask, SCALE))}"
            several = trade.open_spread_e16 > 0 and trade.lots_e8 > 0
            if several and (end, source) == ("open", "deal"):
                # The mean over the deals that opened it, by their lots: it need not be a decimal.
                points = Fraction(trade.open_spread_e16, SCALE * trade.lots_e8) * 10**trade.digits
                sides = f"{sides} in several deals"
            return points, f"{sides}: {number_text(points)} points ({source} quote)"
    return None
