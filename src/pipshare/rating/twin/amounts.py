"""What passes between the twin's parts: an amount that is not yet a line, and what is missing."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from pipshare.plans.terms import RateRule
from pipshare.rating.reasons import Wait


class Waits(NamedTuple):
    """What a line waits for, and which one is missing."""

    wait: Wait
    key: str = ""


class Money(NamedTuple):
    """An amount on its way to a line. `exact` None = there is none finer than `orig_e8`."""

    orig_e8: int
    currency: str
    rule: RateRule | None
    exact: Fraction | None = None
