"""What is known of the trades of a block, with what their symbols and groups say, as columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm

import numpy as np
import numpy.typing as npt

from pipshare.money.currencies import CENT_CURRENCIES
from pipshare.period import Millis as Longs
from pipshare.rating.columns import DEAL, TradeColumns
from pipshare.rating.exchange import Exchange
from pipshare.rating.places import Dated, GroupPlace, SymbolPlace
from pipshare.rating.values import Scaled

Bools = npt.NDArray[np.bool_]
Int8s = npt.NDArray[np.int8]
Int32s = npt.NDArray[np.int32]
_E8 = 10**8


class Places:
    """The symbols and groups of a run as columns by place; currencies as codes of the run's."""

    def __init__(
        self, symbols: Sequence[SymbolPlace], groups: Sequence[GroupPlace], names: Sequence[str]
    ) -> None:
        self.symbols, self.groups = symbols, groups
        code = {name: number for number, name in enumerate(names)}
        self.names = tuple(names)
        self.profit = np.array([code.get(s.currency, -1) if s.currency else -1 for s in symbols],
                               np.int32)  # fmt: skip
        self.group_currency = np.array(
            [code.get(g.currency, -1) if g.currency else -1 for g in groups], np.int32
        )
        self.digits = np.array([s.digits for s in symbols], np.int64)
        self.contract_e8 = np.array([s.contract_e8 for s in symbols], np.int64)
        self.pip_points = np.array([s.pip_points for s in symbols], np.int64)
        self.futures = np.array([s.calc == "futures" for s in symbols], np.bool_)
        self.cents = np.array([*(n in CENT_CURRENCIES for n in names), False], np.bool_)
        keys: dict[str, int] = {}
        self.symbol_keys = np.array(
            [keys.setdefault(s.name.casefold(), len(keys)) for s in symbols], np.int64
        )
        self._code = code

    def codes(self, currencies: Sequence[str]) -> Int32s:
        """Return the codes of currencies, with one more row for "unknown" (-1) at the end."""
        return np.array([*(self._code.get(name, -1) for name in currencies), -1], np.int32)

    @cached_property
    def ticks(self) -> tuple[Longs, int]:
        """Return tick value / tick size of the futures, in 1e-8, over one denominator; 0 = none."""
        ratios = [
            Fraction(s.tick_value_e8 * _E8, s.tick_size_e8)
            if s.calc == "futures" and s.tick_size_e8 > 0 and s.tick_value_e8 > 0
            else Fraction(0)
            for s in self.symbols
        ]
        common = lcm(*(r.denominator for r in ratios), 1)
        return np.array([int(r * common) for r in ratios], np.int64), common


@dataclass(frozen=True)
class Known:
    """Trades with their places; `row` are their rows in the run, for the trades' own rates."""

    trades: TradeColumns
    places: Places
    exchange: Exchange
    row: Longs

    def __len__(self) -> int:
        return len(self.trades.lots_e8)

    def of_symbol(self, column: npt.NDArray[np.int64]) -> Longs:
        """Return a column by symbol for each trade."""
        return column[self.trades.symbol]

    @property
    def symbol_key(self) -> Longs:
        """A number per symbol name: names compare without regard to case."""
        return self.of_symbol(self.places.symbol_keys)

    @cached_property
    def digits(self) -> Longs:
        return self.of_symbol(self.places.digits)

    @cached_property
    def contract_e8(self) -> Longs:
        """The deal's own contract size, else the symbol's; 0 = unknown."""
        usual = self.of_symbol(self.places.contract_e8)
        own = self.trades.contract_e8
        return usual if own is None else np.where(own > 0, own, usual)

    @cached_property
    def profit_currency(self) -> Int32s:
        return self.places.profit[self.trades.symbol]

    @cached_property
    def account_currency(self) -> Int32s:
        """The account's currency; the group's, else the profit currency where it is unknown."""
        usual = self.places.group_currency[self.trades.group]
        usual = np.where(usual < 0, self.profit_currency, usual)
        own = self.trades.currency
        if own is None:
            return usual.astype(np.int32)
        code = self.places.codes(self.trades.account_currencies)[own]
        return np.where(code < 0, usual, code).astype(np.int32)

    @property
    def cents(self) -> Scaled:
        """1 for an account in a usual currency, a hundredth for one in cents."""
        cent = self.places.cents[self.account_currency]
        if not cent.any():
            return Scaled(np.ones(len(self), np.int64))
        return Scaled(np.where(cent, 1, 100), Fraction(1, 100))

    @property
    def lots(self) -> Scaled:
        return Scaled(self.trades.lots_e8, Fraction(1, _E8))

    @cached_property
    def point(self) -> tuple[Scaled, Bools]:
        """The money of one point of one lot, in the profit currency; and where that is known."""
        places, digits = self.places, self.digits
        deep = int(max(places.digits.max(initial=0), 0))
        lift = self.of_symbol(10 ** (deep - np.clip(places.digits, 0, deep)))
        futures = places.futures[self.trades.symbol]
        unit = Fraction(1, _E8 * 10**deep)
        if not futures.any():
            return Scaled(self._lifted(self.contract_e8, lift), unit), self._pointed(
                self.contract_e8, digits
            )
        ticks, common = places.ticks
        value = np.where(futures, ticks[self.trades.symbol], self.contract_e8 * common)
        return Scaled(self._lifted(value, lift), unit / common), self._pointed(value, digits)

    def _lifted(self, value: Longs, lift: Longs) -> Longs:
        small = Scaled(value).strip()
        assert small.unit.denominator == 1
        lifted: Longs = small.num * lift * small.unit.numerator
        return lifted

    def _pointed(self, value: Longs, digits: Longs) -> Bools:
        known: Bools = (value > 0) & (digits >= 0)
        return known

    def dated(
        self, rows_of: Callable[[SymbolPlace], tuple[Dated, ...]], given_e8: Longs | None
    ) -> tuple[Scaled, Bools]:
        """Look up points by symbol, group and close; `given_e8` overrides where it is not -1."""
        symbols, groups = self.places.symbols, self.places.groups
        tables = [rows_of(symbol) for symbol in symbols]
        common = lcm(_E8, *(row.points.denominator for table in tables for row in table))
        num, found = np.zeros(len(self), np.int64), np.zeros(len(self), np.bool_)
        if any(tables):
            pair = self.trades.group.astype(np.int64) * len(symbols) + self.trades.symbol
            for code in np.unique(pair).tolist():
                group, symbol = divmod(code, len(symbols))
                held = _for_group(tables[symbol], groups[group].name)
                if not held:
                    continue
                rows = np.flatnonzero(pair == code)
                starts = np.array([row.from_ms for row in held], np.int64)
                points = np.array([int(row.points * common) for row in held], np.int64)
                at = np.searchsorted(starts, self.trades.close_utc_ms[rows], side="right") - 1
                found[rows] = at >= 0
                num[rows] = np.where(at >= 0, points[np.maximum(at, 0)], 0)
        if given_e8 is not None:
            own = given_e8 >= 0
            num, found = np.where(own, given_e8 * (common // _E8), num), found | own
        return Scaled(num, Fraction(1, common)), found

    def quoted(self, end: str) -> tuple[Longs, Longs, Int8s]:
        """Return (bid, ask, source) of the opening or the closing; 0 = unknown."""
        none = np.zeros(len(self), np.int64)
        bid = getattr(self.trades, f"{end}_bid_e8")
        ask = getattr(self.trades, f"{end}_ask_e8")
        source = getattr(self.trades, f"{end}_quote")
        if bid is None or ask is None:
            return none, none, none.astype(np.int8)
        if source is None:
            source = np.full(len(self), DEAL, np.int8)
        return bid, ask, source


def _for_group(table: tuple[Dated, ...], group: str) -> list[Dated]:
    """Return the rows that hold for a group, by their start: its own, else those for any."""
    own = [row for row in table if row.group and row.group.casefold() == group.casefold()]
    usual = [row for row in table if not row.group]
    if not own:
        return sorted(usual, key=lambda row: row.from_ms)
    # Before the first row of its own a group has what any group has.
    first = min(row.from_ms for row in own)
    return sorted(own + [r for r in usual if r.from_ms < first], key=lambda row: row.from_ms)
