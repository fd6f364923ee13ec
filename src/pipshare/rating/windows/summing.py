"""Lines of trades as they come, block by block: summed at once, where nobody asks for each line."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from pipshare.rating.windows.calendar import Unit, numbers
from pipshare.rating.windows.given import Given
from pipshare.rating.windows.lines import LINES, no_lines
from pipshare.rating.windows.narrow import all_parts
from pipshare.rating.windows.reach import reach

_BY = ("component_id", "event", "level", "partner_id", "client", "currency", "wallet", "reason",
       "held_by")  # fmt: skip
_MOST = 200_000  # sums that are kept apart until they are added up


class LineSums:
    """Sums of LINES: LINES of no trade, at the last moment among theirs.

    Lines are summed that nothing tells apart which comes after: neither in which windows they are
    booked or looked at again, nor (where that matters) for which client they are.
    """

    def __init__(self, given: Given, needed: Collection[int]) -> None:
        self._clock = given.clock
        parts = [part for part in all_parts(given.book) if part.component_id in needed]
        self._units = _units(given)
        codes = {part.component.advance for part in parts if part.component.advance}
        self._advanced = [part.component_id for part in parts
                          if part.component.advance or part.component.code in codes]  # fmt: skip
        self._parts: list[pl.DataFrame] = []

    def add(self, lines: pl.DataFrame) -> None:
        """Take some lines in."""
        if not len(lines):
            return
        # A client tells apart what he is paid himself, what is held for him or to be earned back.
        own = (pl.col("partner_id") == 0) | (pl.col("held_by") == "kyc")
        own |= pl.col("component_id").is_in(self._advanced)
        moment = lines["moment_ms"].to_numpy()
        windows = {unit: pl.Series(numbers(moment, unit, self._clock)) for unit in self._units}
        told = lines.with_columns(client=pl.when(own).then("client").otherwise(-1), **windows)
        self._parts.append(self._summed(told))
        if sum(map(len, self._parts[1:])) > max(_MOST, len(self._parts[0])):
            self._parts = [self._summed(pl.concat(self._parts))]

    def _summed(self, lines: pl.DataFrame) -> pl.DataFrame:
        return lines.group_by(*_BY, *self._units, maintain_order=True).agg(
            pl.col("orig_e8", "amount_e8").sum(), pl.col("moment_ms").max()
        )

    def lines(self) -> pl.DataFrame:
        """Return what all lines come to, as LINES."""
        if not self._parts:
            return no_lines()
        return self._summed(pl.concat(self._parts)).with_columns(
            trade_row=pl.lit(-1), rate_id=pl.lit(0), fx_id=pl.lit(0)
        ).select(LINES.keys()).cast(pl.Schema(LINES))  # fmt: skip


class EachLine:
    """Lines of LINES kept as they are, for who asks for the lines of trades."""

    def __init__(self) -> None:
        self._parts = [no_lines()]

    def add(self, lines: pl.DataFrame) -> None:
        """Take some lines in."""
        self._parts.append(lines)

    def lines(self) -> pl.DataFrame:
        """Return all lines."""
        return pl.concat(self._parts)


def _units(given: Given) -> list[Unit]:
    """Return the units of all windows in which lines may be booked or looked at again."""
    found: set[Unit] = set()
    for part in all_parts(given.book):
        component = part.component
        found.add(reach(component).booked)
        if component.basis == "earned":
            found.add("month" if component.per == "trade" else component.per)
    return sorted(found)
