"""Rebates: the clients' own lines, a share of what the lowest level earns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.rating.exact import rounded
from pipshare.rating.reasons import Wait

if TYPE_CHECKING:
    from pipshare.rating.work import Work

Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]


@dataclass
class Clients:
    """The clients' own lines: at which line of the block, and with what."""

    row: list[Longs] = field(default_factory=list)
    outcome: list[Int16s] = field(default_factory=list)
    orig_e8: list[Longs] = field(default_factory=list)
    currency: list[Int32s] = field(default_factory=list)
    amount_e8: list[Longs] = field(default_factory=list)
    wallet: list[Int32s] = field(default_factory=list)
    fx_id: list[Int32s] = field(default_factory=list)


class Purse:
    """What clients get: a share of lines, in the currency of their own accounts."""

    def __init__(self, work: Work, rows: Longs, given: Longs, wallet: Int32s) -> None:
        component, known = work.part.component, work.known
        self.row, self.given, self.wallet = work.rows[rows], given, wallet
        self.currency = work.currency[rows].copy()
        self.outcome = np.zeros(len(rows), np.int16)
        self.fx_id = np.zeros(len(rows), np.int32)
        ones = np.ones(len(rows), np.int64)
        group, how = work.group[rows], component.rounding
        top, bottom, number, found = known.exchange.find(
            self.currency, wallet, known.trades.close_utc_ms[group], known.row[group],
            component.wallet_fx,
        )  # fmt: skip
        turned = (self.currency != wallet) & (given != 0)
        self.outcome[turned & ~found] = Wait.NO_FX
        self.fx_id[turned] = number[turned]
        top, bottom = np.where(turned, top, ones), np.where(turned, bottom, ones)
        self.amount, large = rounded(given, top, bottom, how.wallet, how.how)
        if large is not None:
            self.outcome[large] = Wait.TOO_LARGE

    def add_to(self, clients: Clients) -> None:
        """Add these lines to the block's."""
        clients.row.append(self.row)
        clients.outcome.append(self.outcome)
        clients.orig_e8.append(self.given)
        clients.currency.append(self.currency)
        clients.amount_e8.append(self.amount)
        clients.wallet.append(self.wallet)
        clients.fx_id.append(self.fx_id)
