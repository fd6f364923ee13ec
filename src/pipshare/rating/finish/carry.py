"""Negative sums of a period: carried over and earned back first, or reset to nothing.

Carrying over telescopes: after every window all that was payable is the highest sum that was ever
reached, and never less than nothing.
"""

from __future__ import annotations

import numpy as np

from pipshare.period import Millis as Longs
from pipshare.rating.finish.turns import turns


def carried_over(
    group: Longs, amount_e8: Longs, groups: int, opening_e8: Longs | None = None
) -> tuple[Longs, Longs]:
    """Return what is payable of each row, and what is carried out of it (never above zero).

    Rows are the windows of a group (payee and component, or components that are netted), each
    group's in the order of time. `opening_e8`: by group, what earlier windows carried in.
    """
    payable, after = np.zeros(len(group), np.int64), np.zeros(len(group), np.int64)
    balance = np.zeros(groups, np.int64) if opening_e8 is None else np.minimum(opening_e8, 0)
    for rows in turns(group):
        who = group[rows]
        total = amount_e8[rows] + balance[who]
        payable[rows] = np.maximum(total, 0)
        after[rows] = balance[who] = np.minimum(total, 0)
    return payable, after


def reset(amount_e8: Longs) -> Longs:
    """Return what is payable when a negative sum is forgotten."""
    return np.maximum(amount_e8, 0)
