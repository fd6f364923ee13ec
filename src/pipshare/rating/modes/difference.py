"""Mode difference: each level earns its rate less what the levels below took, never below zero."""

from __future__ import annotations

import numpy as np

from pipshare.rating.reasons import Reason, Wait
from pipshare.rating.work import Work


def earn(work: Work) -> None:
    """Pay each line its gross less the highest that a paid line below has by its own rate."""
    gross = work.by_rate(np.arange(len(work.rows)))
    taken = np.zeros(work.groups, np.int64)
    currency = np.full(work.groups, -1, np.int32)
    for at, group in work.levels():
        work.wait_above(at, group)
        gross.wait_or_stop(work, at)
        # Nothing is in no currency: there is nothing to be compared.
        mixed = (currency[group] >= 0) & (currency[group] != gross.currency[at])
        mixed &= gross.e8[at] != 0
        work.stop(at[mixed], Wait.MIXED_CURRENCIES)
        left = gross.e8[at] - taken[group]
        work.stop(at[left <= 0], Reason.NOTHING_LEFT)
        work.earns(at, gross, left)
        paid = work.outcome[at] == Reason.PAID
        who = group[paid]
        taken[who] = np.maximum(taken[who], gross.e8[at[paid]])
        currency[who] = gross.currency[at[paid]]
