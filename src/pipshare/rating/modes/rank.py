"""Mode rank: each rank's rate is paid once, a rank that nobody has rolls up to the next present."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.rating.prices import BLANK
from pipshare.rating.reasons import Reason, Wait
from pipshare.rating.work import Gross, Work

_NOTHING_NOW = (Reason.BELOW_FIRST_BAND, Reason.NOTHING_LEFT)  # what one rank's bands may say


def earn(work: Work) -> None:
    """Pay each line the rates of the ranks above the highest that stands below, up to its own.

    With a tier each rate is that of the line's own payee: what he gets for a rank does not depend
    on how far the bands of another rank, or of whoever has it below him, have come.
    """
    rank = work.slot_column("rank")
    total, sums, nothing = _summed(work, rank)
    stands = np.full(work.groups, -1, np.int64)  # the highest rank whose rate has gone to somebody
    for at, group in work.levels():
        work.wait_above(at, group)
        total.wait_or_stop(work, at)
        below = np.minimum(stands[group], rank[at])
        left = sums[rank[at] + 1, at] - sums[below + 1, at]
        empty = (left <= 0) & (work.outcome[at] == 0)  # his rank is his, though it pays nothing now
        for why in _NOTHING_NOW:
            work.stop(at[empty & (nothing[at] == why)], why)
        work.earns(at, total, left)
        his = empty | (work.outcome[at] == Reason.PAID)
        stands[group[his]] = np.maximum(stands[group[his]], rank[at[his]])


def _summed(work: Work, rank: Longs) -> tuple[Gross, npt.NDArray[np.int64], npt.NDArray[np.int16]]:
    """Return all ranks' rates up to each line's own as one gross; by (rank + 1, row) what the ranks
    up to there give; and by row why its own rank gives nothing, where it does not."""
    most = int(rank.max(initial=-1)) + 1
    total = Gross.none(len(work.rows))
    sums = np.zeros((most + 1, len(work.rows)), np.int64)
    nothing = np.full(len(work.rows), Reason.NOTHING_LEFT, np.int16)
    for number in range(most):
        sums[number + 1] = sums[number]
        price = work.rank_prices(number)
        if price is None:
            continue
        at = np.flatnonzero(rank >= number)
        gross = work.by_price(at, price[at])
        # A rank whose bands give nothing adds nothing; those above it may well give something.
        empty = np.isin(gross.stop, _NOTHING_NOW)
        own = empty & (rank[at] == number)
        nothing[at[own]] = gross.stop[own]
        e8 = np.where(empty, 0, gross.e8)
        stopped = total.stop[at] != 0
        pays = e8 != 0
        mixed = pays & (total.currency[at] >= 0) & (total.currency[at] != gross.currency)
        stop = np.where(empty, 0, gross.stop)
        stop = np.where(stop != 0, stop, np.where(mixed, Wait.MIXED_CURRENCIES, 0))
        total.stop[at] = np.where(stopped, total.stop[at], stop)
        sums[number + 1, at] += e8
        total.currency[at[pays]], total.price[at] = gross.currency[pays], gross.price
    total.stop[(total.price == BLANK) & (total.stop == 0)] = Wait.UNPRICED
    return total, sums, nothing
