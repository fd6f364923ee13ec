"""Settle windows whose trades are more than memory holds: block by block, to sums.

The same rules as `settle.settle_window`, which says what it comes to: what one trade earns is rated
in blocks (carried.Passes goes from one to the next), and lines are summed as soon as nobody tells
them apart. What pays for a period's sum, or follows from sums, takes these.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.period import Millis as Longs
from pipshare.period import Span
from pipshare.plans.terms import Component
from pipshare.rating.carried import Passes
from pipshare.rating.qualify import lives
from pipshare.rating.windows.calendar import Unit, bounds, numbers
from pipshare.rating.windows.client_pass import client_pass
from pipshare.rating.windows.given import Given
from pipshare.rating.windows.lines import change
from pipshare.rating.windows.period_pass import period_sums
from pipshare.rating.windows.rating_pass import TradePass, paid_by_trade
from pipshare.rating.windows.reach import reach
from pipshare.rating.windows.settle import (
    held_for_kyc,
    in_windows,
    what_follows,
    with_named,
)
from pipshare.rating.windows.summing import EachLine, LineSums


@dataclass(frozen=True)
class Block:
    """Some of the trades: `given` has them and all that is given beside them.

    `live`: those whose lines are wanted (what follows from sums looks at all); None = of all.
    """

    given: Given
    live: npt.NDArray[np.bool_] | None = None


# All trades that closed in a span of UTC ms, in blocks: each in any order, but all of a block
# before all of the next in canonical order (close, server, ticket). Asked more than once.
Blocks = Callable[[Span], Iterable[Block]]
# Told of every block, and of WAITS that name trades by their places in it; some more than once.
Noted = Callable[[Block, pl.DataFrame], None]


@dataclass(frozen=True)
class Summed:
    """`lines` (settle.SETTLED_LINES) are sums, of no trade; `waits` (lines.WAITS) those that no
    trade waits for."""

    lines: pl.DataFrame
    waits: pl.DataFrame


def settle_blocks(
    given: Given, blocks: Blocks, span: Span, noted: Noted, *, components: Collection[int],
    each: bool = False,
) -> Summed:  # fmt: skip
    """Return what components come to in all windows of the trades closed in a span.

    `given` has all but trades; its chains are those of the clients (`chains_at`). With `each` the
    lines of trades are not summed.
    """
    needed = with_named(given.book, components)
    work = _Settling(given, blocks, span, noted, components, needed, each)
    work.walk()
    known = work.known
    summed = [one.rated(given) for one in work.periods]
    passes = [*summed, client_pass(given, needed, known)]
    rest = held_for_kyc(given, pl.concat([one[0] for one in passes]), known)
    live = pl.concat([work.live.lines(), rest])
    more, waiting = what_follows(given, pl.concat([live, work.dead.lines()]), needed)
    lines = in_windows(given, pl.concat([live, more]), components, None)
    waits = _of(pl.concat([*(one[1] for one in passes), waiting]), components)
    return Summed(lines, waits.unique(maintain_order=True))


def _of(waits: pl.DataFrame, components: Collection[int]) -> pl.DataFrame:
    return waits.filter(pl.col("component_id").is_in([*components, 0]))


class _Settling:
    """The blocks of one settling, walked through as often as it takes."""

    def __init__(
        self, given: Given, blocks: Blocks, span: Span, noted: Noted,
        components: Collection[int], needed: Collection[int], each: bool,
    ) -> None:  # fmt: skip
        self.given, self.blocks, self.span = given, blocks, span
        self.noted, self.components, self.needed = noted, components, needed
        self.known = lives(given.events) if given.events is not None else []
        self.periods = period_sums(given.book, needed)
        self.told, self.slow = paid_by_trade(given.book, needed)
        self.live = EachLine() if each else LineSums(given, needed)
        self.dead = LineSums(given, needed)

    def walk(self) -> None:
        """Go through the trades: rate what is paid trade by trade, sum what is paid by period."""
        fast = self.told.keys() - self.slow
        seen = {number: _Windows(self.given, self.told[number]) for number in sorted(self.slow)}
        rate = TradePass(self.given.book, fast) if fast else None
        passes = Passes()
        if rate is not None:
            self._look_ahead(rate, self.span, passes)
        if not self.told and not self.periods:
            return
        for block in self.blocks(self.span):
            waits = [one.add(block.given) for one in self.periods]
            if rate is not None:
                lines, waiting = rate.rate(block.given, passes=passes)
                waits.append(waiting)
                self._keep(block, lines)
                del lines, waiting
            for one in seen.values():
                one.add(block.given.placed.trades.close_utc_ms)
            self._note(block, waits)
            del block, waits  # gone before the next is read
        for number, one in seen.items():
            self._by_prefix(number, one)

    def _look_ahead(self, rate: TradePass, span: Span, passes: Passes) -> None:
        if rate.looks_ahead:
            passes.looking_ahead = True
            for block in self.blocks(span):
                rate.rate(block.given, passes=passes)
                del block
            passes.proper()

    def _keep(self, block: Block, lines: pl.DataFrame) -> None:
        """Hold the lines of trades for the clients' KYC, and sum them."""
        lines = held_for_kyc(block.given, lines, self.known)
        if block.live is None:
            self.live.add(lines)
            return
        lives_on = pl.Series(block.live)[lines["trade_row"].to_numpy()]
        self.live.add(lines.filter(lives_on))
        self.dead.add(lines.filter(~lives_on))

    def _note(self, block: Block, waits: list[pl.DataFrame]) -> None:
        found = _of(pl.concat(waits), self.components) if waits else pl.DataFrame()
        if block.live is not None and len(found):
            dead = np.flatnonzero(~block.live)
            found = found.filter(~pl.col("trade_row").is_in(dead))
        self.noted(block, found)

    def _by_prefix(self, number: int, seen: _Windows) -> None:
        """Rate a component that changes the past: lines.by_prefix, block by block."""
        rate = TradePass(self.given.book, [number])
        for tier in sorted({one for one, _ in seen.last}):
            before: pl.DataFrame | None = None
            for window in sorted(booked for one, booked in seen.last if one == tier):
                everything, earlier = (LineSums(self.given, [number]) for _ in range(2))
                passes, span = Passes(), seen.span(tier, window)
                self._look_ahead(rate, span, passes)
                for block in self.blocks(span):
                    lines, waits = rate.rate(block.given, passes=passes)
                    now = seen.booked_in(lines["moment_ms"].to_numpy(), window)
                    self._keep(block, lines.filter(now))
                    everything.add(lines)
                    earlier.add(lines.filter(~now))
                    self._note(block, [waits])
                    del block, lines, waits
                last = seen.last[tier, window]
                changed = change(earlier.lines(), before, last)
                self.live.add(held_for_kyc(self.given, changed, self.known))
                before = everything.lines()


class _Windows:
    """The windows of a component that changes the past: (tier's, booked) with the last close."""

    def __init__(self, given: Given, component: Component) -> None:
        assert component.tier is not None
        self._clock = given.clock
        self._tier: Unit = component.tier.window  # type: ignore[assignment]
        self._booked = reach(component).booked
        self.last: dict[tuple[int, int], int] = {}

    def add(self, close_ms: Longs) -> None:
        """Take in when trades closed."""
        pair = np.stack([numbers(close_ms, self._tier, self._clock),
                         numbers(close_ms, self._booked, self._clock)])  # fmt: skip
        used, place = np.unique(pair, axis=1, return_inverse=True)
        last = np.full(used.shape[1], -1, np.int64)
        np.maximum.at(last, place.ravel(), close_ms)
        for tier, booked, moment in zip(*used.tolist(), last.tolist(), strict=True):
            self.last[tier, booked] = max(self.last.get((tier, booked), -1), moment)

    def span(self, tier: int, booked: int) -> Span:
        """Return the span of a tier's window up to the end of a booked one."""
        starts, ends = bounds(np.array([tier]), self._tier, self._clock)
        _, until = bounds(np.array([booked]), self._booked, self._clock)
        return Span(int(starts[0]), min(int(ends[0]), int(until[0])))

    def booked_in(self, moment_ms: Longs, window: int) -> pl.Series:
        """Tell which moments lie in a booked window."""
        return pl.Series(numbers(moment_ms, self._booked, self._clock) == window)


__all__ = ["Block", "Blocks", "Noted", "Summed", "settle_blocks"]
