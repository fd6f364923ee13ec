"""What is payable now: from the minimum payout on; less is carried forward, never lost."""

from __future__ import annotations

from typing import Literal

import numpy as np

from pipshare.period import Clock, broker_days
from pipshare.period import Millis as Longs
from pipshare.rating.finish.turns import turns
from pipshare.rating.windows.calendar import DAY_MS


def payable(
    group: Longs,
    amount_e8: Longs,
    minimum_e8: Longs,
    groups: int,
    opening_e8: Longs | None = None,
) -> tuple[Longs, Longs]:
    """Return what is payable with each row, and what is carried forward after it.

    Rows are the periods of a payee's wallet in the order of time; `minimum_e8` in its currency.
    What is owed (below zero) is carried as well, and later earnings repay it. `opening_e8`: by
    group, what earlier periods carried forward.
    """
    now, after = np.zeros(len(group), np.int64), np.zeros(len(group), np.int64)
    balance = np.zeros(groups, np.int64) if opening_e8 is None else opening_e8.copy()
    for rows in turns(group):
        who = group[rows]
        total = balance[who] + amount_e8[rows]
        enough = (total > 0) & (total >= minimum_e8[rows])
        now[rows] = np.where(enough, total, 0)
        after[rows] = balance[who] = np.where(enough, 0, total)
    return now, after


def payable_ms(
    earned_ms: Longs, hold_days: Longs, clock: Clock, which: Literal["start", "end"] = "start"
) -> Longs:
    """Return from when on (UTC ms) what was earned at a moment may be paid.

    So many of the broker's days after the day it was earned on; at the start of that day, or when
    the day is over.
    """
    day = broker_days(earned_ms, clock).astype(np.int64) + hold_days + (which == "end")
    return clock.to_utc(day * DAY_MS)
