"""Symbols and account groups as rating sees them, and which rule selectors fit which of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from pipshare.period import Millis as Longs
from pipshare.rating.rules import (
    EXACT_SYMBOL,
    GROUP_SCOPE,
    GROUP_SYMBOL,
    TYPE_SCOPE,
    Scope,
    Selector,
)


@dataclass(frozen=True)
class Dated:
    """So many points from `from_ms` (UTC) on, for the account group of that name ("" = any)."""

    points: Fraction
    group: str = ""
    from_ms: int = 0


@dataclass(frozen=True)
class SymbolPlace:
    """A symbol of the run: canonical name and symbol group; as printed when it is not known.

    `currency` is that of its profit, "" when that is not known. `digits` -1 = unknown, so are
    `contract_e8`, `pip_points`, tick size and tick value when they are 0. `typical` spreads and the
    broker's `markup` are tables: a row for the trade's group goes before one for any group, and of
    those that have begun at the trade's close the latest holds.
    """

    name: str
    symbol_group: str
    known: bool = True
    currency: str = ""
    digits: int = -1
    contract_e8: int = 0
    pip_points: int = 0
    calc: Literal["forex", "cfd", "futures"] = "forex"
    tick_size_e8: int = 0
    tick_value_e8: int = 0
    typical: tuple[Dated, ...] = ()
    markup: tuple[Dated, ...] = ()


@dataclass(frozen=True)
class GroupPlace:
    """An account group of the run: name, account type, lot factor (None = nobody has said it).

    `currency` is that of its accounts, used where a trade's own account currency is not known.
    `country` is set by rating alone, which parts a group by the countries of its clients where a
    plan has rates by country.
    """

    name: str
    account_type: str
    lot_factor: Fraction | None
    currency: str = ""
    country: str = ""


@dataclass(frozen=True)
class Lists:
    """Lists of numbers, one after the other: list i is flat[first[i] : first[i] + length[i]]."""

    flat: Longs
    first: Longs
    length: Longs

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> Lists:
        """Lay out Python lists as columns."""
        length = np.array([len(one) for one in lists], np.int64)
        flat = np.array([number for one in lists for number in one], np.int64)
        return cls(flat, np.cumsum(length) - length, length)


def repeat_ranges(length: Longs) -> tuple[Longs, Longs]:
    """Return (i, place) for each place 0 .. length[i] - 1 of each i, in order."""
    owner = np.repeat(np.arange(len(length)), length)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(length) - length, length)


def groups_of(scopes: Sequence[Scope], groups: Sequence[GroupPlace]) -> Lists:
    """Return for each scope selector the groups it fits, of the country it names."""
    names = [group.name.casefold() for group in groups]
    types = [group.account_type.casefold() for group in groups]
    lands = [group.country.casefold() for group in groups]
    found = []
    for kind, text, country in scopes:
        if kind == GROUP_SCOPE:
            fits = _mask(text)
            fitting = [g for g, name in enumerate(names) if fits.fullmatch(name)]
        elif kind == TYPE_SCOPE:
            fitting = [g for g, held in enumerate(types) if held == text]
        else:
            fitting = list(range(len(groups)))
        found.append([g for g in fitting if not country or lands[g] == country])
    return Lists.of(found)


def symbols_of(selectors: Sequence[Selector], symbols: Sequence[SymbolPlace]) -> Lists:
    """Return for each symbol selector the symbols it fits. An unknown symbol has no group."""
    named: dict[str, list[int]] = {}
    grouped: dict[str, list[int]] = {}
    for s, symbol in enumerate(symbols):
        named.setdefault(symbol.name.casefold(), []).append(s)
        if symbol.known and symbol.symbol_group:
            grouped.setdefault(symbol.symbol_group.casefold(), []).append(s)
    whole = list(range(len(symbols)))
    tables = {EXACT_SYMBOL: named, GROUP_SYMBOL: grouped}
    return Lists.of(
        [tables[kind].get(text, []) if kind in tables else whole for kind, text in selectors]
    )


def _mask(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)
