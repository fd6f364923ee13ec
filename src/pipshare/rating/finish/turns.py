"""Rows of groups in order, one of each group at a time: for rules that carry something over."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipshare.period import Millis as Longs


def turns(group: Longs) -> Iterator[Longs]:
    """Yield the rows that are the first of their group, then the second ones, and so on.

    `group`: a number per row; rows of one group keep their order, they need not stand together.
    """
    order = np.argsort(group, kind="stable")
    held = group[order]
    first = np.flatnonzero(np.r_[True, held[1:] != held[:-1]][: len(held)])
    length = np.diff(np.r_[first, len(held)])
    for nth in range(int(length.max(initial=0))):
        yield order[first[length > nth] + nth]


def group_numbers(*columns: Longs) -> tuple[Longs, int]:
    """Return a number from 0 for each distinct combination of the columns, and how many."""
    if not len(columns[0]):
        return np.zeros(0, np.int64), 0
    _, number = np.unique(np.stack(columns), axis=1, return_inverse=True)
    numbers = np.asarray(number, np.int64).ravel()
    return numbers, int(numbers.max()) + 1
