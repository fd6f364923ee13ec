"""What a run over trades in blocks carries from block to block: totals, measures, who is who.

A run over all trades at once is a run of one block: nothing is carried into it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from math import lcm

import numpy as np

from pipshare.period import Millis as Longs
from pipshare.plans.periods import Tier
from pipshare.rating.parts import Parts
from pipshare.rating.totals import Numbers, Totals


@dataclass
class Tally:
    """What a component's tier measured so far, in 1 / `unit`: by partner and window.

    `people` and `met` tell which clients were counted in which of them, where clients are counted.
    """

    tier: Tier
    unit: int
    sums: dict[tuple[int, int], int] = field(default_factory=dict)
    people: Numbers = field(default_factory=Numbers)
    met: Longs = field(default_factory=lambda: np.zeros(0, np.int64))

    def times(self, factor: int) -> None:
        """Go on in units that are so many times smaller."""
        self.unit *= factor
        for name in self.sums:
            self.sums[name] *= factor


@dataclass
class Carried:
    """What one pass knows of the trades before those that it is at.

    `totals` are amounts by key, `lots` volumes by key, in 1 / (1e8 x `unit`).
    """

    totals: dict[tuple[object, ...], Totals] = field(default_factory=dict)
    lots: dict[tuple[object, ...], Totals] = field(default_factory=dict)
    tallies: dict[int, Tally] = field(default_factory=dict)
    people: dict[str, Numbers] = field(default_factory=dict)
    symbols: dict[str, int] = field(default_factory=dict)
    unit: int = 1

    def in_unit(self, unit: int) -> int:
        """Take up what is counted in so small units; returns the units to count in from now on."""
        factor = lcm(self.unit, unit) // self.unit
        if factor != 1:
            self.unit *= factor
            for total in self.lots.values():
                total.times(factor)
            for tally in self.tallies.values():
                if tally.tier.measure == "lots":
                    tally.times(factor)
        return self.unit


@dataclass
class Passes:
    """A run over blocks of trades, each of them given in canonical order.

    Where a tier's band goes by the whole window all blocks are measured `ahead` of the run proper,
    with `looking_ahead`, which rates nothing.
    """

    looking_ahead: bool = False
    ahead: Carried = field(default_factory=Carried)
    measuring: Carried = field(default_factory=Carried)
    rating: Carried = field(default_factory=Carried)

    def proper(self) -> None:
        """End looking ahead."""
        self.looking_ahead = False
        self.measuring = Carried(unit=self.ahead.unit)


def looks_ahead(tier: Tier) -> bool:
    """Tell whether what a trade earns depends on the whole window, also on what comes after it."""
    settled = tier.applies == "following" or tier.promotion == "stepwise" or tier.grace > 0
    return settled or tier.method == "retroactive"


def tiered(parts: Parts, *, ahead: bool) -> Collection[int]:
    """Return the components with a tier that looks ahead, or with one that does not."""
    tiers = ((part.component_id, part.component.tier) for part in parts.rated)
    return {number for number, tier in tiers if tier is not None and looks_ahead(tier) == ahead}
