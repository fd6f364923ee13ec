"""An advance (a CPA) that a component has to earn back before it pays."""

from __future__ import annotations

import numpy as np

from pipshare.period import Millis as Longs
from pipshare.rating.finish.turns import turns


def past_advance(
    group: Longs, earned_e8: Longs, advance_e8: Longs, groups: int
) -> tuple[Longs, Longs]:
    """Return what each row pays past the advance, and how much of the advance is left after it.

    Rows are the windows (or moments) of a payee and client in the order of time, with what was
    earned in them and what was advanced. Kept back is at most what was advanced and at most what
    was earned, so that the sum of both is max(earned, advance); an advance that is taken back gives
    back what was kept.
    """
    pays, left = np.zeros(len(group), np.int64), np.zeros(len(group), np.int64)
    earned, advanced, kept = (np.zeros(groups, np.int64) for _ in range(3))
    for rows in turns(group):
        who = group[rows]
        earned[who] += earned_e8[rows]
        advanced[who] += advance_e8[rows]
        keeps = np.minimum(np.maximum(earned[who], 0), np.maximum(advanced[who], 0))
        pays[rows] = earned_e8[rows] - (keeps - kept[who])
        left[rows] = np.maximum(advanced[who], 0) - keeps
        kept[who] = keeps
    return pays, left
