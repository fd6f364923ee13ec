"""Reproducible random numbers whose place can be written down and taken up again."""

from __future__ import annotations

import math

import numpy as np

_BLOCK = 4_096
_STEPS = 1_024


def _waits() -> tuple[int, ...]:
    """Return waiting times between independent events, in thousandths of their average."""
    raw = [-math.log(1 - (step + 0.5) / _STEPS) for step in range(_STEPS)]
    scale = 1000 * _STEPS / sum(raw)
    return tuple(round(wait * scale) for wait in raw)


WAITS = _waits()


class Dice:
    """A stream of 32-bit numbers from a seed; `block` and `place` say where in it we are."""

    def __init__(self, seed: int, block: int = 0, place: int = 0) -> None:
        self.seed, self.block, self.place = seed, block, place
        self._values = self._fill()

    def roll(self) -> int:
        """Return the next number, 0 to 2^32 - 1."""
        place = self.place
        if place == _BLOCK:
            self.block += 1
            self._values, place = self._fill(), 0
        self.place = place + 1
        return self._values[place]

    def below(self, count: int) -> int:
        """Return a number from 0 to `count` - 1."""
        return self.roll() * count >> 32

    def wait(self, mean: int) -> int:
        """Return a waiting time with this average, in its units."""
        return WAITS[self.roll() >> 22] * mean // 1000

    def _fill(self) -> list[int]:
        # Raw output of a bit generator is the same in every numpy; its distributions need not be.
        raw = np.random.PCG64(np.random.SeedSequence([self.seed, self.block])).random_raw(_BLOCK)
        return (raw >> np.uint64(32)).tolist()
