"""A made-up broker for the rating benchmark: a tree of partners, a rate card plan, closed trades.

Same seed, same broker. Sizes as in docs/performance.md: 5,000 partners, depth up to 10, 2.6 lines
per trade, 60 symbols, 10 groups, 36,000 effective-dated rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from pipshare.plans.book import Book, Terms, Version
from pipshare.plans.terms import Component, Programme, RateRule
from pipshare.rating.payees import Payees
from pipshare.rating.places import GroupPlace, SymbolPlace

CARDS, SYMBOLS, GROUPS, VERSIONS = 30, 60, 10, 2
START_MS, SPAN_MS = 1_764_547_200_000, 30 * 86_400_000  # December 2025
DEEPEST = 10


@dataclass(frozen=True)
class Market:
    """Trades as columns, and what decides their commissions, as plain arrays.

    `rate_micro` [version, card, symbol, group]: millionths of a dollar per lot; `factor_percent`
    [group]: lot factor in hundredths; `chains`: partner numbers, the direct IB first.
    """

    partners: int
    card: np.ndarray
    chains: list[tuple[int, ...]]
    rate_micro: np.ndarray
    factor_percent: np.ndarray
    new_version_ms: int
    lots_e8: np.ndarray
    hold_ms: np.ndarray
    close_utc_ms: np.ndarray
    symbol: np.ndarray
    group: np.ndarray
    chain: np.ndarray


def make_market(trades: int, partners: int = 5_000, seed: int = 7) -> Market:
    """Make the broker. The chain of partner p is chain number p."""
    rng = np.random.default_rng(seed)
    chains = _chains(rng, partners)
    depth = np.array([len(chain) for chain in chains])
    # Weighted so that a trade has 2.6 partners above it on average.
    weight = {1: 36, 2: 26, 3: 14, 4: 10, 5: 6, 6: 3, 7: 2, 8: 1, 9: 1, 10: 1}
    share = np.array([weight[d] for d in depth]) / np.bincount(depth)[depth]
    return Market(
        partners=partners,
        card=rng.integers(0, CARDS, partners),
        chains=chains,
        # Steps of 100 micro-dollars: times a lot factor in hundredths it stays whole.
        rate_micro=rng.integers(1, 120_000, (VERSIONS, CARDS, SYMBOLS, GROUPS)) * 100,
        factor_percent=np.array([100] * 7 + [1, 10, 40]),
        new_version_ms=START_MS + SPAN_MS // 2,
        lots_e8=rng.integers(1, 500, trades) * 1_000_000,
        hold_ms=rng.integers(1_000, 86_400_000, trades),
        close_utc_ms=np.sort(rng.integers(START_MS, START_MS + SPAN_MS, trades)),
        symbol=rng.integers(0, SYMBOLS, trades).astype(np.int32),
        group=rng.integers(0, GROUPS, trades).astype(np.int32),
        chain=rng.choice(partners, trades, p=share / share.sum()).astype(np.int32),
    )


def plan_of(market: Market) -> tuple[Book, Payees, list[SymbolPlace], list[GroupPlace]]:
    """Say the same in pipshare's own words: a programme in two versions, terms, payees."""
    ids = np.arange(market.partners, dtype=np.int64) + 1
    versions = [_version(market, number) for number in range(VERSIONS)]
    terms = [Terms(int(i), 1, f"card{c}") for i, c in zip(ids, market.card, strict=True)]
    start = np.array([version.valid_from_ms for version in versions], np.int64)
    book = Book(versions, terms, (np.ones(VERSIONS, np.int64), start, np.arange(VERSIONS)),
                (ids, np.zeros_like(ids), np.arange(len(ids))))  # fmt: skip
    payees = Payees(
        ids=ids, currency=np.zeros(len(ids), np.int32), currencies=("USD",),
        own_client=np.full(len(ids), -1, np.int64), go_live_ms=np.zeros_like(ids),
        status=(ids[:0], ids[:0], ids[:0]),
    )  # fmt: skip
    symbols = [SymbolPlace(f"SYM{s}", "forex") for s in range(SYMBOLS)]
    groups = [GroupPlace(f"real\\g{g}", "", Fraction(int(f), 100))
              for g, f in enumerate(market.factor_percent)]  # fmt: skip
    return book, payees, symbols, groups


def _version(market: Market, number: int) -> Version:
    rules = tuple(
        RateRule(ordinal, ordinal + 1, f"card{card}", None, Fraction(int(rate), 1_000_000), "USD",
                 symbol=f"SYM{symbol}", account_group=f"real\\g{group}")
        for ordinal, ((card, symbol, group), rate) in enumerate(
            np.ndenumerate(market.rate_micro[number]))
    )  # fmt: skip
    part = Component("lots", "lot", "per_level", None, rules)
    since = market.new_version_ms * number
    programme = Programme("main", "main", "Main", since, "USD", DEEPEST, "wait", (part,))
    ids = tuple(range(number * 100_000 + 1, number * 100_000 + 1 + len(rules)))
    return Version(number + 1, 1, number + 1, since, programme, (1,), (ids,))


def _chains(rng: np.random.Generator, partners: int) -> list[tuple[int, ...]]:
    chains: list[tuple[int, ...]] = []
    for partner in range(partners):
        above: tuple[int, ...] = ()
        if partner >= 50:
            above = chains[int(rng.integers(0, partner))]
            while len(above) >= DEEPEST:
                above = chains[int(rng.integers(0, partner))]
        chains.append((partner, *above))
    return chains
