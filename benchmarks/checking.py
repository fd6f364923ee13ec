"""What each partner must have earned, by the numpy gather: everything measured is held to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from benchmarks.exports import code
from benchmarks.reference.numpy_gather import Gather
from benchmarks.world import World


def expected(broker: World, rows: np.ndarray | None = None) -> np.ndarray:
    """Return each partner's sum in 1e-8, over all trades or some rows of them."""
    market = broker.market
    if rows is not None:
        names = ("lots_e8", "hold_ms", "close_utc_ms", "symbol", "group", "chain")
        market = replace(market, **{name: getattr(market, name)[rows] for name in names})
    amounts, payees = Gather(market).rate(market)
    sums = np.zeros(market.partners, np.int64)
    np.add.at(sums, payees, amounts)
    return sums


def by_number(broker: World, booked: Mapping[str, int]) -> np.ndarray:
    """Turn amounts by partner code into a column."""
    codes = [code(partner) for partner in range(broker.market.partners)]
    return np.array([booked.get(name, 0) for name in codes], np.int64)


def hold_to(wanted: np.ndarray, got: np.ndarray, what: str) -> None:
    """Raise AssertionError, naming the first partner, unless the amounts are equal."""
    wrong = np.flatnonzero(got != wanted)
    if len(wrong):
        one = int(wrong[0])
        raise AssertionError(
            f"{what}: {len(wrong)} partners differ, first {code(one)}: {got[one]} instead of"
            f" {wanted[one]}"
        )
