"""Rows and columns of frames without Polars' query engine, which costs more than a small frame.

A filter or a new column is a query to Polars, planned and handed to other threads. Most masks that
a batch is cut by take all of it or nothing, and most new columns are numpy's already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl


def rows_where(frame: pl.DataFrame, mask: npt.NDArray[np.bool_]) -> pl.DataFrame:
    """Return the rows of a frame where a mask of its length is true, in order."""
    if mask.all():
        return frame
    return frame.filter(pl.Series(mask)) if mask.any() else frame.clear()


def widened(
    frame: pl.DataFrame, columns: Mapping[str, npt.NDArray[Any] | pl.Series]
) -> pl.DataFrame:
    """Return a frame with columns added on its right; their names must be new."""
    return frame.hstack([pl.Series(name, values) for name, values in columns.items()])
