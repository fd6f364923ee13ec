"""Goal 11: stored trades rated again after a change of plans, beside their first rating.

One symbol's rates of one programme are corrected from mid-month on, and every stored trade is
rated again. Only what differs is written; both ratings are held to the numpy gather.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
import psycopg

from benchmarks.checking import by_number, expected, hold_to
from benchmarks.databases import BY, STAGED, Databases, balances
from benchmarks.exports import plan_text
from benchmarks.file_to_booked import forget
from benchmarks.racing import Race, Result, beside, race
from benchmarks.world import World
from pipshare import db, market, plans, rating
from pipshare.pipeline import Run, to_rest
from pipshare.pipeline.spared import plan_cause

AGAIN, FIRST = "rated again", "first rating"


def measure(
    databases: Databases, rounds: int, say: Callable[[str], None]
) -> tuple[list[Result], Race]:
    """Rate for the first time and again, in one database per round."""
    changed = _changed(databases.broker)
    wanted, then = expected(databases.broker), expected(changed)
    rates: list[tuple[float, float]] = []

    def first() -> float:
        rates.append(_once(databases, changed, wanted, then))
        return rates[-1][0]

    run = race({FIRST: first}, rounds, say)
    run.rates[AGAIN] = [again for _, again in rates]
    for number, (_, again) in enumerate(rates, 1):
        say(f"  round {number}: {AGAIN} {again:,.0f}/s")
    return [beside(run, 11, AGAIN, FIRST, 3, percent=False)], run


def _changed(broker: World) -> World:
    """Return the broker with a hundredth of a cent more per lot of one symbol, in programme 0."""
    rates = broker.market.rate_micro.copy()
    rates[1, : broker.size.cards, 0] += 100
    return replace(broker, market=replace(broker.market, rate_micro=rates))


def _once(
    databases: Databases, changed: World, wanted: np.ndarray, then: np.ndarray
) -> tuple[float, float]:
    count = databases.broker.size.trades
    with databases.fresh(STAGED), db.connect() as conn:
        databases.settle()
        forget()
        begin = perf_counter()
        to_rest(Run(conn))
        first = count / (perf_counter() - begin)
        hold_to(wanted, by_number(databases.broker, balances(conn)), FIRST)
        text = plan_text(changed, 0, 1)
        applied = plans.apply(conn, text, "programme0v3.toml", BY)
        for server in market.servers(conn):
            rating.request(conn, server.id, plan_cause(applied.code, applied.number))
        conn.commit()
        entries = _entries(conn)
        databases.settle()
        forget()
        begin = perf_counter()
        to_rest(Run(conn))
        again = count / (perf_counter() - begin)
        hold_to(then, by_number(databases.broker, balances(conn)), AGAIN)
        written = _entries(conn) - entries
        assert written <= _touched(databases.broker), f"{written} entries were written"
    return first, again


def _entries(conn: psycopg.Connection[Any]) -> int:
    found = conn.execute("SELECT count(*) FROM rating_entry").fetchone()
    return int(found[0]) if found else 0


def _touched(broker: World) -> int:
    """Return how many trades can have another amount."""
    trades = broker.market
    mine = (trades.symbol == 0) & (trades.close_utc_ms >= trades.new_version_ms)
    return int(mine.sum())
