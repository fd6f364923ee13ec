"""Goals 1 and 6: files to booked, and the same files again, beside COPY and the naive script.

Timed of pipshare: reading what the run needs (plans, partners, FX), then all of `import_file` for
one MT4 Manager export per server, and bringing everything to rest, as the command does. The start
of a process is not in it.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import psycopg

from benchmarks import copying
from benchmarks.checking import by_number, expected, hold_to
from benchmarks.databases import LIVE, SCRIPTS, Databases, balances, import_trades
from benchmarks.importer import import_apart
from benchmarks.racing import Race, Result, Runner, beside, race
from benchmarks.reference import naive, scripts
from benchmarks.world import SERVERS
from pipshare import db
from pipshare.pipeline import Run, to_rest
from pipshare.plans import read_book

FRESH, AGAIN = "file to booked", "the same files again"
TWO = "file to booked, two commands at once"
COPY, NAIVE = "text COPY + key", "naive script"


def measure(
    databases: Databases, rounds: int, naive_trades: int, say: Callable[[str], None]
) -> tuple[list[Result], Race]:
    """Race them; every result is compared with what the numpy gather computes."""
    broker = databases.broker
    streams = copying.buffers(broker, "text")
    some = naive.first_trades(broker, naive_trades)
    again: list[float] = []

    def fresh() -> float:
        rate, second = _import_twice(databases)
        again.append(second)
        return rate

    runners: dict[str, Runner] = {
        FRESH: fresh,
        TWO: lambda: _by_two(databases),
        COPY: lambda: copy_rate(databases, streams, "text"),
        NAIVE: lambda: naive_rate(databases, some),
    }
    run = race(runners, rounds, say)
    run.rates[AGAIN] = again
    return [
        beside(run, 1, FRESH, COPY, 0.25, limit="one process: parse, rate, then wait for COPY"),
        beside(run, 1, FRESH, NAIVE, 200, percent=False, limit="how fast the disk commits"),
        beside(run, 1, TWO, COPY, 0.25, limit="cores; bytes written per trade"),
        beside(run, 6, AGAIN, FRESH, 1.5, percent=False, limit="parsing, and reading the stored"),
        beside(run, 0, NAIVE, COPY, 0),
    ], run


def forget() -> None:
    """Drop what this process remembers of plans: a command begins without it."""
    for value in vars(read_book).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def _import_twice(databases: Databases) -> tuple[float, float]:
    """Import all files into a fresh database, then again; return both rates."""
    trades = databases.broker.size.trades
    with databases.fresh(LIVE), db.connect() as conn:
        first = _import(databases, conn)
        assert sum(report.new for report in first[1]) == trades
        booked = by_number(databases.broker, balances(conn))
        hold_to(expected(databases.broker), booked, FRESH)
        before = _rows(conn)
        second = _import(databases, conn)
        assert sum(report.repeated for report in second[1]) == trades
        assert _rows(conn) == before, "importing again wrote something"
        return trades / first[0], trades / second[0]


def _by_two(databases: Databases) -> float:
    """Import by two processes at once, two servers each, as an operator may; return the rate."""
    with databases.fresh(LIVE) as name:
        _, seconds = import_apart(databases, name, databases.files, (SERVERS[:2], SERVERS[2:]))
        with db.connect() as conn:
            booked = by_number(databases.broker, balances(conn))
        hold_to(expected(databases.broker), booked, TWO)
        return databases.broker.size.trades / seconds


def _import(databases: Databases, conn: psycopg.Connection[Any]) -> tuple[float, list[Any]]:
    conn.commit()
    databases.settle()
    forget()
    begin = perf_counter()
    run = Run(conn)
    reports = [import_trades(run, databases.files, server) for server in SERVERS]
    to_rest(run)
    return perf_counter() - begin, reports


def _rows(conn: psycopg.Connection[Any]) -> tuple[Any, ...]:
    row = conn.execute(
        "SELECT (SELECT count(*) FROM trades_trade), (SELECT count(*) FROM rating_entry),"
        " (SELECT count(*) FROM ledger_leg), (SELECT count(*) FROM rating_waiting)"
    ).fetchone()
    assert row
    return row


def copy_rate(databases: Databases, streams: list[bytes], form: copying.Form) -> float:
    """Copy prepared trades into an empty table; return trades a second."""
    with databases.fresh(LIVE):
        with db.transaction("owner") as owner:
            owner.execute(copying.TABLE)
        with db.connect() as conn:
            databases.settle()
            begin = perf_counter()
            copying.copy(conn, streams, form)
            return databases.broker.size.trades / (perf_counter() - begin)


def naive_rate(databases: Databases, some: list[naive.Trade]) -> float:
    """Let the naive script book these trades; return trades a second."""
    with databases.fresh(SCRIPTS), db.connect() as conn:
        databases.settle()
        begin = perf_counter()
        naive.book_naively(conn, some)
        rate = len(some) / (perf_counter() - begin)
        sums = scripts.line_sums(conn, databases.broker.size.partners)
        hold_to(expected(databases.broker, naive.rows_of(databases.broker, some)), sums, NAIVE)
        return rate
