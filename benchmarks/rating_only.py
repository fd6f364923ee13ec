"""Rating only: pipshare's rating beside a numpy gather and a pandas script, in one run.

    python -m benchmarks.rating_only [--trades 1000000] [--runs 5]

They take turns; figures are medians and ratios of this run. What is timed of pipshare is
all of `rate_trades`: compiling the tables, looking up terms, versions and chains by time, every
rate, and writing out the lines with their reasons and ids.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.market_of_trades import Market, make_market, plan_of
from benchmarks.reference.numpy_gather import Gather
from benchmarks.reference.pandas_rating import Merge
from pipshare.market.fx import FxTable
from pipshare.rating.rate import TradeColumns, rate_trades
from pipshare.rating.rated import Rated


def main() -> None:
    """Run the benchmark and print it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trades", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=5)
    given = options.parse_args()
    market = make_market(given.trades)
    entries = _entries(market)
    _check(market, {name: run() for name, run in entries.items()})
    times: dict[str, list[object]] = {name: [] for name in entries}
    for _ in range(given.runs):
        for name, run in entries.items():
            begin = perf_counter()
            run()
            times[name].append(perf_counter() - begin)
    _print(given.trades, {name: median(some) for name, some in times.items()})  # type: ignore[type-var]


def _entries(market: Market) -> dict[str, Callable[[], Any]]:
    gather = Gather(market)
    script, coded = Merge(market, coded=False), Merge(market, coded=True)
    book, payees, symbols, groups = plan_of(market)
    chains = [tuple(partner + 1 for partner in chain) for chain in market.chains]
    trades = TradeColumns(
        market.lots_e8, market.hold_ms, market.close_utc_ms, np.full(len(market.chain), -1),
        market.symbol, market.group, market.chain,
    )  # fmt: skip
    fx = FxTable([])
    return {
        "pipshare": lambda: rate_trades(
            trades, symbols, groups, chains, book=book, payees=payees, fx=fx
        ),
        "numpy gather": lambda: gather.rate(market),
        "pandas script": script.rate,
        "pandas, coded": coded.rate,
    }


def _check(market: Market, results: dict[str, Any]) -> None:
    """All must have the same lines: partner by partner, to the last digit."""
    ours: Rated = results.pop("pipshare")
    amounts, payees = results.pop("numpy gather")
    assert len(ours.waits) == 0
    paid = _sums(ours.lines.partner_id.astype(np.int64) - 1, ours.lines.amount_e8, market.partners)
    assert np.array_equal(paid, _sums(payees, amounts, market.partners)), "numpy differs"
    for frame in results.values():
        partner, amount = frame["partner"].to_numpy(), frame["amount_e8"].to_numpy()
        assert np.array_equal(paid, _sums(partner, amount, market.partners)), "pandas differs"
    lines = len(ours.lines)
    print(f"{len(market.chain):,} trades, {lines:,} lines ({lines / len(market.chain):.2f} each), "
          f"{market.rate_micro.size:,} rates; all agree for every partner")  # fmt: skip


def _sums(partner: np.ndarray, amount: np.ndarray, partners: int) -> np.ndarray:
    out = np.zeros(partners, np.int64)
    np.add.at(out, partner, amount)
    return out


def _print(trades: int, seconds: dict[str, Any]) -> None:
    ours = seconds["pipshare"]
    for name, taken in seconds.items():
        print(f"{name:14} {taken * 1000:8.0f} ms  {trades / taken / 1e6:6.2f}M trades/s  "
              f"pipshare is {taken / ours:5.2f} x")  # fmt: skip
    gather = seconds["numpy gather"]
    valid = "" if trades / gather >= 3e6 else " (reference under 3M trades/s: not valid)"
    print(f"pipshare / numpy gather  = {gather / ours:.0%} (goal 30 %){valid}")
    print(f"pipshare / pandas script = {seconds['pandas script'] / ours:.1f} x (goal 3 x)")


if __name__ == "__main__":
    main()
