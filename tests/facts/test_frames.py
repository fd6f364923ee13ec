"""Cutting and widening small frames without a query."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipshare.facts.frames import rows_where, widened

FRAME = pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]}, schema_overrides={"a": pl.Int16})


@pytest.mark.parametrize("mask", [[True, True, True], [False] * 3, [True, False, True]])
def test_rows_are_those_of_a_filter(mask: list[bool]) -> None:
    assert_frame_equal(rows_where(FRAME, np.array(mask)), FRAME.filter(pl.Series(mask)))


def test_no_rows_stay_no_rows() -> None:
    assert_frame_equal(rows_where(FRAME.clear(), np.zeros(0, np.bool_)), FRAME.clear())


def test_new_columns_stand_right_and_old_ones_stay() -> None:
    wide = widened(FRAME, {"c": np.arange(3), "d": pl.Series([7, 8, 9], dtype=pl.Int8)})
    assert wide.schema == {**FRAME.schema, "c": pl.Int64, "d": pl.Int8}
    with pytest.raises(pl.exceptions.DuplicateError):
        widened(FRAME, {"a": np.arange(3)})
