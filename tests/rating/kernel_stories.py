"""The stories of the twin, told to the kernel: its facts as columns, and the lines it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from pipshare.market.fx import FxRow, FxTable
from pipshare.period import Clock
from pipshare.plans.book import Book, Terms, Version
from pipshare.plans.terms import Programme
from pipshare.rating.columns import QUOTE_SOURCES, TradeColumns
from pipshare.rating.payees import payees
from pipshare.rating.places import GroupPlace, SymbolPlace
from pipshare.rating.rate import rate_trades
from pipshare.rating.reasons import Reason
from pipshare.rating.twin_values import Partner, TradeFacts, TwinLine

Line = tuple[object, ...]
_SAME = ("side", "open_price_e8", "close_price_e8", "open_bid_e8", "open_ask_e8",
         "open_spread_e16", "close_bid_e8", "close_ask_e8", "partial", "close_by", "account",
         "registered_ms", "kyc_held",
         "snapshot_age_ms", "negative", "server", "ticket", "contract_e8")  # fmt: skip
_MONEY = ("commission_e8", "fee_e8", "swap_e8", "profit_e8")
_KINDS = {"side": np.int8, "partial": np.bool_, "close_by": np.int8, "kyc_held": np.bool_,
          "negative": np.bool_, "server": np.int32}  # fmt: skip


def kernel_told(
    programme: Programme,
    people: Sequence[Partner],
    trades: Sequence[TradeFacts],
    rates: dict[tuple[str, str], str],
    only: Literal["immediate", "building"],
    chains: Sequence[tuple[int, ...]] = (),
) -> list[Line]:
    """Return (place, component, level, partner, outcome, amounts) of the kernel's lines.

    `chains`: of each trade, where they are not all of all the people.
    """
    if not trades:
        return []
    symbols = [_symbol(one) for one in trades]
    groups = [GroupPlace(x.group_name, x.account_type, x.lot_factor) for x in trades]
    columns = _columns(trades)
    if chains:
        columns = replace(columns, chain=np.arange(len(trades), dtype=np.int32))
    who = payees([(p.id, p.currency, p.own_client, p.go_live_ms, list(p.statuses)) for p in people])
    rated = rate_trades(
        columns, symbols, groups, chains or [tuple(p.id for p in people)],
        book=_book(programme, people), payees=who, fx=_table(rates, trades), only=only,
        clock=Clock("UTC", 0),
    )  # fmt: skip
    x = rated.lines
    names = rated.currencies
    settled: list[Line] = [
        (row, component, level, partner, Reason(reason).name, names[currency], orig, amount)
        for row, component, level, partner, reason, currency, orig, amount in zip(*(
            c.tolist() for c in (x.trade_row, x.component_id, x.level, x.partner_id, x.reason,
                                 x.currency, x.orig_e8, x.amount_e8)), strict=True)
    ]  # fmt: skip
    return sorted(settled + [row[:5] for row in rated.waits.rows()], key=repr)


def twin_told(place: int, x: TwinLine) -> Line:
    """Return a twin's line in the same form."""
    key = (place, x.component_id, x.level, x.partner_id)
    if x.wait is not None:
        return (*key, x.wait.word)
    return (*key, x.reason.name, x.currency, x.orig_e8, x.amount_e8)


def _symbol(one: TradeFacts) -> SymbolPlace:
    return SymbolPlace(
        one.symbol_name, one.symbol_group, one.symbol_known, one.profit_currency, one.digits,
        0, one.pip_points, one.calc, one.tick_size_e8, one.tick_value_e8,
    )  # fmt: skip


def _columns(trades: Sequence[TradeFacts]) -> TradeColumns:
    def column(values: Sequence[Any], kind: Any = np.int64) -> Any:
        return np.array(values, kind)

    def points(values: Sequence[Fraction | None]) -> Any:
        return column([-1 if x is None else int(x * 10**8) for x in values])

    def or_else(values: Sequence[Any], unknown: int) -> Any:
        return column([unknown if x is None else x for x in values])

    places = np.arange(len(trades), dtype=np.int32)
    money = {
        name: column([getattr(t, name) or 0 for t in trades])
        for name in _MONEY
        if any(getattr(t, name) is not None for t in trades)
    }
    currencies = tuple(dict.fromkeys(t.currency for t in trades if t.currency))
    countries = tuple(dict.fromkeys(t.country for t in trades if t.country))
    return TradeColumns(
        column([t.lots_e8 for t in trades]), or_else([t.hold_ms for t in trades], -1),
        column([t.close_utc_ms for t in trades]), or_else([t.client_id for t in trades], -1),
        places, places, np.zeros(len(trades), np.int32),
        column([t.cancelled for t in trades], np.bool_),
        open_quote=column([QUOTE_SOURCES.index(t.open_quote) for t in trades], np.int8),
        close_quote=column([QUOTE_SOURCES.index(t.close_quote) for t in trades], np.int8),
        typical_points_e8=points([t.typical_points for t in trades]),
        markup_points_e8=points([t.markup_points for t in trades]),
        gateway_markup_points_e8=points([t.gateway_points for t in trades]),
        reason=column([t.deal_reason for t in trades], np.int16),
        currency=column([_place(currencies, t.currency) for t in trades], np.int32),
        country=column([_place(countries, t.country) for t in trades], np.int32),
        qualified_ms=or_else([t.qualified_ms for t in trades], -1),
        bonus_top=column([t.bonus.numerator if t.bonus is not None else 0 for t in trades]),
        bonus_bottom=column([t.bonus.denominator if t.bonus is not None else 0 for t in trades]),
        book=column([t.book == "made" for t in trades], np.int8),
        account_currencies=currencies, countries=countries, **money,
        **{n: column([getattr(t, n) for t in trades], _KINDS.get(n, np.int64)) for n in _SAME},
    )  # fmt: skip


def _place(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name else -1


def _book(programme: Programme, people: Sequence[Partner]) -> Book:
    version = Version(
        1, 1, 1, 0, programme, tuple(range(1, len(programme.components) + 1)),
        tuple(tuple(1000 * (c + 1) + r.ordinal for r in one.rates)
              for c, one in enumerate(programme.components)),
    )  # fmt: skip
    terms: list[Terms] = []
    held = []
    for person in people:
        for start, said in person.terms:
            assert said is not None
            held.append((person.id, start, len(terms)))
            terms.append(Terms(len(terms) + 1, 1, said.card))
    table = np.array(held, np.int64).reshape(-1, 3)
    one = np.array([1], np.int64)
    return Book([version], terms, (one, one * 0, one * 0), (table[:, 0], table[:, 1], table[:, 2]))


def _table(rates: dict[tuple[str, str], str], trades: Sequence[TradeFacts]) -> FxTable:
    first = min(t.close_utc_ms for t in trades) // 86_400_000 * 86_400_000
    rows: list[FxRow] = []
    for pair in dict.fromkeys(pair for pair, _ in rates):
        base, quote = pair.split("/")
        sides = {side: Fraction(text) for (name, side), text in rates.items() if name == pair}
        mid = sides.get("mid") or sides.get("bid") or sides["ask"]
        rows.append(FxRow(len(rows) + 1, base, quote, first, mid, sides.get("bid"),
                          sides.get("ask")))  # fmt: skip
    return FxTable(rows)
