"""Tiers by hand: which band a measure is in, and what the bands give for a part of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from pipshare.plans.periods import Tier
from pipshare.rating.twin.choice import Bands

COUNTED = ("trades", "clients", "conversions")  # measures that go in whole steps


def band_at(starts: Sequence[Fraction], measure: Fraction, boundary: str) -> int:
    """Return the place of the band that a measure is in, -1 below the first.

    A band that starts at 0 holds from the first; a measure equal to a start is in the band with
    the boundary "from", and not yet with "above".
    """
    reached = -1
    for place, start in enumerate(starts):
        if start <= 0 or start < measure or (start == measure and boundary == "from"):
            reached = place
    return reached


def marginal(bands: Bands, tier: Tier, before: Fraction, after: Fraction) -> Fraction | None:
    """Return the rate of what lies between two totals, each band at its own; None = no band.

    Counted things (the third client) are wholly in the band of their number; amounts are parted at
    the starts of the bands.
    """
    starts = [rule.start for rule in bands]
    if before == after or tier.measure in COUNTED:
        place = band_at(starts, max(before, after), tier.boundary)
        return None if place < 0 else bands[place].amount
    low, high = min(before, after), max(before, after)
    if high <= starts[0] and starts[0] > 0:
        return None
    total = Fraction(0)
    for place, rule in enumerate(bands):
        end = bands[place + 1].start if place + 1 < len(bands) else max(high, rule.start)
        start = min(low, rule.start) if place == 0 and rule.start <= 0 else rule.start
        total += rule.amount * max(min(high, end) - max(low, start), Fraction(0))
    return total / (high - low)


def step_total(bands: Bands, tier: Tier, measure: Fraction | None) -> Fraction:
    """Return what is due in all at a measure on a ladder; None = nothing has happened yet."""
    if measure is None:
        return Fraction(0)
    place = band_at([rule.start for rule in bands], measure, tier.boundary)
    return bands[place].amount if place >= 0 else Fraction(0)


def held_bands(starts: Sequence[Fraction], tier: Tier, measures: Sequence[Fraction]) -> list[int]:
    """Return the band held in each of consecutive windows, by promotion and grace.

    Stepwise: at most one band up per window, the first window counted from the lowest band. Grace:
    so many windows below the held band are forgiven; the next one demotes to the band reached.
    """
    out: list[int] = []
    held, below = band_at(starts, Fraction(0), tier.boundary), 0
    for measure in measures:
        reached = band_at(starts, measure, tier.boundary)
        if reached >= held:
            below = 0
            held = min(reached, held + 1) if tier.promotion == "stepwise" else reached
        else:
            below += 1
            if below > tier.grace:
                held, below = reached, 0
        out.append(held)
    return out
