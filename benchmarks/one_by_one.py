"""Goal 4: one trade, one answer. Each caller sends a trade and waits until it is durably booked.

Beside it the naive script, which commits each trade by itself. Callers that come at the same time
share a transaction here (pipeline/desk.py), so their number matters: one alone, and many. All
trades touch the same account of the broker, which pays for them; it is no row that anyone locks.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

import psycopg

from benchmarks.checking import by_number, expected, hold_to
from benchmarks.databases import LIVE, Databases, balances
from benchmarks.file_to_booked import naive_rate
from benchmarks.racing import Race, Result, Runner, beside, race
from benchmarks.reference import naive
from benchmarks.world import SERVERS
from pipshare import db, market
from pipshare.pipeline.desk import Desk
from pipshare.pipeline.pushed import AUTHORITY, Door, Pushed
from pipshare.sources.reading import OPERATOR

CALLERS = (1, 64, 256)
NAIVE = "naive script, one by one"


def measure(
    databases: Databases, rounds: int, trades: int, say: Callable[[str], None]
) -> tuple[list[Result], Race]:
    """Race them over some thousand trades; what is booked is compared with the numpy gather."""
    some = naive.first_trades(databases.broker, trades)
    runners: dict[str, Runner] = {_name(n): _runner(databases, n, trades) for n in CALLERS}
    runners[NAIVE] = lambda: naive_rate(databases, some)
    run = race(runners, rounds, say)
    limit = "the fixed cost of a booking, shared by who comes at once"
    return [
        beside(run, 4, _name(n), NAIVE, 0 if n == 1 else 3, percent=False, limit=limit)
        for n in CALLERS
    ], run


def _name(callers: int) -> str:
    return f"one trade a call, {callers} caller{'s' if callers > 1 else ''}"


def _runner(databases: Databases, callers: int, trades: int) -> Runner:
    submissions = _submissions(databases, trades if callers > 1 else max(trades // 16, 8))

    def once() -> float:
        with databases.fresh(LIVE), db.connect() as conn:
            for server in market.servers(conn):
                market.record_authority(conn, server, AUTHORITY, "benchmark")
            conn.commit()
            databases.settle()
            desk = Desk()
            desk.submit(submissions[0])  # reads the plans
            begin = perf_counter()
            with ThreadPoolExecutor(callers) as pool:
                answers = list(pool.map(desk.submit, submissions[1:]))
            seconds = perf_counter() - begin
            desk.close()
            assert all(answer[0].verdict == "new" for answer in answers)
            _check(databases, conn, submissions)
            return len(answers) / seconds

    return once


def _submissions(databases: Databases, trades: int) -> list[Pushed]:
    """The first trades of each server, one frame each, the servers by turns."""
    found = []
    for number, server in enumerate(SERVERS):
        frame = next(iter(databases.broker.trades(number))).head(trades // len(SERVERS))
        door = Door(server, OPERATOR, "benchmark")
        found.append([Pushed(door, frame.slice(at, 1)) for at in range(len(frame))])
    return [one for turn in zip(*found, strict=True) for one in turn]


def _check(databases: Databases, conn: psycopg.Connection[Any], submissions: list[Pushed]) -> None:
    broker = databases.broker
    some = naive.first_trades(broker, len(submissions))
    booked = by_number(broker, balances(conn))
    hold_to(expected(broker, naive.rows_of(broker, some)), booked, "one trade a call")
