"""Lines to legs: pure sums, per transfer and account, with the house on the other side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipshare.errors import BadInput

Column = npt.NDArray[np.int64]
_LIMIT = 2**62


@dataclass(frozen=True)
class Legs:
    """Legs of several transfers: parallel columns; `day` says which transfer (one per day)."""

    day: Column
    account: Column
    amount_e8: Column


def sum_legs(day: Column, account: Column, contra: Column, amount_e8: Column) -> Legs:
    """Sum lines into legs, and book their opposite on each line's contra account.

    Shapes: four int64 columns, a row per line. Returns legs sorted by (day, account), each pair
    once; per day the amounts of an account and its contra sum to zero. Raises BadInput when a sum
    leaves 64 bits.
    """
    _check_range(amount_e8)
    days = np.concatenate([day, day])
    accounts = np.concatenate([account, contra])
    amounts = np.concatenate([amount_e8, -amount_e8])
    if not len(days):
        return Legs(days, accounts, amounts)
    order = np.lexsort((accounts, days))
    days, accounts, amounts = days[order], accounts[order], amounts[order]
    new = np.ones(len(days), np.bool_)
    new[1:] = (days[1:] != days[:-1]) | (accounts[1:] != accounts[:-1])
    starts = np.flatnonzero(new)
    return Legs(days[starts], accounts[starts], np.add.reduceat(amounts, starts))


def _check_range(amount_e8: Column) -> None:
    # The sum of one batch must fit a leg whatever its grouping: a bound, not a rounding.
    if len(amount_e8) and int(np.abs(amount_e8).max()) * len(amount_e8) >= _LIMIT:
        total = sum(abs(int(value)) for value in amount_e8)
        if total >= _LIMIT:
            raise BadInput("amount_too_large", "the lines of one batch exceed what a leg can hold")
