"""Compile what is known (book, payees, symbols, groups, chains) into tables for the kernel.

Python looks at rules, cards and chains, never at a trade. The rules of a book are turned into
columns once per book; sheets and slots are made per run, for what the run's trades use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs
from pipshare.plans.book import Book
from pipshare.rating.above import Above, above
from pipshare.rating.deals import Stretches, stretches
from pipshare.rating.parts import Parts
from pipshare.rating.payees import Payees
from pipshare.rating.places import GroupPlace, SymbolPlace
from pipshare.rating.prices import FIRST, Prices, price
from pipshare.rating.rules import Rules, TermsColumns
from pipshare.rating.sheets import Sheets
from pipshare.rating.slots import Slots, slots

_columns_of: WeakKeyDictionary[Book, tuple[Rules, TermsColumns]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Flags:
    """What the kernel need not look for, because no slot or price of the run has it.

    `only_currency` is the code of the one currency that prices and wallets have, -1 for several.
    """

    outcomes: bool
    min_hold: bool
    own_clients: bool
    suspended: bool
    only_currency: int


@dataclass(frozen=True)
class Tables:
    """What the kernel gathers from.

    `cells` are price numbers; those of a slot's sheet begin at `sheet_at`, and go by place = group
    x number of symbols + symbol. `currencies` names the codes of prices and wallets.
    """

    stretches: Stretches
    slots: Slots
    sheet_at: Longs
    cells: Longs
    prices: Prices
    currencies: tuple[str, ...]
    flags: Flags
    parts: Parts
    sheets: Sheets
    width: int
    directs: Longs
    above: Above | None


def compile_tables(
    book: Book,
    payees: Payees,
    symbols: Sequence[SymbolPlace],
    groups: Sequence[GroupPlace],
    chains: Sequence[tuple[int, ...]],
    used: npt.NDArray[np.bool_],
    span: tuple[int, int],
    parts: Parts,
    money: Sequence[str] = (),
) -> Tables:
    """Make the tables for trades of the `used` chains closed from span[0] to span[1], included.

    `money` names further currencies that the run may come across.
    """
    rules, said = columns_of(book)
    sheets = Sheets(rules)
    found = stretches(chains, used, span, book, said, payees)
    made = slots(found, book, said, payees, sheets, parts)
    currencies, of_rules = _currencies(payees, rules, money)
    prices, cells = price(rules, sheets.cells(symbols, groups), groups, of_rules)
    return Tables(
        stretches=found,
        slots=made,
        sheet_at=made.sheet * cells.shape[1],
        cells=cells.ravel(),
        prices=prices,
        currencies=currencies,
        flags=_flags(made, prices),
        parts=parts,
        sheets=sheets,
        width=cells.shape[1],
        directs=payees.ids[found.members[found.chain, 0]] if len(payees.ids) else found.chain,
        above=above(found, made, book, payees) if parts.tiered else None,
    )


def columns_of(book: Book) -> tuple[Rules, TermsColumns]:
    """Return a book's rules and terms as columns, made once per book."""
    known = _columns_of.get(book)
    if known is None:
        known = _columns_of[book] = Rules(book.versions), TermsColumns(book)
    return known


def _flags(made: Slots, prices: Prices) -> Flags:
    per_lot = prices.currency[prices.of < 0][FIRST:]  # a share has its child's currency
    money = np.flatnonzero(np.bincount(np.r_[made.wallet, per_lot]))
    return Flags(
        outcomes=bool(made.outcome.any()),
        min_hold=bool(made.min_hold_ms.any()),
        own_clients=bool((made.own_client >= 0).any()),
        suspended=bool(made.held.any()),
        only_currency=int(money[0]) if len(money) == 1 else -1,
    )


def _currencies(
    payees: Payees, rules: Rules, money: Sequence[str]
) -> tuple[tuple[str, ...], Longs]:
    """Number the run's currencies: the payees' first, so that their codes stay."""
    names = list(payees.currencies)
    codes = []
    for name in rules.currencies:
        if name not in names:
            names.append(name)
        codes.append(names.index(name))
    names += [name for name in dict.fromkeys(money) if name and name not in names]
    return tuple(names), np.array(codes, np.int64)
