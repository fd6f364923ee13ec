"""The families of plans beside the numpy gather: rating only, over chains of three.

    python -m benchmarks --only families [--trades 200000]

The gather is the one of goal 3, over the same trades: a rate by (version, symbol, group, partner),
per lot, and nothing else. A family rates the same trades by its own rule; what is timed is all of
`rate_trades`. The per-lot family is held to the gather's amounts; of all others, no line may wait,
and share-up and difference are held to what they promise: the sum of the pot, the highest rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from time import perf_counter

import numpy as np

from benchmarks.market_of_trades import CARDS, Market, make_market, plan_of
from benchmarks.racing import Race, Result, beside, race
from benchmarks.reference.numpy_gather import Gather
from pipshare.market.fx import FxTable
from pipshare.period import Clock
from pipshare.plans.book import Book, Version
from pipshare.plans.periods import Cap, Tier
from pipshare.plans.terms import Component, Programme, RateRule, Split
from pipshare.rating.columns import DEAL
from pipshare.rating.rate import TradeColumns, rate_trades
from pipshare.rating.rated import Rated

GATHER = "numpy gather"
MOST = 200_000  # trades: what a window of a large tree holds
# Family -> part of the gather's speed that is wanted.
GOALS = {
    "per lot": 0.16, "spread": 0.16, "difference": 0.05, "rank": 0.05, "share-up": 0.05,
    "tiers": 0.03, "caps": 0.03,
}  # fmt: skip
_LEVELS, _RANKS = 3, 5
_LOT = 10**8
_BUILDING = ("tiers", "caps")


def measure(trades: int, rounds: int, say: Callable[[str], None]) -> tuple[list[Result], Race]:
    """Race the families and the gather over the same trades, interleaved."""
    market = _three_deep(make_market(min(trades, MOST)))
    gather = Gather(market)
    works: dict[str, Callable[[], object]] = {GATHER: lambda: gather.rate(market)}
    works |= {name: _work(market, name) for name in GOALS}
    _agree(market, gather, works)
    count = len(market.chain)
    say(f"  {count:,} trades, chains of {_LEVELS}; per lot agrees with the gather")
    run = race({name: _timed(work, count) for name, work in works.items()}, rounds, say)
    return [beside(run, 0, name, GATHER, goal) for name, goal in GOALS.items()], run


def _timed(work: Callable[[], object], trades: int) -> Callable[[], float]:
    def runner() -> float:
        begin = perf_counter()
        work()
        return trades / (perf_counter() - begin)

    return runner


def _three_deep(market: Market) -> Market:
    """Let every chain have three partners."""
    chains = [(p, (p + 1) % market.partners, (p + 2) % market.partners)
              for p in range(market.partners)]  # fmt: skip
    return replace(market, chains=chains)


def _work(market: Market, name: str) -> Callable[[], Rated]:
    if name == "rank":
        # As programmes have them: a handful of ranks, and every partner has one.
        market = replace(market, card=market.card % _RANKS)
    book, payees, symbols, groups = plan_of(market)
    if name != "per lot":
        book = _with(book, _component(name))
        symbols = [replace(one, currency="USD", digits=5, contract_e8=100_000 * _LOT)
                   for one in symbols]  # fmt: skip
    chains = [tuple(partner + 1 for partner in chain) for chain in market.chains]
    trades, fx, clock = _trades(market), FxTable([]), Clock("UTC", 0)
    only = "building" if name in _BUILDING else "immediate"
    return lambda: rate_trades(
        trades, symbols, groups, chains, book=book, payees=payees, fx=fx, clock=clock,
        only=only,  # type: ignore[arg-type]
    )  # fmt: skip


def _trades(market: Market) -> TradeColumns:
    """Return the trades, quoted at both ends, of clients and accounts."""
    count = len(market.chain)
    bid = 110_000_000 + np.arange(count, dtype=np.int64) % 1000 * 1000
    wide = 10_000 + market.lots_e8 // 1_000_000 * 10
    source = np.full(count, DEAL, np.int8)
    client = market.chain.astype(np.int64) * 20 + np.arange(count) % 20
    return TradeColumns(
        market.lots_e8, market.hold_ms, market.close_utc_ms, client, market.symbol, market.group,
        market.chain, open_bid_e8=bid, open_ask_e8=bid + wide, close_bid_e8=bid,
        close_ask_e8=bid + 2 * wide, open_quote=source, close_quote=source,
        currency=np.zeros(count, np.int32), account_currencies=("USD",), account=client,
        server=np.zeros(count, np.int32), ticket=np.arange(count, dtype=np.int64),
    )  # fmt: skip


def _component(name: str) -> Component:
    """Return a family's component: rates by card, so that payees differ as in the gather."""
    by_card = tuple(_rule(i, f"card{i}", None, Fraction(i + 1, 4)) for i in range(CARDS))
    if name == "spread":
        shares = tuple(replace(one, amount=Fraction(one.ordinal + 1, 100), currency="")
                       for one in by_card)  # fmt: skip
        return Component("c", "spread", "per_level", None, shares)
    lot = Component("c", "lot", "per_level", None, by_card)
    if name == "difference":
        return replace(lot, mode="difference")
    if name == "rank":
        ranks = tuple(f"card{i}" for i in range(_RANKS))
        return replace(lot, mode="rank", ranks=ranks, rates=by_card[:_RANKS])
    if name == "share-up":
        return replace(lot, mode="share_up", splits=(Split(1, "*", None, Fraction(1, 5)),))
    if name == "tiers":
        bands = [replace(one, ordinal=CARDS * (band + 1) + one.ordinal, start=Fraction(start),
                         amount=one.amount + band + 1)
                 for band, start in enumerate((20, 100)) for one in by_card]  # fmt: skip
        return replace(lot, rates=(*by_card, *bands), tier=Tier(1, "lots", window="month"))
    return replace(lot, caps=(Cap(1, Fraction(50), "client_day", currency="USD"),))


def _rule(ordinal: int, card: str, level: int | None, amount: Fraction) -> RateRule:
    return RateRule(ordinal, ordinal + 1, card, level, amount, "USD")


def _with(book: Book, component: Component) -> Book:
    """Return the book with one version of the programme, of this component alone."""
    programme = Programme("main", "main", "Main", 0, "USD", _LEVELS, "wait", (component,))
    ids = tuple(range(1, 1 + len(component.rates)))
    version = Version(1, 1, 1, 0, programme, (1,), (ids,))
    one = np.ones(1, np.int64)
    return Book([version], book.terms, (one, one - 1, one - 1), book.terms_segments)


def _agree(market: Market, gather: Gather, works: dict[str, Callable[[], object]]) -> None:
    """Hold the results to what can be said of them without a second engine."""
    amounts, payees = gather.rate(market)
    wanted = np.zeros(market.partners, np.int64)
    np.add.at(wanted, payees, amounts)
    for name in GOALS:
        rated = works[name]()
        assert isinstance(rated, Rated)
        assert len(rated.waits) == 0, f"{name}: lines wait"
        assert len(rated.lines), f"{name}: no lines"
        if name == "per lot":
            paid = np.zeros(market.partners, np.int64)
            np.add.at(paid, rated.lines.partner_id.astype(np.int64) - 1, rated.lines.amount_e8)
            assert np.array_equal(paid, wanted), "per lot differs from the gather"
        if name in ("share-up", "difference"):
            _hold_to_rates(market, rated, name)


def _hold_to_rates(market: Market, rated: Rated, name: str) -> None:
    """Share-up sums to the direct IB's rate, difference to the highest rate of the chain."""
    chains = np.array(market.chains)[market.chain]
    cards = market.card[chains]
    card = cards[:, 0] if name == "share-up" else cards.max(axis=1)
    factor = market.factor_percent[market.group]
    whole = (card + 1) * (market.lots_e8 // 100) * factor
    total = np.zeros(len(whole), np.int64)
    np.add.at(total, rated.lines.trade_row, rated.lines.amount_e8)
    near = 4 if name == "difference" else 0  # lines are quantised level by level
    assert (np.abs(total * 4 - whole) <= 4 + near).all(), f"{name} does not sum to the rate"
