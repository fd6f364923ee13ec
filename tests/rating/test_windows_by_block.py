"""Windows settled block by block come to what they come to as a whole, however blocks are cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_periods_properties import FAMILIES, world_of
from window_worlds import Placed

from pipshare.period import FOREVER_MS, Span
from pipshare.rating.places import GroupPlace
from pipshare.rating.windows.by_block import Block, settle_blocks
from pipshare.rating.windows.client_trades import trades_moments
from pipshare.rating.windows.given import Given, MomentsOf
from pipshare.rating.windows.settle import building, settle_window, targets_of

SEEDS = st.integers(0, 2**63)
EVER = Span(0, FOREVER_MS)


class Cut:
    """The trades of a given in blocks of random sizes; what waits, by the trades' own places."""

    def __init__(self, whole: Given, rnd: Random, dead: frozenset[int] = frozenset()) -> None:
        self.whole, self.rnd, self.dead = whole, rnd, dead
        trades = whole.placed.trades
        named = replace(trades, trade_row=np.arange(len(trades)))
        assert trades.ticket is not None
        self.trades = named.taken(np.lexsort([trades.ticket, trades.close_utc_ms]))
        self.waits: list[pl.DataFrame] = []

    def __call__(self, span: Span) -> Iterator[Block]:
        close = self.trades.close_utc_ms
        rows = np.flatnonzero((close >= span.start) & (close < span.end)).tolist()
        most = self.rnd.choice((1, 3, 10))
        while rows:
            count = self.rnd.randint(1, most)
            yield self._block(self.rnd.sample(rows[:count], len(rows[:count])))
            rows = rows[count:]

    def _block(self, rows: list[int]) -> Block:
        """Return a block whose lists are its own: of other order, and only what it needs."""
        placed, trades = self.whole.placed, self.trades.taken(np.array(rows))
        chains, chain = self._own(trades.chain, placed.chains)
        groups, group = self._own(trades.group, placed.groups)
        symbols, symbol = self._own(trades.symbol, placed.symbols)
        live = np.array([one not in self.dead for one in trades.trade_row.tolist()])  # type: ignore[union-attr]
        some = Placed(
            replace(trades, trade_row=None, chain=chain, group=group, symbol=symbol),
            symbols, groups, chains,
        )  # fmt: skip
        self.names = trades.trade_row
        return Block(replace(self.whole, placed=some), live if self.dead else None)

    def _own(self, places: Any, names: Any) -> tuple[tuple[Any, ...], Any]:
        """Return the names that are used, in another order, and the places in them."""
        used = sorted(set(places.tolist()))
        self.rnd.shuffle(used)
        place = {old: new for new, old in enumerate(used)}
        return (tuple(names[old] for old in used),
                np.array([place[one] for one in places.tolist()], np.int32))  # fmt: skip

    def noted(self, block: Block, waits: pl.DataFrame) -> None:
        if len(waits):
            assert self.names is not None
            place = self.names[waits["trade_row"].to_numpy()]
            self.waits.append(waits.with_columns(trade_row=pl.Series(place)))


def _by_block(
    whole: Given, rnd: Random, wanted: set[int], dead: frozenset[int], *, each: bool = False
) -> tuple[pl.DataFrame, pl.DataFrame]:
    cut = Cut(whole, rnd, dead)
    none = whole.placed.trades.taken(np.zeros(0, np.int64))
    empty = Placed(none, (), (), tuple(whole.placed.chains))
    asked = replace(whole, placed=empty, moments=_moments(whole))
    found = settle_blocks(asked, cut, EVER, cut.noted, components=wanted, each=each)
    return found.lines, pl.concat([found.waits, *cut.waits]).unique()


def _moments(whole: Given) -> MomentsOf:
    return lambda part, asked, currency: trades_moments(whole, part, asked, currency)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_blocks_come_to_what_the_whole_does(seed: int) -> None:
    _equal(Random(seed))


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_in_blocks(family: str) -> None:
    for seed in range(8):
        _equal(Random(seed), family)


def _equal(rnd: Random, *families: str) -> None:
    world = world_of(rnd, *families)
    whole = _varied(rnd, world.given())
    every = building(whole.book)
    wanted = every if rnd.random() < 0.5 else {rnd.choice(sorted(every))}
    count = len(whole.placed.trades)
    dead = frozenset(rnd.sample(range(count), rnd.choice((0, 0, count // 3))))
    told = settle_window(whole, components=wanted)
    rows = pl.col("trade_row").is_in(list(dead))
    lines, waits = told.lines.filter(~rows), told.waits.filter(~rows)
    each = rnd.random() < 0.2
    found, waiting = _by_block(whole, rnd, wanted, dead, each=each)
    assert _targets(whole, found) == _targets(whole, lines)
    assert _last(found) == _last(lines)
    # What no trade waits for is named by nothing but the trades that the whole finds beside it.
    columns = [name for name in waits.columns if name != "trade_row"]
    assert set(waiting[columns].rows()) == set(waits[columns].rows())
    own = pl.col("event") == ""
    assert set(waiting.filter(own).rows()) == set(waits.filter(own).rows())


def _varied(rnd: Random, whole: Given) -> Given:
    """Return the world with trades of several symbols and of groups whose lots count less."""
    placed = whole.placed
    count = len(placed.trades)
    groups = tuple(
        GroupPlace(f"real\\{name}", "standard", factor, "USD")
        for name, factor in (("a", Fraction(1)), ("b", Fraction(1, 3)), ("c", Fraction(3, 100)))
    )
    symbols = tuple(replace(placed.symbols[0], name=name) for name in ("EURUSD", "GBPUSD"))
    trades = replace(
        placed.trades,
        group=np.array([rnd.choice((0, 0, 1, 2)) for _ in range(count)], np.int32),
        symbol=np.array([rnd.randrange(2) for _ in range(count)], np.int32),
    )
    return replace(whole, placed=Placed(trades, symbols, groups, placed.chains))


def _targets(whole: Given, lines: pl.DataFrame) -> list[tuple[object, ...]]:
    return targets_of(whole.book, lines).drop("trades").rows()


def _last(lines: pl.DataFrame) -> set[tuple[object, ...]]:
    """Return the reasons that stand, zeros too, and the last moment of each."""
    by = ["component_id", "partner_id", "level", "wallet", "reason", "held_by", "window_start_ms"]
    return set(lines.group_by(by).agg(pl.col("moment_ms").max()).rows())
