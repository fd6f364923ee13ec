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
    number = np.zeros(len(columns[0]), np.int64)
    count = min(len(number), 1)
    for column in columns:
        held, place = np.unique(column, return_inverse=True)
        joined, number = np.unique(number * max(len(held), 1) + place, return_inverse=True)
        count = len(joined)
    return number, count
