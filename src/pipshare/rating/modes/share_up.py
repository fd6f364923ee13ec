"""Mode share up: each level passes a share of what reaches it upward; the last keeps all."""

from __future__ import annotations

import numpy as np

from pipshare.rating.reasons import Reason
from pipshare.rating.work import Work


def earn(work: Work) -> None:
    """Go up the levels with what is passed on; the sum is the pot to the last digit."""
    every = np.arange(len(work.rows))
    pot = work.by_rate(every)
    top, bottom = work.slot_column("top"), work.slot_column("bottom")
    reaching = np.zeros(work.groups, np.int64)
    told = np.zeros(work.groups, np.bool_)
    last = np.zeros(len(work.rows), np.bool_)
    last[work.first + work.length - 1] = True
    for at, group in work.levels():
        work.wait_above(at, group)
        pot.wait_or_stop(work, at)
        # The pot is found by the first level that is neither zero nor waiting by itself.
        opened = work.outcome[at] == Reason.PAID
        fresh = opened & ~told[group]
        reaching[group[fresh]] = pot.e8[at[fresh]]
        work.stop(at[opened & ~fresh & (reaching[group] == 0)], Reason.NOTHING_BELOW)
        told[group[opened]] = True
        passed = work.quantised(reaching[group], top[at], bottom[at])
        passed[last[at]] = 0
        work.earns(at, pot, reaching[group] - passed)
        paid = work.outcome[at] == Reason.PAID
        reaching[group[paid]] = passed[paid]
