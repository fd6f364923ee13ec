"""In which fields do two tellings of the same trades differ? The same rules as the fingerprint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.facts.content import COUNTED, other_reason

Mask = npt.NDArray[np.bool_]
CLOSING = ("login", "symbol", "side", "lots_e8", "close_ms", "close_price_e8", "swap_e8",
           "profit_e8")  # fmt: skip
COMPARED = ("symbol", "reason", *COUNTED)


def unequal(
    here: pl.DataFrame, there: pl.DataFrame, fields: Iterable[str] = COMPARED
) -> dict[str, Mask]:
    """Return per field which rows differ. Two frames with TRADE columns, of the same tickets."""
    return {name: _differs(here[name], there[name]) for name in fields}


def named(masks: Mapping[str, Mask], row: int) -> list[str]:
    """Return the names of the fields in which one row differs."""
    return [name for name, mask in masks.items() if mask[row]]


def _differs(here: pl.Series, there: pl.Series) -> Mask:
    if here.name == "symbol":
        lowered: Mask = (here.str.to_lowercase() != there.str.to_lowercase()).to_numpy()
        return lowered
    left, right = here.to_numpy(), there.to_numpy()
    if here.name == "reason":
        return other_reason(left, right)
    if here.name.endswith("_ms"):
        left, right = left // 1000, right // 1000
    mask: Mask = left != right
    return mask
