"""Short ways to say columns for the kernel: one chain, trades as rows of a few facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from twin_stories import plan

from pipshare.market.fx import FxRow, FxTable
from pipshare.money import format_e8
from pipshare.period import Clock
from pipshare.plans.book import Book, Terms, Version
from pipshare.plans.terms import Component, Programme
from pipshare.rating.columns import TradeColumns
from pipshare.rating.payees import payees
from pipshare.rating.places import GroupPlace, SymbolPlace
from pipshare.rating.rate import rate_trades
from pipshare.rating.rated import Rated
from pipshare.rating.reasons import Reason

DAY = 86_400_000
NOON = 20_000 * DAY + DAY // 2
PLAIN = SymbolPlace("EURUSD", "forex", True, "USD", 5, 10**13, 10)
SYMBOLS = (
    PLAIN,
    SymbolPlace("XAUUSD", "metals", True, "USD", 2, 10**10, 0, "cfd"),
    SymbolPlace("US30", "indices", True, "USD", 1, 10**8, 0, "cfd"),
    SymbolPlace("BTCUSD", "crypto", True, "USD", 2, 10**6, 0, "cfd"),
    SymbolPlace("EURUSDc", "forex", True, "USD", 5, 10**11, 10),
    SymbolPlace("EURUSDe", "forex", True, "EUR", 5, 10**13, 10),
)
GROUPS = (GroupPlace("real", "std", Fraction(1), "USD"),
          GroupPlace("mod", "std", Fraction("0.4"), "USD"),
          GroupPlace("cents", "cent", Fraction(1, 100), "USC"))  # fmt: skip


@dataclass
class Deal:
    """A closed trade; texts are decimals, `quote_...` are "bid/ask"."""

    lots: str = "1"
    close: int = NOON
    symbol: str = "EURUSD"
    group: str = "real"
    hold_s: int = 3600
    client: int = 1
    account: int = 7
    side: int = 1
    quote_open: str = ""
    quote_close: str = ""
    open_price: str = "0"
    close_price: str = "0"
    commission: str = "0"
    profit: str = "0"
    swap: str = "0"
    reason: int = -1
    close_by: int = 0
    partial: bool = False
    bonus: tuple[int, int] = (1, 1)
    made: bool = False
    ticket: int = 0


def e8(text: str) -> int:
    """Read a decimal as e8."""
    return int(Decimal(text) * 10**8)


def columns(deals: Sequence[Deal]) -> TradeColumns:
    """Turn deals into columns of one chain."""
    count = len(deals)

    def of(what: Any, kind: type = np.int64) -> Any:
        return np.array([what(deal) for deal in deals], kind)

    def quote(end: str, side: int) -> Any:
        texts = [getattr(deal, f"quote_{end}") or "0/0" for deal in deals]
        return np.array([e8(text.split("/")[side]) for text in texts], np.int64)

    names = [one.name for one in SYMBOLS], [one.name for one in GROUPS]
    money = {f"{name}_e8": of(lambda d, n=name: e8(getattr(d, n)))  # type: ignore[misc]
             for name in ("open_price", "close_price", "commission", "profit", "swap")}  # fmt: skip
    return TradeColumns(
        of(lambda d: e8(d.lots)), of(lambda d: d.hold_s * 1000), of(lambda d: d.close),
        of(lambda d: d.client), of(lambda d: names[0].index(d.symbol), np.int32),
        of(lambda d: names[1].index(d.group), np.int32), np.zeros(count, np.int32),
        open_bid_e8=quote("open", 0), open_ask_e8=quote("open", 1),
        close_bid_e8=quote("close", 0), close_ask_e8=quote("close", 1),
        side=of(lambda d: d.side, np.int8), reason=of(lambda d: d.reason, np.int16),
        partial=of(lambda d: d.partial, np.bool_), close_by=of(lambda d: d.close_by, np.int8),
        account=of(lambda d: d.account), bonus_top=of(lambda d: d.bonus[0]),
        bonus_bottom=of(lambda d: d.bonus[1]), snapshot_age_ms=np.zeros(count, np.int64),
        book=of(lambda d: d.made, np.int8), ticket=of(lambda d: d.ticket),
        server=np.zeros(count, np.int32), fee_e8=np.zeros(count, np.int64), **money,
    )  # fmt: skip


def book_of(programme: Programme, cards: Sequence[str]) -> Book:
    """Return a book of one programme, with terms of partners 1, 2 ... by these cards."""
    parts = programme.components
    version = Version(
        1, 1, 1, 0, programme, tuple(range(1, len(parts) + 1)),
        tuple(tuple(1000 * (c + 1) + r.ordinal for r in one.rates) for c, one in enumerate(parts)),
    )  # fmt: skip
    ids, zeros = np.arange(len(cards), dtype=np.int64), np.zeros(len(cards), np.int64)
    terms = [Terms(i + 1, 1, card) for i, card in enumerate(cards)]
    return Book([version], terms, (np.ones(1, np.int64), zeros[:1], zeros[:1]),
                (ids + 1, zeros, ids))  # fmt: skip


def rated(
    programme: Programme | Component, *deals: Deal, cards: Sequence[str] = ("std",),
    wallet: str = "USD", fx: Sequence[FxRow] = (), **known: Any,
) -> Rated:  # fmt: skip
    """Rate deals of one chain, with everything that builds up."""
    whole = programme if isinstance(programme, Programme) else plan(programme)
    people = payees([(i + 1, wallet, None, None, []) for i in range(len(cards))])
    known = {"only": "all", "clock": Clock("UTC", 0), **known}
    return rate_trades(
        columns(deals), SYMBOLS, GROUPS, [tuple(range(1, len(cards) + 1))],
        book=book_of(whole, cards), payees=people, fx=FxTable(fx), **known,
    )  # fmt: skip


def paid(programme: Programme | Component, *deals: Deal, **known: Any) -> list[str]:
    """Return amounts in the wallet (shortest form), reasons and waits, by trade and level."""
    return told(rated(programme, *deals, **known))


def told(found: Rated) -> list[str]:
    """Say each line: its amount, why it is zero, or what it waits for."""
    x = found.lines
    rows = [
        (row, component, level, _said(amount, reason))
        for row, component, level, amount, reason in zip(*(c.tolist() for c in (
            x.trade_row, x.component_id, x.level, x.amount_e8, x.reason)), strict=True)
    ]  # fmt: skip
    rows += found.waits.select("trade_row", "component_id", "level", "reason").rows()
    return [text for *_, text in sorted(rows)]


def _said(amount: int, reason: int) -> str:
    return Reason(reason).name.lower() if reason else format_e8(amount, 0)


def total(programme: Programme | Component, *deals: Deal, **known: Any) -> str:
    """Return the sum of all amounts."""
    return format_e8(int(rated(programme, *deals, **known).lines.amount_e8.sum()), 0)
