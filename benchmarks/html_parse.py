"""Parsing speed of an MT4 statement, as a share of lxml merely walking the same tree.

Run: python -m benchmarks.html_parse [trades]. Both sides run interleaved, seven times; the goal is
a ratio of medians of 0.5 or more.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import lxml.html

from benchmarks.racing import Race, Result, beside, race, show
from pipshare.sources import files

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "sources"))
from fixtures_html import mt4

ROUNDS, TRADES = 7, 4_500
PARSE, WALK = "HTML statement parsed", "lxml walks its tree"


def make_statement(trades: int) -> str:
    """Write a statement of so many trades, no two alike."""
    start = datetime(2025, 1, 6, tzinfo=UTC)
    rows = [
        mt4.Trade(
            ticket=50_000_000 + n,
            side="buy" if n % 3 else "sell",
            lots=Decimal(1 + n % 250).scaleb(-2),
            symbol=("eurusd", "gbpusd", "usdjpy", "xauusd")[n % 4],
            opened=start + timedelta(seconds=97 * n),
            closed=start + timedelta(seconds=97 * n + 1_800),
            open_price=f"1.{10_000 + n % 80_000}",
            close_price=f"1.{10_000 + n * 7 % 80_000}",
            commission=Decimal(-(n % 900)).scaleb(-2),
            swap=Decimal(n % 70 - 35).scaleb(-2),
            profit=Decimal(n * 7919 % 400_000 - 200_000).scaleb(-2),
            comment=("[sl]", "[tp]", "", "")[n % 4],
        )
        for n in range(trades)
    ]
    return mt4.statement(rows)


def walk(path: Path) -> int:
    """The yardstick: build the tree and read the text of each element, nothing more."""
    length = 0
    for element in lxml.html.fromstring(path.read_text("utf-8")).iter():
        length += len(element.text or "")
    return length


def parse(path: Path) -> int:
    """The whole way: bytes on disk to checked columns."""
    return sum(len(chunk.trades) for chunk in files.read(path).chunks())


def measure(
    rounds: int, say: Callable[[str], None], trades: int = TRADES
) -> tuple[list[Result], Race]:
    """Race the two over one statement of so many trades."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "statement.htm"
        path.write_text(make_statement(trades), "utf-8")
        assert parse(path) == trades
        assert walk(path) > 0
        say(f"  {trades:,} trades, {path.stat().st_size:,} bytes")
        runners = {PARSE: _timed(parse, path, trades), WALK: _timed(walk, path, trades)}
        run = race(runners, rounds, say)
    return [
        beside(run, 0, PARSE, WALK, 0.5, limit="building the tree is the walk's time, too")
    ], run


def _timed(work: Callable[[Path], int], path: Path, trades: int) -> Callable[[], float]:
    def runner() -> float:
        begin = time.perf_counter()
        work(path)
        bytes(100_000)  # makes the allocator tidy up now, at the cost of who littered
        return trades / (time.perf_counter() - begin)

    return runner


def main() -> None:
    """Time both and print what was seen."""
    trades = int(sys.argv[1]) if len(sys.argv) > 1 else TRADES
    results, _ = measure(ROUNDS, print, trades)
    show(results, f"{trades:,} trades, medians of {ROUNDS}")


if __name__ == "__main__":
    main()
