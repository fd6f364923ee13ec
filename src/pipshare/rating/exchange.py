"""Exchange of a block's amounts: recorded rates by moment, the trades' own where there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.plans.terms import FxSide
from pipshare.rating.block import FxColumns, OwnColumns, filled

Int32s = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Exchange:
    """Where the rates of a run come from; `names` are the currencies that codes point at."""

    fx: FxColumns
    own: OwnColumns | None
    names: tuple[str, ...]

    def find(
        self, base: Int32s, quote: Int32s, moment_ms: Longs, trades: Longs, side: FxSide = "mid"
    ) -> tuple[Longs, Longs, Int32s, Bools]:
        """Return (top, bottom, id, found) by row; `trades` are the rows of the run's trades."""
        count = len(base)
        top, bottom = np.zeros(count, np.int64), np.ones(count, np.int64)
        number, found = np.zeros(count, np.int32), np.zeros(count, np.bool_)
        pair = base.astype(np.int64) * len(self.names) + quote
        for code in np.unique(pair).tolist():
            rows = np.flatnonzero(pair == code)
            held = self._pair(code, moment_ms[rows], trades[rows], side)
            top[rows], bottom[rows], number[rows], found[rows] = held
        return top, bottom, number, found

    def _pair(
        self, code: int, moment_ms: Longs, trades: Longs, side: FxSide
    ) -> tuple[Longs, Longs, Int32s, Bools]:
        base, quote = self.names[code // len(self.names)], self.names[code % len(self.names)]
        if base == quote:
            ones = np.ones(len(moment_ms), np.int64)
            return ones, ones, np.zeros(len(ones), np.int32), ones == 1
        if side == "mid":
            rates = self.fx.find_pair(base, quote, moment_ms)
        else:
            rates = self.fx.find_pair(base, quote, moment_ms, side)
        if self.own is not None and not rates[3].all():
            missing = np.flatnonzero(~rates[3])
            rates = filled(rates, missing, self.own.find_pair(base, quote, trades[missing]))
        return rates[0], rates[1], rates[2], rates[3]
