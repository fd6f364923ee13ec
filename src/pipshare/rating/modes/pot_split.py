"""Mode pot split: one pot per trade, by the direct IB's rate; each level takes its share of it."""

from __future__ import annotations

from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.rating.reasons import Wait
from pipshare.rating.work import Bools, Work

_WIDEST = 10**12


def earn(work: Work) -> None:
    """Share the pot; where the shares are one whole, the largest part has the remainder."""
    every = np.arange(len(work.rows))
    pot = work.by_rate(every)
    top, bottom = work.slot_column("top"), work.slot_column("bottom")
    over, whole = _sums(work, top, bottom)
    part = work.quantised(pot.e8, top, bottom)
    missing = np.add.reduceat(part, work.first) if len(part) else part
    rest = np.where(whole, pot.e8[work.first] - missing, 0)
    part[_largest(work, part)] += rest
    for at, group in work.levels():
        work.wait_above(at, group)
        pot.wait_or_stop(work, at)
        work.stop(at[over[group]], Wait.SHARES_OVER_ONE)
        work.earns(at, pot, part[at])


def _sums(work: Work, top: Longs, bottom: Longs) -> tuple[Bools, Bools]:
    """Tell the trades whose shares sum to more than one, and to one."""
    common = lcm(*np.unique(bottom).tolist(), 1)
    kind: type = np.int64 if common < _WIDEST else object
    shares: npt.NDArray[Any] = top.astype(kind) * (common // bottom.astype(kind))
    total = np.add.reduceat(shares, work.first)
    return np.asarray(total > common, np.bool_), np.asarray(total == common, np.bool_)


def _largest(work: Work, part: Longs) -> Longs:
    """Return the row of the largest part of each trade, the first of equals."""
    most = np.maximum.reduceat(part, work.first)
    rows = np.where(part == most[work.group], np.arange(len(part)), len(part))
    return np.minimum.reduceat(rows, work.first)
