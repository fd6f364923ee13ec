"""Goal 3: rating only, beside a numpy gather and a pandas script, in one run.

    python -m benchmarks.rating_only [--trades 1000000] [--rounds 5]

What is timed of pipshare is all of `rate_trades`: compiling the tables for the run, looking up
terms, versions and chains by time, every rate, and writing out the lines with reasons and ids. All
runners are first held to the same amounts, partner by partner, to the last digit.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.market_of_trades import Market, make_market, plan_of
from benchmarks.racing import Race, Result, beside, race, show
from benchmarks.reference.numpy_gather import Gather
from benchmarks.reference.pandas_rating import Merge
from pipshare.market.fx import FxTable
from pipshare.rating.rate import TradeColumns, rate_trades
from pipshare.rating.rated import Rated

OURS, GATHER, SCRIPT, CODED = "rating only", "numpy gather", "pandas script", "pandas, coded keys"
LEAST = 3_000_000  # trades/s of the numpy gather; below, it is not the reference


def measure(trades: int, rounds: int, say: Callable[[str], None]) -> tuple[list[Result], Race]:
    """Race the four over the same trades, interleaved."""
    market = make_market(trades)
    works = _works(market)
    say(_agreement(market, {name: work() for name, work in works.items()}))
    runners = {name: _timed(work, trades) for name, work in works.items()}
    run = race(runners, rounds, say)
    slow = run.of(GATHER) < LEAST
    limit = "the gather ran under 3M trades/s: not valid" if slow else "memory: 12 columns a line"
    return [
        beside(run, 3, OURS, GATHER, 0.30, limit=limit),
        beside(run, 3, OURS, SCRIPT, 3, percent=False),
        beside(run, 0, OURS, CODED, 0, percent=False),
    ], run


def _timed(work: Callable[[], Any], trades: int) -> Callable[[], float]:
    def runner() -> float:
        begin = perf_counter()
        work()
        return trades / (perf_counter() - begin)

    return runner


def _works(market: Market) -> dict[str, Callable[[], Any]]:
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
        OURS: lambda: rate_trades(
            trades, symbols, groups, chains, book=book, payees=payees, fx=fx
        ),
        GATHER: lambda: gather.rate(market),
        SCRIPT: script.rate,
        CODED: coded.rate,
    }  # fmt: skip


def _agreement(market: Market, results: dict[str, Any]) -> str:
    """Hold all results to the same lines; returns what was compared, in a sentence."""
    ours: Rated = results[OURS]
    amounts, payees = results[GATHER]
    assert len(ours.waits) == 0
    paid = _sums(ours.lines.partner_id.astype(np.int64) - 1, ours.lines.amount_e8, market.partners)
    assert np.array_equal(paid, _sums(payees, amounts, market.partners)), "numpy differs"
    for name in (SCRIPT, CODED):
        partner = results[name]["partner"].to_numpy()
        amount = results[name]["amount_e8"].to_numpy()
        assert np.array_equal(paid, _sums(partner, amount, market.partners)), f"{name} differs"
    lines = len(ours.lines)
    return (
        f"  {len(market.chain):,} trades, {lines:,} lines ({lines / len(market.chain):.2f} each),"
        f" {market.rate_micro.size:,} rates; all agree for every partner"
    )


def _sums(partner: np.ndarray, amount: np.ndarray, partners: int) -> np.ndarray:
    out = np.zeros(partners, np.int64)
    np.add.at(out, partner, amount)
    return out


def main() -> None:
    """Run the benchmark alone and print it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trades", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    results, _ = measure(given.trades, given.rounds, print)
    show(results, "Rating only")


if __name__ == "__main__":
    main()
