"""One pass of the kernel over the rows of a window: trades, or pseudo trades of one component."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from pipshare.period import Millis as Longs
from pipshare.plans.book import Book
from pipshare.plans.conditions import Conditions
from pipshare.plans.terms import Component, Programme
from pipshare.rating.carried import Passes, looks_ahead
from pipshare.rating.parts import by_trade
from pipshare.rating.windows.given import Given
from pipshare.rating.windows.lines import by_prefix, lines_of, no_lines, no_waits, rated, waits_of
from pipshare.rating.windows.narrow import Keep, all_parts, narrowed, with_needed
from pipshare.rating.windows.pseudo import PseudoRows, as_trades
from pipshare.rating.windows.reach import reach

# Windows of a tier that go on when a booked window is over.
_LONG = {
    "day": ("week", "month", "quarter", "year", "life"),
    "week": ("month", "quarter", "year", "life"),
    "month": ("week", "quarter", "year", "life"),
    "quarter": ("week", "year", "life"),
}
Found = tuple[pl.DataFrame, pl.DataFrame]


def trade_pass(given: Given, wanted: Collection[int]) -> Found:
    """Return LINES and WAITS of the wanted components that pay trade by trade."""
    told, slow = paid_by_trade(given.book, wanted)
    found = []
    if told.keys() - slow:
        found.append(TradePass(given.book, told.keys() - slow).rate(given))
    found += [_trades_by_prefix(given, number, told[number]) for number in sorted(slow)]
    return stacked(found)


def paid_by_trade(book: Book, wanted: Collection[int]) -> tuple[dict[int, Component], set[int]]:
    """Return the wanted components that pay trade by trade, and which change the past."""
    told = {part.component_id: part.component for part in all_parts(book)
            if part.component_id in wanted and by_trade(part.component)}  # fmt: skip
    return told, {number for number, component in told.items() if changes_the_past(component)}


def stacked(found: list[Found]) -> Found:
    """Return several passes as one."""
    lines = pl.concat([no_lines(), *(one[0] for one in found)])
    return lines, pl.concat([no_waits(), *(one[1] for one in found)])


def changes_the_past(component: Component) -> bool:
    """Tell whether reaching a band changes lines of windows that are booked already."""
    tier = component.tier
    return (
        tier is not None
        and tier.method == "retroactive"
        and tier.applies == "current"
        and tier.promotion == "free"
        and not tier.grace
        and tier.window in _LONG.get(reach(component).booked, ())
    )


class TradePass:
    """Rates trades with some components, as often as it is asked to."""

    def __init__(self, book: Book, wanted: Collection[int]) -> None:
        self.wanted = list(wanted)
        self.book = narrowed(book, of_ids(book, wanted))

    @property
    def looks_ahead(self) -> bool:
        """Tell whether a tier's band goes by the whole window."""
        tiers = (part.component.tier for part in all_parts(self.book))
        return any(tier is not None and looks_ahead(tier) for tier in tiers)

    def rate(
        self, given: Given, rows: Longs | None = None, passes: Passes | None = None
    ) -> Found:  # fmt: skip
        """Return LINES and WAITS of the given trades, or of some of them.

        `passes`: they are one block of all.
        """
        placed = given.placed
        trades = placed.trades if rows is None else placed.trades.taken(rows)
        # Rows are named by their places; what the trades are called is put in at the end.
        names = np.arange(len(placed.trades), dtype=np.int64) if rows is None else rows
        found = rated(given, replace(trades, trade_row=None), placed.symbols, placed.groups,
                      placed.chains, self.book, passes)  # fmt: skip
        lines, waits = lines_of(found, trades, names), waits_of(found, trades, names)
        return lines.filter(pl.col("component_id").is_in(self.wanted)), waits


def _trades_by_prefix(given: Given, number: int, component: Component) -> Found:
    waits: list[pl.DataFrame] = []
    trades = TradePass(given.book, [number])

    def rate(rows: Longs) -> pl.DataFrame:
        lines, waiting = trades.rate(given, rows)
        waits.append(waiting)
        return lines

    assert component.tier is not None
    lines = by_prefix(rate, given.placed.trades.close_utc_ms, component.tier.window,  # type: ignore[arg-type]
                      reach(component).booked, given.clock)  # fmt: skip
    return lines, pl.concat([no_waits(), *waits]).unique(maintain_order=True)


def needed_ids(book: Book, wanted: Collection[int]) -> set[int]:
    """Return the ids of these components and of what their rates take shares of."""
    needed: set[int] = set()
    for version in book.versions:
        ids = dict(zip((one.code for one in version.programme.components), version.component_ids,
                       strict=True))  # fmt: skip
        codes = [code for code, number in ids.items() if number in wanted]
        needed |= {ids[code] for code in with_needed(version.programme, codes)}
    return needed


def of_ids(book: Book, wanted: Collection[int]) -> Keep:
    """Keep the components with these ids and what their rates take shares of."""
    needed = needed_ids(book, wanted)

    def keep(programme: Programme, component: Component, number: int) -> Component | None:
        return replace(component, advance=None) if number in needed else None

    return keep


def bare(component: Component) -> Component:
    """Return a component as pseudo rows are rated by it: conditions held trade by trade."""
    return replace(component, advance=None, min_hold_s=None,
                   conditions=Conditions(excluded_reasons=()))  # fmt: skip


def pseudo_pass(
    given: Given, rows: PseudoRows, keep: Keep, number: int,
    chains: Sequence[tuple[int, ...]] | None = None,
) -> Found:  # fmt: skip
    """Rate pseudo rows with the components that are kept; `trade_row` is the place of the row."""
    if not len(rows):
        return no_lines(), no_waits()
    trades, symbols, groups = as_trades(rows)
    known = given.placed.chains if chains is None else chains
    found = rated(given, trades, symbols, groups, known, narrowed(given.book, keep))
    names = np.arange(len(rows), dtype=np.int64)
    lines, waits = lines_of(found, trades, names), waits_of(found, trades, names)
    mine = pl.col("component_id").is_in([number, 0])
    return lines.filter(mine), waits.filter(mine)
