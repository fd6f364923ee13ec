"""Qualification of many clients as columns: rows to rate, spans in which trades count, waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipshare.period import FOREVER_MS
from pipshare.period import Millis as Longs
from pipshare.rating.qualify.life import Life
from pipshare.rating.qualify.steps import Ladder, rows_of
from pipshare.rating.qualify.stretches import Asked, NoRate, is_kept_on, stretches, sure

# One row per thing to pay or to undo (steps.Row). `undoes` is a place in this frame, -1 = none.
ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "client": pl.Int64, "moment_ms": pl.Int64, "booked_ms": pl.Int64, "from": pl.Int64,
    "to": pl.Int64, "event": pl.String, "undoes": pl.Int64, "held_by": pl.String,
}  # fmt: skip
# A client whose money cannot be converted: `key` is the pair.
WAITS: dict[str, pl.DataType | type[pl.DataType]] = {"client": pl.Int64, "key": pl.String}


@dataclass(frozen=True)
class Spans:
    """When clients qualified: parallel columns by client and start, half-open, no neighbours."""

    client: Longs
    start_ms: Longs
    end_ms: Longs

    def qualified_ms(self, client: Longs, moment_ms: Longs) -> Longs:
        """Return since when each client qualifies, for one moment each; -1 = never will.

        The start of the span that covers the moment, else of the next one, else -1. A plan that
        pays from then on compares it with the moment.
        """
        keys = (self.client << 42) | np.maximum(self.end_ms, 1) - 1
        place = np.searchsorted(keys, (client << 42) | moment_ms)
        held = np.minimum(place, max(len(keys) - 1, 0))
        if not len(keys):
            return np.full(len(client), -1, np.int64)
        same = (place < len(keys)) & (self.client[held] == client)
        return np.where(same, np.maximum(self.start_ms[held], 0), -1)

    def in_the_end(self, client: Longs) -> Longs:
        """Return since when each client qualifies as all is known now; -1 = he does not."""
        return self.qualified_ms(client, np.full(len(client), 2**42 - 2, np.int64))


def qualification_rows(
    lives: Iterable[Life],
    trades_ms: Mapping[int, int],
    asked: Asked,
    ladder: Ladder | None = None,
    clawback_days: int | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return ROWS and WAITS of what these clients' lives are paid for in one component.

    Where a deposit cannot be converted, what came before it stands and all after it waits.
    `trades_ms`: qualify.reached. A pure function of all events and trades: the order in which they
    arrived does not matter.
    """
    rows: list[tuple[object, ...]] = []
    waits: list[tuple[int, str]] = []
    for life in with_trades_only(lives, trades_ms):
        first = len(rows)
        known = trades_ms.get(life.client), asked, ladder or Ladder(), clawback_days
        try:
            found = rows_of(life, *known)
        except NoRate as missing:
            waits.append((life.client, missing.pair))
            some, until = sure(life, asked)
            found = [one for one in rows_of(some, *known) if one.booked_ms < until]
        rows += [
            (life.client, one.moment_ms, one.booked_ms, one.from_, one.to, one.cause,
             one.undoes + first if one.undoes >= 0 else -1, one.held_by)
            for one in found
        ]  # fmt: skip
    return _frame(rows, ROWS), _frame(waits, WAITS)


def qualified_spans(
    lives: Iterable[Life], trades_ms: Mapping[int, int], asked: Asked
) -> tuple[Spans, pl.DataFrame]:
    """Return when each client qualified, and WAITS of those of whom it is not known."""
    found: list[tuple[int, int, int]] = []
    waits: list[tuple[int, str]] = []
    for life in with_trades_only(lives, trades_ms):
        try:
            parts = _parts(life, trades_ms, asked)
        except NoRate as missing:
            some, until = sure(life, asked)
            parts = _parts(some, trades_ms, asked)
            # What he qualified by before, for good, no later deposit can change.
            if (not parts or parts[-1][0] >= until or parts[-1][1] < FOREVER_MS
                    or _may_withdraw(life, asked, parts[-1][0], until)):  # fmt: skip
                waits.append((life.client, missing.pair))
                continue
        for start, end in parts:
            if found and found[-1][0] == life.client and found[-1][2] == start:
                found[-1] = (life.client, found[-1][1], end)
            else:
                found.append((life.client, start, end))
    table = np.array(sorted(found), np.int64).reshape(-1, 3)
    return Spans(table[:, 0], table[:, 1], table[:, 2]), _frame(waits, WAITS)


def _may_withdraw(life: Life, asked: Asked, since_ms: int, until_ms: int) -> bool:
    """Tell whether withdrawals of which it is not known yet what they leave may end what is
    qualified since a moment."""
    if asked.qualify.keeps is None:
        return False
    later = (one.counts_ms for one in life.withdrawals if one.counts_ms >= until_ms)
    return any(is_kept_on(asked, since_ms, at) for at in later)


def _parts(life: Life, trades_ms: Mapping[int, int], asked: Asked) -> list[tuple[int, int]]:
    """Return (start, end) of the times in which a client qualifies."""
    found = stretches(life, trades_ms.get(life.client), asked)
    return [(max(one.start_ms, one.reached[0].at_ms), one.end_ms) for one in found if one.reached]


def with_trades_only(lives: Iterable[Life], trades_ms: Mapping[int, int]) -> list[Life]:
    """Return all lives, and those of clients of whom nothing but trades is known; by client."""
    known = list(lives)
    held = {life.client for life in known}
    more = (Life(client) for client in trades_ms if client not in held)
    return sorted([*known, *more], key=lambda life: life.client)


def _frame(
    rows: Sequence[tuple[object, ...]], schema: dict[str, pl.DataType | type[pl.DataType]]
) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=pl.Schema(schema), orient="row")
