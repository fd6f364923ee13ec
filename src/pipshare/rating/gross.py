"""Gross amounts: what rates give by themselves, before levels share and caps cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.rating.prices import BLANK

if TYPE_CHECKING:
    from pipshare.rating.work import Work

Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]


@dataclass
class Gross:
    """What rates give, by row: amount, currency, the wait or reason in its way, the price used."""

    e8: Longs
    currency: Int32s
    stop: Int16s
    price: Longs

    @classmethod
    def none(cls, rows: int) -> Gross:
        """Return rows that no rate gives anything to."""
        return cls(np.zeros(rows, np.int64), np.full(rows, -1, np.int32),
                   np.zeros(rows, np.int16), np.full(rows, BLANK, np.int64))  # fmt: skip

    def spread_over(self, rows: int, at: Longs) -> Gross:
        """Return the same for all rows of a part, with nothing beside the rows `at`."""
        whole = Gross.none(rows)
        whole.e8[at], whole.currency[at] = self.e8, self.currency
        whole.stop[at], whole.price[at] = self.stop, self.price
        return whole

    def wait_or_stop(self, work: Work, at: Longs) -> None:
        """Let open rows wait, or be zero, for what stands in the rate's way."""
        if self.stop.any():
            open_ = at[(work.outcome[at] == 0) & (self.stop[at] != 0)]
            work.outcome[open_] = self.stop[open_]
