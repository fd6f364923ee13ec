"""The broker that is measured: a tree of partners, logins on four servers, rates, closed trades.

Same seed, same broker. At full size: 100,000 logins, 5,000 partners, depth up to 10, 2.6 partners
above a trade, 60 symbols, 36,000 effective-dated rates in 5 programmes of 6 cards and 2 versions,
trades of one month in the order of their closing. Some logins trade much, most trade little.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from benchmarks.market_of_trades import (
    GROUPS,
    SPAN_MS,
    START_MS,
    SYMBOLS,
    Market,
    make_market,
)
from pipshare.facts import TRADE, Kind, Opening

SERVERS = ("Live1", "Live2", "Live3", "Live4")
SUFFIXES = ("", "", ".pro", ".m")  # of symbols, by server
CLOCK = "America/New_York+7h"
CLOCK_AHEAD_MS = 2 * 3_600_000  # that clock in December, when all of this happens
DIGITS = 5
BLOCK = 500_000  # trades
_COINS = ("EUR", "USD", "GBP", "JPY", "CHF", "AUD", "NZD", "CAD")


@dataclass(frozen=True)
class Size:
    """How big a broker to make; `programmes` x `cards` is 30 at most, each card has 1,200 rates."""

    trades: int = 1_000_000
    logins: int = 100_000
    partners: int = 5_000
    programmes: int = 5
    cards: int = 6  # per programme
    seed: int = 7


@dataclass(frozen=True)
class World:
    """The broker as arrays. `market` has the trades' columns and what decides their commissions.

    Partner p has terms: programme p's root says which, card `market.card[p]` of all cards. Per
    login: number, partner, group; its server is its place modulo 4. Per trade, in the order of
    closing: login place, ticket, opening and closing price in points, and cents of the client.
    """

    size: Size
    market: Market
    login: np.ndarray
    login_partner: np.ndarray
    login_group: np.ndarray
    login_place: np.ndarray
    ticket: np.ndarray
    open_points: np.ndarray
    close_points: np.ndarray
    profit_cents: np.ndarray
    swap_cents: np.ndarray

    @cached_property
    def symbols(self) -> list[str]:
        """Names of the symbols: pairs of coins."""
        pairs = [f"{a}{b}" for a in _COINS for b in _COINS if a != b]
        return [*pairs, "XAUUSD", "XAGUSD", "XTIUSD", "XBRUSD"][:SYMBOLS]

    def on(self, server: int) -> np.ndarray:
        """Return the rows of one server's trades, in the order of closing."""
        return np.flatnonzero(self.login_place % len(SERVERS) == server)

    def trades(self, server: int) -> Iterator[pl.DataFrame]:
        """Yield one server's trades as TRADE frames, in the order of closing."""
        names = pl.Series([symbol + SUFFIXES[server] for symbol in self.symbols])
        rows = self.on(server)
        for start in range(0, len(rows), BLOCK):
            yield self._frame(rows[start : start + BLOCK], names)

    def _frame(self, rows: np.ndarray, names: pl.Series) -> pl.DataFrame:
        market, zero = self.market, np.zeros(len(rows), np.int64)
        close_ms = market.close_utc_ms[rows] + CLOCK_AHEAD_MS
        lots = market.lots_e8[rows]
        columns = {
            "ticket": self.ticket[rows],
            "login": self.login[self.login_place[rows]],
            "position": zero,
            "symbol": names.gather(market.symbol[rows]),
            "side": np.where(self.ticket[rows] % 3 == 0, -1, 1),
            "kind": zero + int(Kind.WHOLE),
            "reason": zero,
            "lots_e8": lots,
            "open_ms": close_ms - market.hold_ms[rows],
            "close_ms": close_ms,
            "open_price_e8": self.open_points[rows] * 10 ** (8 - DIGITS),
            "close_price_e8": self.close_points[rows] * 10 ** (8 - DIGITS),
            "commission_e8": -7 * lots,
            "fee_e8": zero,
            "swap_e8": self.swap_cents[rows] * 1_000_000,
            "profit_e8": self.profit_cents[rows] * 1_000_000,
            "rate_profit_e8": zero,
            "contract_e8": zero,
            "opening": zero + int(Opening.KNOWN),
            "line": zero,
        }
        return pl.DataFrame(columns).select(pl.col(n).cast(t) for n, t in TRADE.items())


def make_world(size: Size) -> World:
    """Make the broker."""
    tree = make_market(0, size.partners, size.seed)
    rng = np.random.default_rng(size.seed + 1)
    login_partner = _introduced_by(rng, tree, size.logins)
    login_group = rng.integers(0, GROUPS, size.logins)
    card = _cards(rng, tree, size)
    # From here on columns of trades: what stands above is the same for any number of them.
    place = _who_trades(rng, size)
    trades = size.trades
    close_ms = START_MS + np.sort(rng.integers(0, SPAN_MS // 1000, trades)) * 1000
    hold_ms = rng.integers(1, 86_400, trades) * 1000
    market = replace(
        tree,
        card=card,
        rate_micro=tree.rate_micro[:, : size.programmes * size.cards],
        lots_e8=rng.integers(1, 500, trades) * 1_000_000,
        hold_ms=hold_ms,
        close_utc_ms=close_ms,
        symbol=rng.integers(0, SYMBOLS, trades).astype(np.int32),
        group=login_group[place].astype(np.int32),
        chain=login_partner[place].astype(np.int32),
    )
    points = rng.integers(50_000, 250_000, trades)
    return World(
        size=size,
        market=market,
        login=200_000 + 7 * np.arange(size.logins, dtype=np.int64),
        login_partner=login_partner,
        login_group=login_group,
        login_place=place,
        ticket=_tickets(close_ms - hold_ms, place % len(SERVERS)),
        open_points=points,
        close_points=points + rng.integers(-900, 900, trades),
        profit_cents=rng.integers(-40_000, 40_000, trades),
        swap_cents=rng.integers(-500, 500, trades) * (hold_ms > 43_200_000),
    )


def _introduced_by(rng: np.random.Generator, tree: Market, logins: int) -> np.ndarray:
    """Spread logins over partners as make_market spreads trades: 2.6 partners above each."""
    depth = np.array([len(chain) for chain in tree.chains])
    weight = np.array([0, 36, 26, 14, 10, 6, 3, 2, 1, 1, 1])[depth]
    share = weight / np.bincount(depth)[depth]
    return rng.choice(len(depth), logins, p=share / share.sum()).astype(np.int64)


def _who_trades(rng: np.random.Generator, size: Size) -> np.ndarray:
    activity = rng.lognormal(0, 1, size.logins)
    return rng.choice(size.logins, size.trades, p=activity / activity.sum()).astype(np.int64)


def _cards(rng: np.random.Generator, tree: Market, size: Size) -> np.ndarray:
    """Give each partner a card of the programme of his tree's root."""
    root = np.array([chain[-1] for chain in tree.chains])
    return root % size.programmes * size.cards + rng.integers(0, size.cards, len(root))


def _tickets(open_ms: np.ndarray, server: np.ndarray) -> np.ndarray:
    """Number each server's trades by their opening, as MT4 does; every other number is not used."""
    ticket = np.empty(len(open_ms), np.int64)
    for number in range(len(SERVERS)):
        rows = np.flatnonzero(server == number)
        order = np.argsort(open_ms[rows], kind="stable")
        ticket[rows[order]] = 70_000_000 + 2 * np.arange(len(rows))
    return ticket
