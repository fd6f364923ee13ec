"""Mode rank: each rank's rate is paid once, a rank that nobody has rolls up to the next present."""

from __future__ import annotations

import numpy as np

from pipshare.rating.modes.difference import climb
from pipshare.rating.prices import BLANK
from pipshare.rating.reasons import Wait
from pipshare.rating.work import Gross, Work


def earn(work: Work) -> None:
    """Add up the rates of all ranks up to each partner's, then go up as differences do."""
    rank = work.slot_column("rank")
    total = Gross.none(len(work.rows))
    for number in range(int(rank.max(initial=-1)) + 1):
        price = work.rank_prices(number)
        if price is None:
            continue
        at = np.flatnonzero(rank >= number)
        gross = work.by_price(at, price[at])
        stopped = total.stop[at] != 0
        pays = gross.e8 != 0
        mixed = pays & (total.currency[at] >= 0) & (total.currency[at] != gross.currency)
        stop = np.where(gross.stop != 0, gross.stop, np.where(mixed, Wait.MIXED_CURRENCIES, 0))
        total.stop[at] = np.where(stopped, total.stop[at], stop)
        total.e8[at] += gross.e8
        total.currency[at[pays]], total.price[at] = gross.currency[pays], gross.price
    total.stop[(total.price == BLANK) & (total.stop == 0)] = Wait.UNPRICED
    climb(work, total)
