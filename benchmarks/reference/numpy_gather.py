"""The numpy yardstick: gather a rate per level by (symbol, group, partner), multiply, write.

What a careful person would write by hand for one fixed plan: no terms, no status, no FX, no
reasons, no rounding; chains and rates already laid out. It prints its own rate; under 3 million
trades a second it is not the yardstick (../../docs/performance.md).
"""

from __future__ import annotations

import numpy as np

from benchmarks.market_of_trades import Market


class Gather:
    """Tables laid out once: chains by level, and one rate per (version, symbol, group, partner)."""

    def __init__(self, market: Market) -> None:
        self.depth = np.array([len(chain) for chain in market.chains], np.int64)
        self.chains = np.zeros((int(self.depth.max()), len(market.chains)), np.int64)
        for number, chain in enumerate(market.chains):
            self.chains[: len(chain), number] = chain
        self.partners = market.partners
        # Micro-units per lot x lots in hundredths = units of 1e-8: exact without a division.
        by_card = market.rate_micro * market.factor_percent[None, None, None, :] // 100
        self.rates = by_card[:, market.card].transpose(0, 2, 3, 1).ravel().copy()
        self.new_version_ms = market.new_version_ms
        self.shape = market.rate_micro.shape

    def rate(self, market: Market) -> tuple[np.ndarray, np.ndarray]:
        """Return the lines' amounts (1e-8 units) and partners, level by level."""
        _, _, symbols, groups = self.shape
        version = market.close_utc_ms >= self.new_version_ms
        base = ((version * symbols + market.symbol) * groups + market.group) * self.partners
        depth = self.depth[market.chain]
        amounts = np.empty(int(depth.sum()), np.int64)
        payees = np.empty(len(amounts), np.int64)
        start = 0
        chain, lots = market.chain.astype(np.int64), market.lots_e8 // 1_000_000
        for level in range(len(self.chains)):
            if level:
                rows = np.flatnonzero(depth > level)
                chain, lots, base, depth = chain[rows], lots[rows], base[rows], depth[rows]
            end = start + len(chain)
            partner = self.chains[level][chain]
            payees[start:end] = partner
            np.multiply(lots, self.rates[base + partner], out=amounts[start:end])
            start = end
        return amounts, payees
