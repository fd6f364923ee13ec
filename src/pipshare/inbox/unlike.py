"""Tell which arriving deals are not stored as they come: what a re-scan has to take in."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare.facts import deal_content
from pipshare.facts.content import other_reason
from pipshare.inbox.known import beside

Mask = npt.NDArray[np.bool_]


def unlike(conn: psycopg.Connection[Any], server_id: int, deals: pl.DataFrame) -> Mask:
    """Return for each row of a DEAL frame whether it is new or differs from what is stored.

    A source that reads the same weeks every night brings millions of repeats: kept from
    `store_deals`, they are not remembered one by one as told again (`inbox_seen`).
    """
    numbers = deals["deal"].to_numpy()
    if not len(numbers):
        return np.zeros(0, np.bool_)
    order = np.argsort(numbers, kind="stable")
    if (np.diff(numbers[order]) == 0).any():
        return np.ones(len(numbers), np.bool_)  # twice in one answer: for store_deals to judge
    rows = deals[order]
    stored = beside(conn, server_id, rows["deal"].to_numpy())
    same = stored.found & (deal_content(rows) == stored["content"])
    same &= ~other_reason(rows["reason"].to_numpy(), stored["reason"])
    found = np.empty(len(numbers), np.bool_)
    found[order] = ~same
    return found
