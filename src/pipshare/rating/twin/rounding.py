"""Rounding as the plan names it: to eight places half to even, or coarser at a stage."""

from __future__ import annotations

from fractions import Fraction

from pipshare.money.amounts import SCALE
from pipshare.plans.terms import Rounding


def to_places(exact: Fraction, places: int, how: str) -> Fraction:
    """Round to so many decimals: half to even, or half up (away from zero)."""
    scaled = abs(exact) * 10**places
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    twice = 2 * rest
    tie = twice == scaled.denominator
    if twice > scaled.denominator or (tie and (how == "up" or whole % 2)):
        whole += 1
    return Fraction(-whole if exact < 0 else whole, 10**places)


def stage(exact: Fraction, places: int | None, how: str) -> Fraction:
    """Round where the plan names places for this stage, and leave the exact value else."""
    return exact if places is None else to_places(exact, places, how)


def units(exact: Fraction, places: int | None, how: str) -> int:
    """Quantise to units of 1e-8: to the plan's places, or to eight half to even."""
    named = to_places(exact, 8, "even") if places is None else to_places(exact, places, how)
    return int(to_places(named, 8, "even") * SCALE)


def rounds(rounding: Rounding) -> bool:
    """Tell whether a plan rounds any stage by itself."""
    return (rounding.value, rounding.amount, rounding.wallet) != (None, None, None)
