"""Rate trades: from columns of attributed trades to lines, and to what waits for something.

`rate_trades` is the whole of it; `pipshare.rating.placed` brings frames of settled trades and their
attribution into its shape.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.period import Clock
from pipshare.period import Millis as Longs
from pipshare.plans.book import Book
from pipshare.rating.block import FxColumns
from pipshare.rating.carried import Passes, tiered
from pipshare.rating.columns import TradeColumns as TradeColumns
from pipshare.rating.compile import Tables, columns_of, compile_tables
from pipshare.rating.guard import guarded
from pipshare.rating.kernel import KernelInput, rate_columns
from pipshare.rating.known import Places
from pipshare.rating.parts import Only, Parts, barred, parts_of
from pipshare.rating.payees import Payees
from pipshare.rating.places import GroupPlace, SymbolPlace
from pipshare.rating.rated import WAITS, Lines, Rated, sort_out, sort_out_wide
from pipshare.rating.running import History, Running
from pipshare.rating.wide import WideInput, measure_wide, rate_wide

Int32s = npt.NDArray[np.int32]
_ALWAYS = 2**41  # held for as long as any plan asks
_LOT = 10**8


def rate_trades(
    trades: TradeColumns,
    symbols: Sequence[SymbolPlace],
    groups: Sequence[GroupPlace],
    chains: Sequence[tuple[int, ...]],
    *,
    book: Book,
    payees: Payees,
    fx: FxColumns,
    only: Only = "immediate",
    components: Collection[int] | None = None,
    clock: Clock | None = None,
    history: History | None = None,
    passes: Passes | None = None,
) -> Rated:
    """Rate introduced trades. `chains` hold partner ids, the direct IB first.

    Pure; order and batch size do not matter to components that do not build up (`only`
    immediate). Those that do are rated by `clock`, the broker's own time, from all trades of their
    windows; `history` tells what earlier windows came to. `components`: only those with these ids.
    `passes`: these trades are one block of all, which come in canonical order; it is changed.
    Margin guards look at what whole trades earn at once: only where `only` is immediate.
    Raises Missing for a partner of a chain who is not among the payees; everything that is merely
    missing makes a line wait.
    """
    if not len(trades.lots_e8):
        return nothing_rated()
    clock = clock or Clock("UTC", 0)
    rated = _rated(trades, symbols, groups, chains, book, payees, fx, only, components, clock,
                   history, passes)  # fmt: skip
    if only != "immediate" or components is not None or trades.value_e8 is not None:
        return rated
    return guarded(rated, trades, symbols, groups, chains, book=book, fx=fx)


def _rated(
    trades: TradeColumns,
    symbols: Sequence[SymbolPlace],
    groups: Sequence[GroupPlace],
    chains: Sequence[tuple[int, ...]],
    book: Book,
    payees: Payees,
    fx: FxColumns,
    only: Only,
    components: Collection[int] | None,
    clock: Clock,
    history: History | None,
    passes: Passes | None,
) -> Rated:
    """Rate by the short way where every part is lots x rate, by the wide way else."""
    parts = parts_of(book, only, components, trades.value_e8 is not None)
    runs = parts.ordered
    if runs:
        trades = _in_order(trades)
    rules, _ = columns_of(book)
    if rules.have_countries:
        groups, group = _by_country(groups, trades)
    else:
        group = trades.group
    chains, chain = _narrowed(chains, trades.chain)
    used = np.bincount(chain, minlength=len(chains)) > 0
    span = int(trades.close_utc_ms.min()), int(trades.close_utc_ms.max())
    plain = not runs and parts.plain and trades.value_e8 is None
    money = () if plain else _currencies(symbols, groups, trades, parts)
    tables = compile_tables(book, payees, symbols, groups, chains, used, span, parts, money)
    place = group.astype(np.int64) * len(symbols) + trades.symbol
    given = _input(trades, tables, place, chain, fx)
    if plain:
        out = rate_columns(replace(given, barred=barred(trades)))
        return sort_out(out, trades.trade_row, tables.currencies, symbols, groups, place)
    wide = WideInput(
        replace(given, tables=replace(tables, flags=replace(tables.flags, only_currency=-1))),
        replace(trades, group=group.astype(np.int32)),
        Places(symbols, groups, tables.currencies),
        clock,
    )
    measured = None
    if runs:
        if parts.tiered:
            measured = _measuring(parts, trades, clock, history, passes)
            measure_wide(replace(wide, running=measured))
            measured.close()
        if passes is not None and passes.looking_ahead:
            return nothing_rated()
        carried = None if passes is None else passes.rating
        wide = replace(wide, running=Running(trades, clock, history, measured, carried=carried))
    found = rate_wide(wide)
    rated = sort_out_wide(found, trades.trade_row, tables.currencies, symbols, groups, place)
    if measured is None or passes is not None:
        return rated
    return replace(rated, measures=measured.frame())


def _measuring(
    parts: Parts, trades: TradeColumns, clock: Clock, history: History | None,
    passes: Passes | None,
) -> Running:  # fmt: skip
    """Return the pass that measures: all trades of a run at once, or those of one block."""
    if passes is None:
        return Running(trades, clock, history)
    if passes.looking_ahead:
        return Running(trades, clock, carried=passes.ahead, only=tiered(parts, ahead=True))
    return Running(trades, clock, history, carried=passes.measuring,
                   only=tiered(parts, ahead=False), ahead=passes.ahead.tallies)  # fmt: skip


def _input(
    trades: TradeColumns, tables: Tables, place: Longs, chain: Int32s, fx: FxColumns
) -> KernelInput:
    # A pseudo trade meets every condition of time and volume: it was given its value.
    lots = None if trades.value_e8 is None else np.full(len(trades), _LOT)
    return KernelInput(
        lots_e8=trades.lots_e8 if lots is None else lots,
        hold_ms=trades.hold_ms if lots is None else np.full(len(trades), _ALWAYS),
        close_utc_ms=trades.close_utc_ms,
        client=trades.client,
        place=place,
        deal=tables.stretches.of(chain, trades.close_utc_ms),
        cancelled=trades.cancelled,
        tables=tables,
        fx=fx,
        own=trades.own,
    )


def _in_order(trades: TradeColumns) -> TradeColumns:
    """Put trades in the canonical order: close, server, ticket."""
    row = trades.trade_row
    if row is None:
        trades = replace(trades, trade_row=np.arange(len(trades)))
    keys = [trades.ticket, trades.server, trades.close_utc_ms]
    order = np.lexsort([key for key in keys if key is not None])
    return trades if bool((np.diff(order) == 1).all()) else trades.taken(order)


def _by_country(
    groups: Sequence[GroupPlace], trades: TradeColumns
) -> tuple[list[GroupPlace], Int32s]:
    """Part groups by the countries of their clients: rates may be for a country."""
    place = trades.country
    if place is None:
        place = np.full(len(trades), -1, np.int32)
    lands = (*trades.countries, "")
    place = np.where(place < 0, len(lands) - 1, place)
    pairs = trades.group.astype(np.int64) * len(lands) + place
    used, code = np.unique(pairs, return_inverse=True)
    parted = [
        replace(groups[n // len(lands)], country=lands[n % len(lands)]) for n in used.tolist()
    ]
    return parted, code.astype(np.int32)


def _currencies(
    symbols: Sequence[SymbolPlace],
    groups: Sequence[GroupPlace],
    trades: TradeColumns,
    parts: Parts,
) -> list[str]:
    """Return every currency that values, caps and tiers of a run may have."""
    names = [symbol.currency for symbol in symbols] + [group.currency for group in groups]
    return [*names, *trades.account_currencies, *parts.currencies]


def _narrowed(
    chains: Sequence[tuple[int, ...]], chain: Int32s
) -> tuple[Sequence[tuple[int, ...]], Int32s]:
    """Leave out the chains that a few trades do not have: thousands may be known."""
    if len(chains) <= len(chain):
        return chains, chain
    used, rank = np.unique(chain, return_inverse=True)
    return [chains[place] for place in used.tolist()], rank.astype(np.int32)


def nothing_rated() -> Rated:
    """Return the result of rating no trade at all."""
    none, none32 = np.zeros(0, np.int64), np.zeros(0, np.int32)
    none16 = np.zeros(0, np.int16)
    lines = Lines(none, none32, none16, none32, none32, none16, none, none32, none, none32,
                  none32, np.zeros(0, np.bool_))  # fmt: skip
    return Rated(lines, (), pl.DataFrame(schema=WAITS))
