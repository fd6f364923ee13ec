"""The margin guard: what the chain is paid for a trade, against what the broker earns by it.

Works on what rating gave out, trade by trade, for versions that have a guard. Revenue and lines are
brought into the currency of the trade's first paid line, each quantised once; what builds up over a
window is not a trade's and is not looked at. Beyond the limit the guard notes it, cuts the lines in
proportion, or lets them wait. Where the revenue cannot be told, cap and block let the lines wait
for what is missing: nothing that is missing is taken as zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.money.amounts import MAX_E8
from pipshare.period import Millis as Longs
from pipshare.plans.book import Book, Version
from pipshare.plans.periods import Guard
from pipshare.rating.bases import BASES
from pipshare.rating.block import FxColumns
from pipshare.rating.columns import TradeColumns
from pipshare.rating.deciding import deciding
from pipshare.rating.exact import rounded, scaled
from pipshare.rating.exchange import Exchange
from pipshare.rating.guard_parts import REVENUE, cut, totals
from pipshare.rating.known import Known, Places
from pipshare.rating.parts import building_ids
from pipshare.rating.places import GroupPlace, SymbolPlace
from pipshare.rating.rated import GUARDED, WAITS, Lines, Rated
from pipshare.rating.reasons import Reason, Wait
from pipshare.rating.values import Values
from pipshare.rating.weigh import weighed

Bools = npt.NDArray[np.bool_]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
_UNIT = Fraction(1, 10**8)


def has_guards(book: Book) -> bool:
    """Tell whether any version of the book has a guard."""
    return any(version.programme.guard is not None for version in book.versions)


def guarded(
    rated: Rated,
    trades: TradeColumns,
    symbols: Sequence[SymbolPlace],
    groups: Sequence[GroupPlace],
    chains: Sequence[tuple[int, ...]],
    *,
    book: Book,
    fx: FxColumns,
) -> Rated:
    """Return what rating gave out as the guards of the book leave it, with GUARDED beside it."""
    lines = rated.lines
    if not has_guards(book) or not len(lines):
        return rated
    more = [*trades.account_currencies, *(one.currency for one in symbols),
            *(one.currency for one in groups)]  # fmt: skip
    known = {*rated.currencies, ""}
    names = [*rated.currencies, *(one for one in dict.fromkeys(more) if one not in known)]
    place = _places(lines.trade_row, trades)
    version = deciding(book, chains, trades.chain, trades.close_utc_ms)
    building = np.array(sorted(building_ids(book)), np.int64)
    counts = (lines.reason == Reason.PAID) & ~np.isin(lines.component_id, building)
    counts &= (lines.orig_e8 != 0) | (lines.amount_e8 != 0)  # what pays nothing needs no revenue
    run = _Run(
        rated, trades, Places(symbols, groups, names), Exchange(fx, trades.own, tuple(names))
    )
    for number in np.unique(version[version >= 0]).tolist():
        held = book.versions[number]
        if held.programme.guard is not None:
            at = np.flatnonzero(counts & (version[place] == number))
            if len(at):
                run.guard(held, held.programme.guard, at, place[at])
    return run.result()


def _places(trade_row: Longs, trades: TradeColumns) -> Longs:
    """Return the place among the trades of each line's trade."""
    names = trades.trade_row
    if names is None:
        return trade_row
    order = np.argsort(names, kind="stable")
    return np.asarray(order[np.searchsorted(names[order], trade_row)], np.int64)


@dataclass(frozen=True)
class _Looked:
    """Trades that a guard looks at: parallel columns by trade, and by line which trade it is of.

    `first` are the trades' first lines, `unclear` a Wait where something is missing, `key` its key.
    """

    number: Longs
    known: Known
    currency: Int32s
    revenue: Longs
    allowed: Longs
    total: Longs
    line_e8: Longs
    unclear: Int16s
    pair: list[str]


class _Run:
    """The lines of one run, as the guards of several versions change them."""

    def __init__(
        self, rated: Rated, trades: TradeColumns, places: Places, exchange: Exchange
    ) -> None:
        self.rated, self.trades, self.places, self.exchange = rated, trades, places, exchange
        lines = rated.lines
        self.columns = {
            name: getattr(lines, name).copy()
            for name in ("reason", "orig_e8", "amount_e8", "rate_id", "fx_id", "currency")
        }
        self.capped = np.zeros(len(lines), np.bool_) if lines.capped is None else \
            lines.capped.copy()  # fmt: skip
        self.waits: list[pl.DataFrame] = []
        self.noted: list[pl.DataFrame] = []
        self.gone = np.zeros(len(lines), np.bool_)

    def guard(self, version: Version, guard: Guard, at: Longs, place: Longs) -> None:
        """Look at the paid lines `at` of the trades at `place`, which a version decides."""
        looked = self._look(guard, at, place)
        over = (looked.unclear == 0) & (looked.total > looked.allowed)
        lost = looked.unclear != 0
        if guard.action != "warn":
            self._wait(at, looked, lost)
        if guard.action == "block":
            self._wait(at, looked, over)
        elif guard.action == "cap":
            self._cut(version, at, looked, over)
        self._note(version, guard, looked, over | lost)

    def _look(self, guard: Guard, at: Longs, place: Longs) -> _Looked:
        rows, first, number = np.unique(place, return_index=True, return_inverse=True)
        known = Known(self.trades.taken(rows), self.places, self.exchange, rows)
        currency = self.columns["currency"][at[first]].astype(np.int32)
        unclear, pair = np.zeros(len(rows), np.int16), [""] * len(rows)
        revenue = np.zeros(len(rows), np.int64)
        for name in guard.of:
            values = BASES[REVENUE[name].basis](REVENUE[name], known)
            revenue += weighed(values, currency, known, unclear, pair)
        orig, base = self.columns["orig_e8"][at], self.columns["currency"][at]
        own = Values(orig, _UNIT, base.astype(np.int32), np.zeros(len(at), np.int16))
        of_lines = Known(known.trades.taken(number), self.places, self.exchange, rows[number])
        missing, pairs = np.zeros(len(at), np.int16), [""] * len(at)
        line_e8 = weighed(own, currency[number], of_lines, missing, pairs)
        for line in np.flatnonzero(missing).tolist():
            trade = int(number[line])
            if not unclear[trade]:
                unclear[trade], pair[trade] = missing[line], pairs[line]
        top, bottom = guard.limit.numerator, guard.limit.denominator
        ones = np.ones(len(rows), np.int64)
        allowed, large = scaled(np.maximum(revenue, 0), ones * top, ones * bottom)
        if large is not None:
            allowed[large] = MAX_E8
        total = totals(line_e8, number, len(rows))
        return _Looked(number, known, currency, revenue, allowed, total, line_e8, unclear, pair)

    def _wait(self, at: Longs, looked: _Looked, which: Bools) -> None:
        """Let the paid lines of these trades wait."""
        mine = np.flatnonzero(which[looked.number])
        if not len(mine):
            return
        lines, number = at[mine], looked.number[mine]
        why = np.where(looked.unclear == 0, Wait.BLOCKED, looked.unclear)[number]
        self.gone[lines] = True
        held = self.rated.lines
        self.waits.append(pl.DataFrame({
            "trade_row": held.trade_row[lines], "component_id": held.component_id[lines],
            "level": held.level[lines], "partner_id": held.partner_id[lines],
            "reason": [Wait(one).word for one in why.tolist()],
            "key": [looked.pair[one] for one in number.tolist()],
        }).cast(pl.Schema(WAITS)))  # fmt: skip

    def _cut(self, version: Version, at: Longs, looked: _Looked, over: Bools) -> None:
        """Cut the lines above zero so that a trade's lines sum to its limit."""
        mine = np.flatnonzero(over[looked.number] & (looked.line_e8 > 0))
        if not len(mine):
            return
        number, was = looked.number[mine], looked.line_e8[mine]
        below = np.flatnonzero(looked.line_e8 < 0)
        target = looked.allowed - totals(looked.line_e8[below], looked.number[below],
                                         len(looked.allowed))  # fmt: skip
        now = cut(was, number, target)
        lines, columns = at[mine], self.columns
        orig = now.copy()
        other = np.flatnonzero(columns["currency"][lines] != looked.currency[number])
        orig[other], _ = scaled(columns["orig_e8"][lines[other]], now[other], was[other])
        changed = np.flatnonzero(orig != columns["orig_e8"][lines])
        lines, number = lines[changed], number[changed]
        columns["orig_e8"][lines] = orig[changed]
        self.capped[lines] = True
        self._into_wallets(version, lines, looked.known, number)
        empty = lines[columns["orig_e8"][lines] == 0]
        columns["reason"][empty] = Reason.OVER_REVENUE
        columns["rate_id"][empty] = columns["fx_id"][empty] = columns["amount_e8"][empty] = 0
        columns["currency"][empty] = self.rated.lines.wallet[empty]

    def _into_wallets(self, version: Version, lines: Longs, known: Known, trade: Longs) -> None:
        """Convert what cut lines still have into the payees' wallets, as their component does."""
        columns, held = self.columns, self.rated.lines
        for part, number in zip(version.programme.components, version.component_ids, strict=True):
            spots = np.flatnonzero(held.component_id[lines] == number)
            mine, rows = lines[spots], trade[spots]
            base, quote = columns["currency"][mine], held.wallet[mine]
            top, bottom, _, found = self.exchange.find(
                base, quote, known.trades.close_utc_ms[rows], known.row[rows], part.wallet_fx
            )
            assert found.all(), "it was found when the line was rated"
            how = part.rounding
            columns["amount_e8"][mine], _ = rounded(
                columns["orig_e8"][mine], top, bottom, how.wallet, how.how
            )

    def _note(self, version: Version, guard: Guard, looked: _Looked, which: Bools) -> None:
        rows = np.flatnonzero(which)
        names = self.trades.trade_row
        place = looked.known.row[rows]
        lost = looked.unclear[rows] != 0
        self.noted.append(pl.DataFrame({
            "trade_row": place if names is None else names[place],
            "version_id": np.full(len(rows), version.id),
            "programme": [version.programme.code] * len(rows),
            "action": np.where(lost, "unclear", guard.action),
            "currency": [self.places.names[code] for code in looked.currency[rows].tolist()],
            "revenue_e8": looked.revenue[rows], "limit_e8": looked.allowed[rows],
            "paid_e8": looked.total[rows],
        }).cast(pl.Schema(GUARDED)))  # fmt: skip

    def result(self) -> Rated:
        """Return everything as the guards leave it."""
        lines, kept = self.rated.lines, ~self.gone
        capped = self.capped if self.capped.any() else None
        columns: dict[str, Any] = {**vars(lines), **self.columns, "capped": capped}
        if not kept.all():
            columns = {name: None if c is None else c[kept] for name, c in columns.items()}
        changed = Lines(**columns)
        waits = self.rated.waits
        if self.waits:
            by = ["trade_row", "component_id", "level"]
            waits = pl.concat([waits, *self.waits]).sort(by, maintain_order=True)
        found = pl.concat(self.noted) if self.noted else pl.DataFrame(schema=GUARDED)
        return replace(self.rated, lines=changed, waits=waits, guarded=found)
