"""What the connector hands over: answers with deals, the server's time, frames of set-up data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.facts import DEAL, Refusal, empty

Tickets = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
# Told the tickets and hashes of an answer, says which of its records need no second look.
Known = Callable[[Tickets, Hashes], Mask]
Schema = dict[str, pl.DataType | type[pl.DataType]]

# What else a deal says, row by row beside a DEAL frame: our own payouts and a native agent's
# commission are recognised by the comment. flags is EnTradeModifyFlags.
REMARKS: Schema = {"deal": pl.Int64, "comment": pl.String, "flags": pl.Int64}

# One account. currency is "": it is the group's. rights is EnUsersRights (1 = enabled).
USERS: Schema = {
    "login": pl.Int64, "group": pl.String, "agent": pl.Int64, "status": pl.String,
    "rights": pl.Int64, "country": pl.String, "registration_s": pl.Int64, "currency": pl.String,
}  # fmt: skip
# margin_mode is EnMarginMode: 0 netting, 1 exchange (netting), 2 hedging.
GROUPS: Schema = {
    "group": pl.String, "currency": pl.String, "digits": pl.Int64, "margin_mode": pl.Int64,
    "company": pl.String,
}  # fmt: skip
SYMBOLS: Schema = {
    "symbol": pl.String, "path": pl.String, "digits": pl.Int64, "contract_e8": pl.Int64,
    "currency_base": pl.String, "currency_profit": pl.String, "currency_margin": pl.String,
    "calc_mode": pl.Int64,
}  # fmt: skip


def _none_seen() -> Tickets:
    return np.empty(0, np.int64)


@dataclass(frozen=True)
class DealsAnswer:
    """One whole answer with deals, for server seconds from_s to to_s (both inclusive).

    `deals` (facts.DEAL, line 0), `remarks` (REMARKS), `raw` (each deal's own JSON text) and
    `hashes` (of that text) are parallel: the deals that were not known. A deal with a bad value is
    in `refused` instead, by ticket and field, with its text in Refusal.raw (at most 4,000
    characters). `seen` are the tickets of all records, known ones too (0: unreadable), `count`
    their number. Hashes are stable within one version of Polars: a hint to skip, no identity.
    """

    deals: pl.DataFrame = field(default_factory=lambda: empty(DEAL))
    remarks: pl.DataFrame = field(default_factory=lambda: empty(REMARKS))
    raw: list[bytes] = field(default_factory=list)
    hashes: Hashes = field(default_factory=lambda: np.empty(0, np.uint64))
    refused: list[Refusal] = field(default_factory=list)
    seen: Tickets = field(default_factory=_none_seen)
    count: int = 0
    from_s: int = 0
    to_s: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class ServerTime:
    """The server's wall clock and ours, read together.

    `server_ms` is the wall clock as if UTC (whole seconds, cut down), `utc_ms` ours at the middle
    of the exchange.
    """

    server_ms: int
    utc_ms: int

    @property
    def offset_ms(self) -> int:
        """How far the server's wall clock is ahead of UTC; up to a second too small."""
        return self.server_ms - self.utc_ms


@dataclass(frozen=True)
class TimeSettings:
    """The server's own setting: minutes ahead of GMT (without daylight saving), and whether it
    follows daylight saving. By which country's dates it does not say."""

    offset_min: int
    daylight: bool
