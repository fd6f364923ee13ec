"""Negative sums of a period: carried over and earned back first, or reset to nothing.

Carrying over telescopes: after every window all that was payable is the highest sum that was ever
reached, and never less than nothing. A part of what is below zero may be forgiven at once, and what
is carried after a while: then the sum that has to be reached is less by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from pipshare.money.amounts import half_even
from pipshare.period import Millis as Longs
from pipshare.rating.finish.turns import turns


@dataclass(frozen=True)
class Lasting:
    """Up to which window what arose in one can be earned back: by the row that it is of, and what
    was carried in by the group. `window`: the number of each row's window."""

    window: Longs
    until: Longs
    opening_until: Longs


def carried_over(
    group: Longs,
    amount_e8: Longs,
    groups: int,
    opening_e8: Longs | None = None,
    lasting: Lasting | None = None,
) -> tuple[Longs, Longs]:
    """Return what is payable of each row, and what is carried out of it (never above zero).

    Rows are the windows of a group (payee and component, or components that are netted), each
    group's in the order of time. `opening_e8`: by group, what earlier windows carried in. Without
    `lasting` it is carried for ever.
    """
    opening = np.zeros(groups, np.int64) if opening_e8 is None else np.minimum(opening_e8, 0)
    if lasting is not None:
        return _for_a_while(group, amount_e8, opening, lasting)
    payable, after = np.zeros(len(group), np.int64), np.zeros(len(group), np.int64)
    balance = opening.copy()
    for rows in turns(group):
        who = group[rows]
        total = amount_e8[rows] + balance[who]
        payable[rows] = np.maximum(total, 0)
        after[rows] = balance[who] = np.minimum(total, 0)
    return payable, after


def _for_a_while(
    group: Longs, amount_e8: Longs, opening: Longs, lasting: Lasting
) -> tuple[Longs, Longs]:
    """Carry losses up to their last window; what is earned pays off the oldest first."""
    payable, after = np.zeros(len(group), np.int64), np.zeros(len(group), np.int64)
    until = lasting.opening_until.tolist()
    losses = [[[-one, last]] if one else [] for one, last in
              zip(opening.tolist(), until, strict=True)]  # fmt: skip
    rows = zip(group.tolist(), amount_e8.tolist(), lasting.window.tolist(),
               lasting.until.tolist(), strict=True)  # fmt: skip
    for row, (who, amount, window, last) in enumerate(rows):
        open_ = losses[who] = [one for one in losses[who] if one[1] >= window]
        left = max(amount, 0)
        for one in open_:
            back = min(left, one[0])
            one[0] -= back
            left -= back
        losses[who] = [one for one in open_ if one[0]]
        if amount < 0:
            losses[who].append([-amount, last])
        payable[row], after[row] = left, -sum(one[0] for one in losses[who])
    return payable, after


def unforgiven(amount_e8: Longs, forgive: Fraction, share: Fraction) -> Longs:
    """Return the sums with what is below zero as it is carried: less what is forgiven of it (of
    every window), and of the rest a share."""
    kept = np.asarray(amount_e8, np.int64).copy()
    for row in np.flatnonzero(kept < 0).tolist():
        beyond = max(-int(kept[row]) - int(forgive * 10**8), 0) * share
        kept[row] = -half_even(beyond.numerator, beyond.denominator)
    return kept


def reset(amount_e8: Longs) -> Longs:
    """Return what is payable when a negative sum is forgotten."""
    return np.maximum(amount_e8, 0)
