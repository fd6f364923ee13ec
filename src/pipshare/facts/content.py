"""Stable 64-bit fingerprints of what a commission can depend on, and which of two facts holds.

Comments, SL/TP and the file's line do not count. The reason and details that only some formats
carry (contract, rates, quotes) do not either: a file that lacks them does not contradict one that
has them; the stages compare the reason where both know it.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import polars as pl

Column = npt.NDArray[np.int64]

COUNTED = (
    "login", "side", "lots_e8", "open_ms", "close_ms", "open_price_e8", "close_price_e8",
    "commission_e8", "fee_e8", "swap_e8", "profit_e8", "opening",
)  # fmt: skip
DEAL_COUNTED = (
    "login", "position", "action", "entry", "time_ms", "volume_e8", "price_e8",
    "profit_e8", "swap_e8", "commission_e8", "fee_e8",
)  # fmt: skip
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
NO_REASON = -1
UNKNOWN_MS = -1
_FEW = 500  # rows: their symbols are looked up sooner than Polars finds the distinct ones


class Verdict(IntEnum):
    """What an arriving fact is, beside the one that is stored under its identity."""

    NEW = 0  # nothing is stored
    SAME = 1
    REVISION = 2  # another content, and newer
    OLDER = 3  # another content, superseded already
    CONFLICT = 4  # another content, and nobody can tell which is newer


def trade_content(trades: pl.DataFrame) -> Column:
    """Return the fingerprint of each row of a TRADE frame, the same on every machine for ever.

    Times count in whole seconds, because some exports cut the milliseconds; symbols count without
    regard to case, because statements print them in lower case.
    """
    return _fold(_symbol_hash(trades["symbol"]), trades, COUNTED).view(np.int64)


def deal_content(deals: pl.DataFrame) -> Column:
    """Return the fingerprint of each row of a DEAL frame, the same on every machine for ever.

    As trade_content; the closed volume counts as closed_volume gives it, so that an export
    without VolumeClosed does not contradict one that has it.
    """
    state = _fold(_symbol_hash(deals["symbol"]), deals, DEAL_COUNTED)
    return _mix(state ^ closed_volume(deals).astype(np.uint64)).view(np.int64)


def closed_volume(deals: pl.DataFrame) -> Column:
    """Return how much of each deal closed a position, in 1e-8 lots; 0 = an opening, or not told.

    An OUT or OUT_BY closes all of its volume when VolumeClosed is absent; an INOUT without
    VolumeClosed does not tell.
    """
    entry, closed = deals["entry"].to_numpy(), deals["closed_e8"].to_numpy()
    whole = ((entry == 1) | (entry == 3)) & (closed == 0)
    stated = np.where(entry == 0, 0, closed)
    return np.where(whole, deals["volume_e8"].to_numpy(), stated).astype(np.int64)


def other_reason(
    arriving: npt.NDArray[np.int16], stored: npt.NDArray[np.int16]
) -> npt.NDArray[np.bool_]:
    """Tell for each row whether two reasons contradict each other: both known, and different."""
    other: npt.NDArray[np.bool_] = (arriving != NO_REASON) & (stored != NO_REASON)
    other &= arriving != stored
    return other


def judge(
    found: npt.NDArray[np.bool_],
    same: npt.NDArray[np.bool_],
    stored_as_of_ms: Column,
    as_of_ms: int | None,
) -> npt.NDArray[np.int8]:
    """Return the Verdict of each arriving row.

    Shapes: parallel columns; `stored_as_of_ms` is the moment up to which the stored fact is known
    to hold, UNKNOWN_MS where nobody told; `as_of_ms` the same of the arriving rows, None = not
    told. Rule (design.md section 6): the newer of two contents is that of the later moment.
    """
    verdict = np.full(len(found), Verdict.CONFLICT, np.int8)
    if as_of_ms is not None:
        told = stored_as_of_ms != UNKNOWN_MS
        verdict[told & (stored_as_of_ms < as_of_ms)] = Verdict.REVISION
        verdict[told & (stored_as_of_ms > as_of_ms)] = Verdict.OLDER
    verdict[same] = Verdict.SAME
    verdict[~found] = Verdict.NEW
    return verdict


def _fold(
    state: npt.NDArray[np.uint64], frame: pl.DataFrame, names: tuple[str, ...]
) -> npt.NDArray[np.uint64]:
    for name in names:
        column = frame[name].to_numpy().astype(np.int64, copy=False)
        if name.endswith("_ms"):
            column = column // 1000
        state = _mix(state ^ column.astype(np.uint64))
    return state


def _symbol_hash(symbols: pl.Series) -> npt.NDArray[np.uint64]:
    # One digest per distinct symbol, then a gather: there are few symbols and many rows.
    if len(symbols) <= _FEW:
        return np.array([_digest(symbol) for symbol in symbols.to_list()], np.uint64)
    names = symbols.unique().sort()
    digests = np.array([_digest(symbol) for symbol in names], np.uint64)
    codes: npt.NDArray[np.int64] = symbols.cast(pl.Enum(names)).to_physical().to_numpy()
    return digests[codes.astype(np.int64)]


@lru_cache(maxsize=10_000)
def _digest(symbol: str) -> int:
    return int.from_bytes(blake2b(symbol.casefold().encode(), digest_size=8).digest(), "little")


def _mix(value: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Finish one round as splitmix64 does (Steele et al., 2014); wraps by design."""
    value = (value ^ (value >> np.uint64(30))) * _M1
    value = (value ^ (value >> np.uint64(27))) * _M2
    return value ^ (value >> np.uint64(31))
