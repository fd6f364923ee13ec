"""The pandas yardstick: the script a finance desk writes, merges and a multiplication.

Trades, partners and rates are the frames that a database or a CSV gives: names of symbols and
groups as text, rates with the dates they hold between. With `coded` the names were turned into
small integers beforehand, which no such script does, to show what the text costs.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.market_of_trades import SPAN_MS, START_MS, Market

_FOREVER = START_MS + 2 * SPAN_MS


class Merge:
    """Frames made once: trades, who is above whom, who has which card, and the rates."""

    def __init__(self, market: Market, coded: bool) -> None:
        rows = [(number, level, partner) for number, chain in enumerate(market.chains)
                for level, partner in enumerate(chain, 1)]  # fmt: skip
        self.chains = pd.DataFrame(rows, columns=["introducer", "level", "partner"])
        self.cards = pd.DataFrame({"partner": np.arange(market.partners), "card": market.card})
        version, card, symbol, group = np.indices(market.rate_micro.shape).reshape(4, -1)
        since = np.array([0, market.new_version_ms])
        until = np.array([market.new_version_ms, _FOREVER])
        self.rates = pd.DataFrame({
            "card": card, "symbol": symbol, "group": group, "valid_from": since[version],
            "valid_to": until[version], "rate_micro": market.rate_micro.ravel(),
        })  # fmt: skip
        self.groups = pd.DataFrame({
            "group": np.arange(len(market.factor_percent)), "lot_percent": market.factor_percent,
        })  # fmt: skip
        self.trades = pd.DataFrame({
            "ticket": np.arange(len(market.chain)), "introducer": market.chain,
            "symbol": market.symbol, "group": market.group, "close_ms": market.close_utc_ms,
            "lots": market.lots_e8 // 1_000_000,
        })  # fmt: skip
        if not coded:
            for frame in (self.rates, self.trades):
                frame["symbol"] = np.array([f"SYM{s}" for s in range(60)])[frame["symbol"]]
            for frame in (self.rates, self.trades, self.groups):
                frame["group"] = np.array([f"real\\g{g}" for g in range(10)])[frame["group"]]

    def rate(self) -> pd.DataFrame:
        """Return the lines with their amounts in 1e-8 units."""
        lines = (
            self.trades.merge(self.chains, on="introducer")
            .merge(self.cards, on="partner")
            .merge(self.groups, on="group")
            .merge(self.rates, on=["card", "symbol", "group"])
        )
        holds = (lines["valid_from"] <= lines["close_ms"]) & (lines["close_ms"] < lines["valid_to"])
        lines = lines[holds]
        amount = lines["lots"] * lines["rate_micro"] * lines["lot_percent"] // 100
        return lines[["ticket", "level", "partner"]].assign(amount_e8=amount)
