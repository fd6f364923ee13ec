"""Goal 2: stored trades rated and posted, beside binary COPY of them and a set-based statement.

Two ways of pipshare are timed. *Request*: trades that were stored before go-live are read from the
table, compared with what stands posted (nothing), rated and posted, as after every change of plans.
*Handed over*: `book` gets the frames in memory, as an import hands them over. Both end in the
ledger, with commits. The set-based statement writes lines only: no ledger, one plan's rules.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
import polars as pl

from benchmarks import copying
from benchmarks.checking import by_number, expected, hold_to
from benchmarks.databases import SCRIPTS, STAGED, Databases, balances
from benchmarks.file_to_booked import copy_rate, forget
from benchmarks.racing import Race, Result, beside, race
from benchmarks.reference import scripts
from pipshare import db, trades
from pipshare.market import Server
from pipshare.pipeline import Run, book, to_rest

REQUEST, HANDED = "rate and post: request", "rate and post: handed over"
COPY, SQL = "binary COPY + key", "set-based SQL"
CHUNK = 120_000  # trades: about what a block of an import holds


def measure(
    databases: Databases, rounds: int, say: Callable[[str], None]
) -> tuple[list[Result], Race]:
    """Race them; every result is compared with what the numpy gather computes."""
    streams = copying.buffers(databases.broker, "binary")
    wanted = expected(databases.broker)
    runners = {
        REQUEST: lambda: _request(databases, wanted),
        HANDED: lambda: _handed_over(databases, wanted),
        COPY: lambda: copy_rate(databases, streams, "binary"),
        SQL: lambda: _sql(databases, wanted),
    }
    run = race(runners, rounds, say)
    return [
        beside(run, 2, REQUEST, COPY, 0.35, limit="bytes of lines and legs, their keys"),
        beside(run, 2, REQUEST, SQL, 1.5, percent=False),
        beside(run, 2, HANDED, COPY, 0.35, limit="the same, without reading trades"),
        beside(run, 2, HANDED, SQL, 1.5, percent=False),
        beside(run, 0, SQL, COPY, 0),
    ], run


def _request(databases: Databases, wanted: np.ndarray) -> float:
    with databases.fresh(STAGED), db.connect() as conn:
        databases.settle()
        forget()
        begin = perf_counter()
        booked = to_rest(Run(conn))
        seconds = perf_counter() - begin
        assert booked.trades == databases.broker.size.trades
        hold_to(wanted, by_number(databases.broker, balances(conn)), REQUEST)
        return booked.trades / seconds


def _handed_over(databases: Databases, wanted: np.ndarray) -> float:
    with databases.fresh(STAGED), db.connect() as conn:
        frames = [
            (server, frame.slice(start, CHUNK))
            for server, frame in _stored(Run(conn))
            for start in range(0, len(frame), CHUNK)
        ]
        conn.commit()
        databases.settle()
        forget()
        begin = perf_counter()
        run = Run(conn)
        for server, frame in frames:
            book(run, server, frame, fresh=True)
            conn.commit()
        seconds = perf_counter() - begin
        hold_to(wanted, by_number(databases.broker, balances(conn)), HANDED)
        return sum(len(frame) for _, frame in frames) / seconds


def _stored(run: Run) -> list[tuple[Server, pl.DataFrame]]:
    return [(server, trades.read(run.conn, server.id)) for server in run.servers.values()]


def _sql(databases: Databases, wanted: np.ndarray) -> float:
    with databases.fresh(SCRIPTS), db.connect() as conn:
        databases.settle()
        begin = perf_counter()
        scripts.rate_by_sql(conn)
        seconds = perf_counter() - begin
        hold_to(wanted, scripts.line_sums(conn, databases.broker.size.partners), SQL)
        return databases.broker.size.trades / seconds
