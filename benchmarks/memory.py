"""Goal 7: the most memory that a process needs to import the files, at one and ten million trades.

The import runs in a process of its own: under plans that pay each trade by itself, and under a tier
that goes by all the trades of a month, so that every import settles the month whole. Its database
process's shared buffers, which all of the server's processes have in common, are not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from benchmarks.databases import LIVE, Databases
from benchmarks.exports import Files, write_files
from benchmarks.importer import import_apart
from benchmarks.racing import Result
from benchmarks.world import SERVERS, make_world

LIMIT_MIB = 1024
OURS, BACKEND = "peak memory: import", "peak memory: its database process"
TIERED = "peak memory: import under a tier of the month"
# For every programme; each trade's pay is known when the month's last trade is.
TIER = """[programme]
code = "{code}"
currency = "USD"
levels = 10
[[component]]
code = "tiered"
basis = "lot"
mode = "difference"
[component.tier]
measure = "lots"
of = "network"
window = "month"
method = "retroactive"
[[component.rate]]
amount = "3"
[[component.rate]]
from = "100"
amount = "5"
"""


def measure(databases: Databases, long: bool, say: Callable[[str], None]) -> list[Result]:
    """Import once, and with `long` a second time ten times as much."""
    results = _both(databases, databases.files, databases.broker.size.trades, say)
    if long:
        size = replace(databases.broker.size, trades=10 * databases.broker.size.trades)
        files = write_files(make_world(size), databases.files.folder.parent)
        more = _both(databases, files, size.trades, say)
        for small, big in zip(results.copy(), more, strict=True):
            results += [big, Result(7, big.what, small.what, big.rate, small.rate,
                                    big.rate / small.rate, 1.1, "MiB", False,
                                    "flat: ten times the trades", True)]  # fmt: skip
    return results


def _both(
    databases: Databases, files: Files, trades: int, say: Callable[[str], None]
) -> list[Result]:
    tiered = _told(databases, files, trades, say, TIERED, TIER)
    return [*_told(databases, files, trades, say, OURS, ""), tiered[0]]


def _told(
    databases: Databases, files: Files, trades: int, say: Callable[[str], None], ours: str,
    plan: str,
) -> list[Result]:  # fmt: skip
    with databases.fresh(LIVE) as name:
        (told,), _ = import_apart(databases, name, files, [SERVERS], plan)
    assert told.trades == trades, f"{told.trades} of {trades} trades booked"
    results = []
    for what, peak in ((ours, told.peak_mib), (BACKEND, told.backend_mib)):
        say(f"  {what}, {trades:,} trades: {peak} MiB")
        results.append(Result(7, f"{what}, {trades:,} trades", "1 GiB", peak, LIMIT_MIB,
                              peak / LIMIT_MIB, 1.0, "MiB", True, "", True))  # fmt: skip
    return results
