"""Tiers by hand: which band a measure is in, and what the bands give for a part of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from pipshare.plans.periods import Tier
from pipshare.plans.terms import RateRule
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
    """Return the rate of what lies between two totals, each band at its own; None = no band."""
    parts = parted(bands, tier, before, after)
    if all(rule is None for _, rule in parts):
        return None
    return sum((share * rule.amount for share, rule in parts if rule is not None), Fraction(0))


def parted(
    bands: Bands, tier: Tier, before: Fraction, after: Fraction
) -> list[tuple[Fraction, RateRule | None]]:
    """Return which share of what lies between two totals is in which band; None = below the first.

    Counted things (the third client) are wholly in the band of their number; amounts are parted at
    the starts of the bands. Shares sum to 1; bands without a share are left out.
    """
    starts = [rule.start for rule in bands]
    if before == after or tier.measure in COUNTED:
        place = band_at(starts, max(before, after), tier.boundary)
        return [(Fraction(1), bands[place] if place >= 0 else None)]
    low, high = min(before, after), max(before, after)
    edge = min(low, starts[0]) if starts[0] <= 0 else starts[0]
    parts: list[tuple[Fraction, RateRule | None]] = [
        (max(min(high, edge) - low, Fraction(0)), None)
    ]
    for place, rule in enumerate(bands):
        end = bands[place + 1].start if place + 1 < len(bands) else max(high, rule.start)
        start = edge if place == 0 else rule.start
        parts.append((max(min(high, end) - max(low, start), Fraction(0)), rule))
    return [(width / (high - low), rule) for width, rule in parts if width]


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
