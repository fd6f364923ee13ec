"""Placed trades as the scalar twin takes them: each with its chain, and the broker's day."""

from __future__ import annotations

from pipshare.partners.info import PartnerInfo
from pipshare.period import Clock
from pipshare.plans.book import Book
from pipshare.rating.twin import BrokerDay
from pipshare.rating.twin_intake import chain_facts, column_facts
from pipshare.rating.twin_values import Partner, TradeFacts
from pipshare.rating.windows.given import PlacedTrades


def placed_facts(
    placed: PlacedTrades, book: Book, partners: PartnerInfo
) -> list[tuple[TradeFacts, tuple[Partner, ...]]]:
    """Return each trade and its chain as the twin takes them, in the order of the columns."""
    trades = placed.trades
    chain = trades.chain.tolist()
    known = {one: chain_facts(placed.chains[one], book, partners) for one in set(chain)}
    return [
        (column_facts(trades, placed.symbols, placed.groups, at), known[one])
        for at, one in enumerate(chain)
    ]


def broker_day(clock: Clock) -> BrokerDay:
    """Return the broker's day as the twin knows it."""
    return BrokerDay(clock.zone, clock.shift_ms)
