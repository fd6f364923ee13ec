"""Mode percent of child: the direct IB by his rate, each above a share of the level below."""

from __future__ import annotations

import numpy as np

from pipshare.rating.reasons import Reason
from pipshare.rating.work import Gross, Work


def earn(work: Work) -> None:
    """Go up the levels with what the one below earned."""
    direct = np.flatnonzero(work.level == 1)
    first = work.by_rate(direct).spread_over(len(work.rows), direct)
    below = np.zeros(work.groups, np.int64)
    pays = np.zeros(work.groups, np.bool_)
    currency = np.full(work.groups, -1, np.int32)
    top, bottom = work.slot_column("top"), work.slot_column("bottom")
    for at, group in work.levels():
        if len(at) and int(work.level[at[0]]) == 1:
            first.wait_or_stop(work, at)
            work.earns(at, first)
        else:
            work.wait_above(at, group)
            work.stop(at[~pays[group]], Reason.NOTHING_BELOW)
            shares = Gross.none(len(work.rows))
            shares.e8[at] = work.quantised(below[group], top[at], bottom[at])
            shares.currency[at] = currency[group]
            work.earns(at, shares)
        pays[group] = work.outcome[at] == Reason.PAID
        below[group], currency[group] = work.seen[at], work.currency[at]
